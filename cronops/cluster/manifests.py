"""What should be in the cluster: one environment's manifests as objects, and their inventory."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from cronops.cluster.kinds import (
    CONFIG_MAP,
    CRON_JOB,
    RENDERED,
    Kind,
    Object,
    kind_of,
    labels_of,
    name_of,
)
from cronops.schedules.objects import read_objects
from cronops.schedules.render import WITHOUT_OBJECTS, render
from cronops.schedules.render.ground import ground_of
from cronops.schedules.render.labels import INSTANCE, common_labels
from cronops.schedules.resolve import ResolvedEnvironment

MANAGED_BY = "app.kubernetes.io/managed-by"
OURS = "cronops"
_OBJECTS = "objects"
_ALERTS = "alerts/"

Key = tuple[str, str]
"""An object's kind and name, within one namespace."""


def wanted_objects(environment: ResolvedEnvironment, text: bytes) -> list[Object]:
    """The objects of an environment, those first that others need.

    Alert rules are not among them: a cluster without the Prometheus operator does not know them.
    """
    order = {kind: place for place, kind in enumerate(RENDERED)}
    objects: list[Object] = [
        one
        for path, manifest in render(environment, text).items()
        if not path.startswith(_ALERTS) and not path.endswith(WITHOUT_OBJECTS)
        for one in read_objects(manifest)
    ]
    return sorted(objects, key=lambda one: (order[kind_of(one)], name_of(one)))


def key_of(one: Object) -> Key:
    """What tells an object from the others of its namespace."""
    return str(one["kind"]), name_of(one)


def inventory_name(environment: str) -> str:
    """The ConfigMap that says what was applied."""
    return f"cronops-inventory-{environment}"


def inventory_object(
    environment: ResolvedEnvironment, keys: Iterable[Key], applied: Mapping[str, str]
) -> dict[str, Any]:
    """The inventory as it is to stand in the cluster; `applied` is what else to tell."""
    ground = ground_of(environment)
    listed = sorted(f"{kind}/{name}" for kind, name in keys)
    return {
        "apiVersion": CONFIG_MAP.api_version,
        "kind": CONFIG_MAP.name,
        "metadata": {
            "name": inventory_name(environment.name),
            "namespace": environment.namespace,
            "labels": common_labels(environment, environment.common),
            "annotations": {"cronops/generated-by": ground.generator},
        },
        "data": {_OBJECTS: json.dumps(listed, indent=1), **applied},
    }


def inventory_keys(inventory: Object | None) -> set[Key]:
    """What an inventory says was applied. Raises `ValueError` for one that cannot be read."""
    if inventory is None:
        return set()
    listed = json.loads((inventory.get("data") or {}).get(_OBJECTS, "[]"))
    if not isinstance(listed, list):
        raise TypeError("the inventory is no list")
    return {(kind, name) for kind, _, name in (str(one).partition("/") for one in listed)}


def is_ours(one: Object, environment: str) -> bool:
    """Whether the labels of an object say that it belongs to this environment and to us."""
    labels = labels_of(one)
    return labels.get(MANAGED_BY) == OURS and labels.get(INSTANCE) == environment


def prunable_kinds() -> tuple[Kind, ...]:
    """What may be removed, pods' owners first; a namespace never is."""
    return tuple(kind for kind in reversed(RENDERED) if kind.is_namespaced)


def is_cron_job(one: Object) -> bool:
    """Whether it is a CronJob."""
    return one.get("kind") == CRON_JOB.name
