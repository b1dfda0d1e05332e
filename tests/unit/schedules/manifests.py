"""Rendered manifests as tests look at them: objects by their kind and name."""

from collections.abc import Mapping
from typing import Any

import yaml

from cronops.schedules.render import render
from cronops.schedules.resolve import ResolvedEnvironment
from tests.unit.schedules.builders import environment

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Object = dict[str, Any]


def documents(files: Mapping[str, str]) -> list[Object]:
    """Every object that a cluster is given; what only tools read is left out."""
    return [
        document
        for path, text in files.items()
        if path.endswith(".yaml") and not path.endswith("kustomization.yaml")
        for document in yaml.load_all(text, Loader=LOADER)
    ]


def by_kind(made: ResolvedEnvironment) -> dict[str, Object]:
    """The objects of one schedule's file by their kind; the environment must have but one."""
    [schedule] = made.schedules
    text = render(made, b"")[f"schedules/{schedule.cronjob}.yaml"]
    return {one["kind"]: one for one in yaml.load_all(text, Loader=LOADER)}


def cronjob(known: Any = None, name: str = "production", top: Any = None, **said: Any) -> Object:
    """The CronJob of a schedule that says this."""
    return by_kind(environment(said, known=known, name=name, **(top or {})))["CronJob"]


def pod_spec(owner: Object) -> Object:
    """The pods' specification of a CronJob or Job."""
    spec = owner["spec"]
    spec = spec["jobTemplate"]["spec"] if owner["kind"] == "CronJob" else spec
    pod: Object = spec["template"]["spec"]
    return pod


def container(owner: Object) -> Object:
    """The one container of a CronJob or Job."""
    [only] = pod_spec(owner)["containers"]
    assert isinstance(only, dict)
    return only


def values(owner: Object) -> dict[str, Any]:
    """The container's variables: the value, or the field a value is taken from."""
    return {
        one["name"]: one["value"] if "value" in one else one["valueFrom"]["fieldRef"]["fieldPath"]
        for one in container(owner)["env"]
    }
