"""Manifests as others read them: the API's own schemas, kubectl, and kustomize."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cronops.schedules.model import Document
from cronops.schedules.render import render
from cronops.schedules.resolve import ResolvedEnvironment, resolve
from tests.unit.schedules.awkward import AWKWARD
from tests.unit.schedules.builders import DECLARED, DEFAULTS, environment, jobs
from tests.unit.schedules.builders import values as file_of
from tests.unit.schedules.manifests import LOADER, Object, documents

ROOT = Path(__file__).parents[3]
ENVIRONMENTS = sorted(path.name for path in (ROOT / "k8s").iterdir())
VERSIONS = ["1.34", kubernetes_validate.latest_version()]
# A kind of the Prometheus operator's, whose schema is not among Kubernetes' own.
FOREIGN = {"PrometheusRule"}
NEEDS_KUBECTL = pytest.mark.skipif(
    shutil.which("kubectl") is None, reason="kubectl is not installed"
)

TEXTS = st.sampled_from(AWKWARD) | st.text(max_size=40)
NAMES = st.from_regex(r"[a-z]([a-z0-9-]{0,70}[a-z0-9])?", fullmatch=True)
SOURCES = st.sampled_from(
    [
        {"persistentVolumeClaim": {"claimName": "inbox"}},
        {"configMap": {"name": "pricing"}},
        {"emptyDir": {}},
        {"emptyDir": {"medium": "Memory", "sizeLimit": 1000000000}},
    ]
)
PEERS = st.sampled_from(
    [
        {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}},
        {"namespaceSelector": {"matchLabels": {"a": "on", "b": "1e3"}}},
        {"podSelector": {"matchLabels": {}}},
    ]
)
SAID = st.fixed_dictionaries(
    {
        "name": NAMES,
        "description": TEXTS.filter(bool),
        "env": st.dictionaries(st.from_regex(r"[A-Z_]{4,20}", fullmatch=True), TEXTS, max_size=4),
        "annotations": st.dictionaries(st.sampled_from(["a", "b.c/d"]), TEXTS),
        "volumes": st.dictionaries(
            TEXTS, st.tuples(SOURCES, NAMES).map(lambda one: {"mountPath": f"/{one[1]}", **one[0]})
        ),
        "secrets": st.dictionaries(NAMES, st.just({"secretName": "s", "key": "k", "env": "F"})),
        "egress": st.dictionaries(
            TEXTS,
            st.lists(PEERS, max_size=3).map(lambda to: {"to": to, "ports": [{"port": 1}]}),
        ),
        "suspend": st.just(False)
        | TEXTS.filter(bool).map(lambda why: {"until": "2027-01-31", "by": why, "why": why}),
    },
    optional={
        "shards": st.integers(1, 200),
        "backoffLimit": st.integers(0, 9),
        "tolerations": st.just([{"key": "y", "operator": "Exists"}]),
        "nodeSelector": st.just({"disk": "on"}),
        "resources": st.just({"limits": {"cpu": 1, "memory": 1.5}}),
        "environments": st.just({"production": {"shards": 3, "schedule": "0 0 * * *"}}),
    },
)


def made_of(said: Any, retry_safe: bool = True, prefix: str = "") -> ResolvedEnvironment:
    """Built without YAML in between, for that refuses some of the texts tried here."""
    environments = {"production": {"namespace": "cronops", "namePrefix": prefix}}
    document = Document.model_validate(file_of(said, environments=environments))
    return resolve(document, "production", jobs(replace(DECLARED, retry_safe=retry_safe)))


def refusals(objects: list[Object], version: str) -> list[str]:
    found = []
    for one in objects:
        if one["kind"] in FOREIGN:
            continue
        try:
            kubernetes_validate.validate(one, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            found.append(f"{one['kind']} {one['metadata']['name']}: {error.message}")
    return found


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_what_is_committed_fits_the_schemas_of_the_api(name: str, version: str) -> None:
    directory = ROOT / "k8s" / name
    files = {
        path.relative_to(directory).as_posix(): path.read_text(encoding="utf-8")
        for path in directory.rglob("*.yaml")
    }
    objects = documents(files)

    assert {"CronJob", "Job", "NetworkPolicy", "ServiceAccount", "ConfigMap"} <= {
        one["kind"] for one in objects
    }
    assert refusals(objects, version) == []


@settings(max_examples=15, deadline=None)
@given(said=SAID, retry_safe=st.booleans(), prefix=st.sampled_from(["", "blue-"]))
def test_whatever_an_entry_says_fits_the_schemas(said: Any, retry_safe: bool, prefix: str) -> None:
    made = made_of(said, retry_safe, prefix)
    [schedule] = made.schedules
    own = f"schedules/{schedule.cronjob}.yaml"
    objects = documents({own: render(made, b"")[own]})

    assert refusals(objects, VERSIONS[-1]) == []


@settings(max_examples=50, deadline=None)
@given(said=SAID)
def test_whatever_an_entry_says_stands_in_the_manifest_unchanged(said: Any) -> None:
    made = made_of(said)
    objects = documents(render(made, b""))
    [cronjob] = [one for one in objects if one["kind"] == "CronJob"]
    [container] = cronjob["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    given_values = {one["name"]: one.get("value") for one in container["env"]}

    annotations = cronjob["metadata"]["annotations"]
    assert said["annotations"].items() <= annotations.items()
    assert annotations["kubernetes.io/description"] == said["description"]
    if said["suspend"]:
        assert annotations["cronops/suspended"].endswith(said["suspend"]["why"])
    for name, text in said["env"].items():
        if name not in ("HOME", "F"):
            assert _expanded(given_values[name]) == text
    assert len(container["volumeMounts"]) == 2 + len(said["volumes"]) + len(
        said["secrets"].keys() - {"database"}
    )


def _expanded(text: str) -> str:
    """What Kubernetes makes of a value that refers to no variable: two dollars are one."""
    done, place = [], 0
    while place < len(text):
        assert text[place : place + 2] != "$("
        place += 2 if text[place : place + 2] == "$$" else 1
        done.append(text[place - 1])
    return "".join(done)


@NEEDS_KUBECTL
def test_kubectl_reads_the_same_objects(tmp_path: Path) -> None:
    said = {
        "env": {f"V{n}": text for n, text in enumerate(AWKWARD)},
        "annotations": {f"a{n}": text for n, text in enumerate(AWKWARD)},
        "suspend": {"until": "2027-01-31", "by": "a: b", "why": '"#\n- '},
        "volumes": {"y": {"mountPath": "/a: b", "emptyDir": {}}},
    }
    text = render(made_of(said), b"")["schedules/stock-export.yaml"]
    manifest = tmp_path / "schedule.yaml"
    manifest.write_text(text, encoding="utf-8")
    shown = subprocess.run(
        ["kubectl", "annotate", "--local", "-f", manifest, "seen=yes", "-o", "json"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout

    found, decoder, place = [], json.JSONDecoder(), 0
    while place < len(shown.rstrip()):
        one, place = decoder.raw_decode(shown, place)
        place += 1
        assert one["metadata"]["annotations"].pop("seen") == "yes"
        found.append(one)
    assert found == list(yaml.load_all(text, Loader=LOADER))


@NEEDS_KUBECTL
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_kustomize_gives_back_every_object(name: str) -> None:
    directory = ROOT / "k8s" / name
    shown = subprocess.run(
        ["kubectl", "kustomize", directory], check=True, capture_output=True, text=True
    )
    files = {
        path.relative_to(directory).as_posix(): path.read_text(encoding="utf-8")
        for path in directory.rglob("*.yaml")
        if path.parent.name != "alerts"
    }

    assert shown.stderr == ""
    assert _sorted(list(yaml.load_all(shown.stdout, Loader=LOADER))) == _sorted(documents(files))


def test_no_two_objects_share_a_name() -> None:
    long = "s" * 59
    made = environment(
        {"name": f"{long}-one"},
        {"name": f"{long}-two"},
        {"name": "settings"},
        {"name": "migration"},
        defaults=DEFAULTS,
    )
    named = [(one["kind"], one["metadata"]["name"]) for one in documents(render(made, b""))]

    assert len(set(named)) == len(named)


def _sorted(objects: list[Object]) -> list[Object]:
    return sorted(objects, key=lambda one: (one["kind"], one["metadata"]["name"]))
