"""The files of one environment: what they are, and that they are always the same."""

import json
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from cronops.cli.declared import InstalledJobs
from cronops.schedules.diff import drift
from cronops.schedules.render import render
from cronops.schedules.resolve import resolve
from cronops.schedules.source import read_source
from cronops.schedules.structure import read_document
from tests.unit.schedules.builders import DEFAULTS, environment, jobs
from tests.unit.schedules.manifests import (
    Object,
    by_kind,
    container,
    documents,
    pod_spec,
    values,
)

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "schedules.yaml"


@pytest.mark.parametrize("name", ["development", "staging", "production"])
def test_k8s_is_what_schedules_yaml_renders_to(name: str) -> None:
    text = SOURCE.read_bytes()
    document = read_document(read_source(text))
    directory = ROOT / "k8s" / name
    # Bytes, for reading text would hide other line breaks.
    found = {
        path.relative_to(directory).as_posix(): path.read_bytes().decode()
        for path in directory.rglob("*")
        if path.is_file()
    }

    expected = render(resolve(document, name, InstalledJobs()), text)
    assert drift(expected, found, f"k8s/{name}") == "", "run: make manifests"


def test_k8s_has_the_environments_of_schedules_yaml_and_no_others() -> None:
    document = read_document(read_source(SOURCE.read_bytes()))

    assert {path.name for path in (ROOT / "k8s").iterdir()} == set(document.environments)


def test_an_environment_has_these_files() -> None:
    files = render(environment({}, {"name": "second", "command": "stock export"}), b"")

    assert list(files) == [
        "alerts/kustomization.yaml",
        "alerts/prometheus-rule.yaml",
        "index.json",
        "kustomization.yaml",
        "migration.yaml",
        "namespace.yaml",
        "network-policy.yaml",
        "schedules/second.yaml",
        "schedules/stock-export.yaml",
        "settings.yaml",
    ]
    assert all(text.endswith("\n") and not text.endswith("\n\n") for text in files.values())


def test_kustomize_is_given_every_manifest_but_the_alerts() -> None:
    files = render(environment(), b"")
    kustomization = yaml.safe_load(files["kustomization.yaml"])

    assert kustomization["apiVersion"] == "kustomize.config.k8s.io/v1beta1"
    assert kustomization["namespace"] == "cronops"
    assert kustomization["resources"] == sorted(
        path
        for path in files
        if path.endswith(".yaml")
        and path != "kustomization.yaml"
        and not path.startswith("alerts/")
    )


def test_settings_of_all_pods_stand_in_a_map_and_what_differs_in_the_pod() -> None:
    top = {"defaults": {**DEFAULTS, "env": {"LANG": "C.UTF-8", "TZ": "y", "A": "1", "B": "2"}}}
    made = environment({"env": {"TZ": "12:30:45", "A": "1", "B": None, "C": "$(A) $$ $x"}}, **top)
    files = render(made, b"")
    settings = yaml.safe_load(files["settings.yaml"])
    job = by_kind(made)["CronJob"]
    own = {name: text for name, text in values(job).items() if len(name) < 4}

    assert settings["immutable"] is True
    assert settings["data"] == {
        "CRONOPS_ENVIRONMENT": "production",
        "LANG": "C.UTF-8",
        "TZ": "y",
        "A": "1",
        "B": "2",
    }
    # Taken away is empty, which means unset; Kubernetes makes `$$` one dollar again.
    assert own == {"TZ": "12:30:45", "B": "", "C": "$$(A) $$$ $x"}
    [source] = container(job)["envFrom"]
    assert source == {"configMapRef": {"name": settings["metadata"]["name"]}}


def test_other_settings_are_another_map() -> None:
    def name(**env: str) -> str:
        files = render(environment(defaults={**DEFAULTS, "env": env}), b"")
        found: str = yaml.safe_load(files["settings.yaml"])["metadata"]["name"]
        return found

    assert name(A="1", B="2") == name(B="2", A="1")
    assert len({name(), name(A="1"), name(A="2"), name(B="1")}) == 4
    assert name().startswith("cronops-settings-h")


def test_the_namespace_takes_no_pod_that_asks_for_more() -> None:
    labels = yaml.safe_load(render(environment(), b"")["namespace.yaml"])["metadata"]["labels"]

    for mode in ("enforce", "audit", "warn"):
        assert labels[f"pod-security.kubernetes.io/{mode}"] == "restricted"
        assert f"pod-security.kubernetes.io/{mode}-version" in labels


def test_the_migration_runs_a_command_that_there_is() -> None:
    from cronops.cli.main import app

    here: Any = get_command(app)
    for word in container(_migration())["args"]:
        here = here.get_command(None, word)

    assert here is not None
    assert not any(parameter.required for parameter in here.params)


def test_another_migration_is_another_job() -> None:
    def name(revision: str = "0001", **said: Any) -> str:
        return str(_migration(revision, **said)["metadata"]["name"])

    assert name() == name()
    assert name().startswith("cronops-migration-h")
    assert len({name(), name("0002"), name(env={"A": "1"}), name(backoffLimit=0)}) == 4


def test_the_migration_is_given_what_its_entry_says() -> None:
    owner = {"secretName": "cronops-owner", "key": "url", "env": "CRONOPS_DATABASE_URL_FILE"}
    made = _migration(secrets={"database": owner}, resources={"limits": {"memory": "2Gi"}})

    volumes = {one["name"]: one for one in pod_spec(made)["volumes"]}
    assert volumes["secret-database"]["secret"]["secretName"] == "cronops-owner"
    assert container(made)["resources"]["limits"]["memory"] == "2Gi"
    assert "ttlSecondsAfterFinished" not in made["spec"]
    assert made["spec"]["template"]["metadata"]["labels"]["cronops/role"] == "migration"


def test_the_index_lists_every_file_but_itself() -> None:
    text = b"version: 1\n"
    files = render(environment(), text)
    index = json.loads(files["index.json"])

    assert index["files"] == {
        path: sha256(content.encode()).hexdigest()
        for path, content in files.items()
        if path != "index.json"
    }
    assert index["source"] == {"sha256": sha256(text).hexdigest()}
    assert (index["environment"], index["generator"]) == ("production", "cronops 0.1.0")
    assert index["schedules"] == [
        {
            "name": "stock-export",
            "cr": "CR-002",
            "cronjob": "stock-export",
            "file": "schedules/stock-export.yaml",
            "image": f"registry.example.com/cronops:0.1.0@{DEFAULTS['image']['digest']}",
            "schedule": "17 * * * *",
            "suspend": False,
            "timeZone": "Europe/Brussels",
        }
    ]


SAME = """
import json, sys
from hashlib import sha256
from cronops.schedules.model import Document
from cronops.schedules.render import render
from cronops.schedules.resolve import resolve
from tests.unit.schedules.builders import jobs, values

def turned(value):
    if isinstance(value, dict):
        return {key: turned(value[key]) for key in reversed(value)}
    return [turned(item) for item in value] if isinstance(value, list) else value

said = {
    "env": {"A": "1", "B": "2", "C": "3"},
    "labels": {"x": "1", "X": "2", "y": "3"},
    "nodeSelector": {"a": "1", "b": "2"},
    "volumes": {name: {"mountPath": f"/{name}", "emptyDir": {}} for name in "abc"},
    "egress": {"z": {"to": [{"podSelector": {"matchLabels": {"a": "1", "A": "2"}}}], "ports": []}},
}
document = values(said, {"name": "second"})
document = turned(document) if sys.argv[1] == "turned" else document
files = render(resolve(Document.model_validate(document), "production", jobs()), b"")
print(sha256(json.dumps(files).encode()).hexdigest())
"""


def test_the_same_input_gives_the_same_bytes() -> None:
    made = {
        subprocess.run(
            [sys.executable, "-c", SAME, order],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed, order in (("0", "written"), ("4711", "turned"))
    }

    assert len(made) == 1


def _migration(revision: str = "0001", **said: Any) -> Object:
    known = replace(jobs(), schema_revision=revision)
    environments = {"production": {"namespace": "cronops", "migration": said}}
    files = render(environment(known=known, environments=environments), b"")
    return next(one for one in documents(files) if one["kind"] == "Job")
