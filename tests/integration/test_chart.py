"""The chart, rendered by Helm's own engine, makes the objects of ``k8s/``."""

import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from cronops.cli.declared import InstalledJobs
from cronops.schedules.chart import DIFFERENCES, chart
from cronops.schedules.chart.made import values_of
from cronops.schedules.chart.written import values_text
from cronops.schedules.render import render
from cronops.schedules.resolve import ResolvedEnvironment, resolve
from cronops.schedules.source import read_source
from cronops.schedules.structure import read_document
from tests.helm import Helm, Key, Refused, Rendered, objects, write_chart
from tests.unit.schedules import builders, chart_samples

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ("development", "staging", "production")
RULE = {"prometheusRule": {"enabled": True}}
FLOAT = re.compile(r"(?<![\w.])\d+(\.\d+)?e\+\d+(?![\w.])")


@pytest.fixture(scope="module")
def helm() -> Iterator[Helm]:
    engine = Helm()
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def ours() -> Mapping[str, ResolvedEnvironment]:
    document = read_document(read_source(_text()))
    jobs = InstalledJobs()
    return {name: resolve(document, name, jobs) for name in document.environments}


def _text() -> bytes:
    return (ROOT / "schedules.yaml").read_bytes()


def made(
    helm: Helm,
    environment: ResolvedEnvironment,
    directory: Path,
    values: Mapping[str, Any] | None = None,
) -> Rendered:
    """What Helm makes of an environment's chart, its values file being read by Helm too."""
    files = chart({environment.name: environment}, b"")
    where = write_chart(files, directory, environment.name)
    return helm.render(where, environment.namespace, values)


def differences(
    chart_objects: Mapping[Key, Any], manifests: Mapping[Key, Any]
) -> Iterator[tuple[str, str, str]]:
    """Each difference as `Difference` names it: its kind, the object, the field."""
    renamed = {}
    for key in chart_objects.keys() - manifests.keys():
        hashed = re.compile(re.escape(key[2]) + "-h[0-9a-f]{10}")
        for other in manifests:
            if other[:2] == key[:2] and hashed.fullmatch(other[2]):
                renamed[key] = other
                yield "renamed", _named(key), "metadata/name"
    for key in chart_objects.keys() - manifests.keys() - renamed.keys():
        yield "added", _named(key), ""
    for key in manifests.keys() - chart_objects.keys() - set(renamed.values()):
        yield "missing", _named(key), ""
    for key, one in chart_objects.items():
        other = manifests.get(renamed.get(key, key))
        if other is None:
            continue
        mine, theirs = dict(_leaves(one)), dict(_leaves(other))
        for path in mine.keys() | theirs.keys():
            if path == "metadata/name" and key in renamed:
                continue
            if path not in theirs:
                yield "added", _named(key), path
            elif path not in mine:
                yield "missing", _named(key), path
            # True equals 1, and 1 equals 1.0: here they differ.
            elif repr(mine[path]) != repr(theirs[path]):
                yield "changed", _named(key), path


def unwritten(found: Iterator[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """The differences that the list does not allow."""
    return sorted(one for one in found if not _rows(one))


def _rows(found: tuple[str, str, str]) -> set[int]:
    kind, name, field = found
    return {
        number
        for number, row in enumerate(DIFFERENCES)
        if row.kind == kind and fnmatchcase(name, row.objects) and fnmatchcase(field, row.field)
    }


def _named(key: Key) -> str:
    return f"{key[0]} {key[2]}"


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    children = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    if not children:
        yield path, value
    for step, child in children:
        yield from _leaves(child, f"{path}/{step}" if path else str(step))


def _rendered(environment: ResolvedEnvironment) -> dict[Key, Any]:
    files = render(environment, b"")
    return objects(text for path, text in files.items() if path.endswith(".yaml"))


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_chart_makes_the_objects_of_each_environment(helm, ours, tmp_path, name):
    environment = ours[name]
    release = made(helm, environment, tmp_path, RULE)
    assert not unwritten(differences(release.objects, _rendered(environment)))
    assert not FLOAT.search(release.manifest + "".join(release.hooks))


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_committed_chart_makes_the_committed_objects(helm, tmp_path, name):
    chart_files = ROOT / "charts/cronops"
    files = {
        str(path.relative_to(chart_files)): path.read_text("utf-8")
        for path in chart_files.rglob("*")
        if path.is_file()
    }
    committed = objects(
        path.read_text("utf-8") for path in sorted((ROOT / "k8s" / name).rglob("*.yaml"))
    )
    namespace = next(key[2] for key in committed if key[0] == "Namespace")
    release = helm.render(write_chart(files, tmp_path, name), namespace, RULE)
    assert not unwritten(differences(release.objects, committed))


def test_every_written_difference_is_there(helm, tmp_path):
    environment = builders.environment({})
    release = made(helm, environment, tmp_path)
    found = list(differences(release.objects, _rendered(environment)))
    assert not unwritten(iter(found))
    used = set().union(*(_rows(one) for one in found))
    assert used == set(range(len(DIFFERENCES)))


def test_odd_environments_differ_in_nothing_else(helm, tmp_path):
    environment = chart_samples.odd_environment()
    release = made(helm, environment, tmp_path, RULE)
    assert not unwritten(differences(release.objects, _rendered(environment)))
    assert not FLOAT.search(release.manifest)
    cronjobs = {key[2]: one for key, one in release.objects.items() if key[0] == "CronJob"}
    assert cronjobs.keys() == {one.cronjob for one in environment.schedules}
    sharded = next(one for one in environment.schedules if one.shards)
    spec = cronjobs[sharded.cronjob]["spec"]
    assert spec["failedJobsHistoryLimit"] == 0
    assert spec["jobTemplate"]["spec"]["backoffLimitPerIndex"] == 0
    assert spec["jobTemplate"]["spec"]["activeDeadlineSeconds"] == 1209600


def test_more_alerts_than_one_object_takes(helm, tmp_path):
    many = [{"name": f"export-{number:03}"} for number in range(61)]
    environment = builders.environment(*many)
    release = made(helm, environment, tmp_path, RULE)
    assert sum(key[0] == "PrometheusRule" for key in release.objects) == 2
    assert not unwritten(differences(release.objects, _rendered(environment)))


def test_long_names_are_shortened_alike(helm, tmp_path):
    names = ["ab-" * (length // 3) + "z" * (length % 3 + 1) for length in range(25, 64)]
    shards = [None, 1, 10, 11, 1000]
    said = [{"name": name, "shards": shards[at % 5]} for at, name in enumerate(names)]
    document = {"production": {"namespace": "cronops", "namePrefix": "prefix-of-some-length-"}}
    environment = builders.environment(*said, environments=document)
    release = made(helm, environment, tmp_path)
    assert not unwritten(differences(release.objects, _rendered(environment)))


# Whatever a file may hold: everything but lone halves of a character.
TEXTS = st.dictionaries(
    st.from_regex(r"[A-Z]{1,8}", fullmatch=True),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    max_size=5,
)


@pytest.fixture(scope="module")
def any_chart(tmp_path_factory) -> Path:
    """A chart whose values a test writes."""
    files = chart({"production": builders.environment({})}, b"")
    return write_chart(files, tmp_path_factory.mktemp("chart"))


@given(common=TEXTS, own=TEXTS, annotations=TEXTS)
@settings(max_examples=40, deadline=None, phases=set(Phase) - {Phase.explain})
def test_text_arrives_as_it_is(helm, any_chart, common, own, annotations):
    environment = chart_samples.environment(
        {"env": own, "annotations": annotations, "description": json.dumps(own)},
        defaults={**builders.DEFAULTS, "env": common},
    )
    values = values_text(values_of(environment), environment.name)
    (any_chart / "values.yaml").write_text(values, "utf-8", newline="\n")
    release = helm.render(any_chart, environment.namespace)
    assert not unwritten(differences(release.objects, _rendered(environment)))


def test_an_environment_s_values_lie_over_the_chart_s_own(helm, ours, tmp_path):
    environment = ours["production"]
    files = chart(ours, b"")
    values = yaml.safe_load(files["values-production.yaml"])
    plain = write_chart(files, tmp_path / "plain")
    replaced = write_chart(files, tmp_path / "replaced", "production")
    overlaid = helm.render(plain, environment.namespace, values)
    assert overlaid == helm.render(replaced, environment.namespace)


def test_without_an_environment_nothing_is_scheduled(helm, ours, tmp_path):
    release = helm.render(write_chart(chart(ours, b""), tmp_path), "somewhere")
    assert {key[0] for key in release.objects} == {"ConfigMap", "NetworkPolicy"}
    assert "Nothing is scheduled" in release.notes


@pytest.mark.parametrize("name", [None, *ENVIRONMENTS])
def test_helm_s_linter_finds_nothing(helm, ours, tmp_path, name):
    assert not helm.lint(write_chart(chart(ours, b""), tmp_path, name))


@pytest.fixture(scope="module")
def two(tmp_path_factory) -> Path:
    """A chart of two schedules."""
    environment = builders.environment({}, {"name": "other", "schedule": "5 5 * * *"})
    files = chart({"production": environment}, b"")
    return write_chart(files, tmp_path_factory.mktemp("chart"), "production")


CHANGES = {
    "schedule": ({"schedule": "1 2 * * *"}, ("spec", "schedule"), "1 2 * * *"),
    "suspend": ({"suspend": True}, ("spec", "suspend"), True),
    "suspended": (
        {"suspend": True},
        ("metadata", "annotations", "cronops/suspended"),
        "suspended",
    ),
    "zero": ({"failedJobsHistoryLimit": 0}, ("spec", "failedJobsHistoryLimit"), 0),
    "shards": (
        {"shards": 3},
        ("spec", "jobTemplate", "spec", "completions"),
        3,
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_schedule_changes_only_its_own_cronjob(helm, two, change):
    said, path, expected = CHANGES[change]
    before = helm.render(two, "cronops").objects
    after = helm.render(two, "cronops", {"schedules": {"other": said}}).objects
    changed = [key for key in before.keys() | after.keys() if before.get(key) != after.get(key)]
    assert changed == [("CronJob", "cronops", "other")]
    value = after["CronJob", "cronops", "other"]
    for step in path:
        value = value[step]
    assert repr(value) == repr(expected)


def test_values_reach_the_pods(helm, two):
    digest = "sha256:" + "f" * 64
    over = {
        "image": {"digest": digest},
        "settings": {"CRONOPS_LOG_LEVEL": "debug"},
        "schedules": {
            "other": {
                "env": {"EXTRA": "12e4567890"},
                "resources": {"limits": {"cpu": 2, "memory": "1Gi"}},
                "secrets": {"database": False, "key": {"secretName": "keys", "key": "y"}},
                "egress": {"dns": None},
            }
        },
    }
    found = helm.render(two, "cronops", over).objects
    pods = {
        key[2]: one["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        for key, one in found.items()
        if key[0] == "CronJob"
    }
    containers = {name: pod["containers"][0] for name, pod in pods.items()}
    assert all(one["image"].endswith(digest) for one in containers.values())
    config = {one["envFrom"][0]["configMapRef"]["name"] for one in containers.values()}
    (settings_name,) = config
    data = found["ConfigMap", "cronops", settings_name]["data"]
    assert data == {"CRONOPS_ENVIRONMENT": "production", "CRONOPS_LOG_LEVEL": "debug"}
    limits = containers["other"]["resources"]["limits"]
    assert (limits["cpu"], limits["memory"]) == ("2", "1Gi")
    assert limits["ephemeral-storage"] == "256Mi"
    assert {"name": "EXTRA", "value": "12e4567890"} in containers["other"]["env"]
    mounted = [volume["name"] for volume in pods["other"]["volumes"]]
    assert mounted == ["tmp", "secret-key"]
    policy = found["NetworkPolicy", "cronops", "other"]["spec"]
    assert [port["port"] for rule in policy["egress"] for port in rule["ports"]] == [5432]


def test_another_prefix_names_everything_anew(helm, two):
    prefix = "quite-a-long-prefix-for-a-second-installation-"
    found = helm.render(two, "cronops", {"namePrefix": prefix, **RULE}).objects
    before = helm.render(two, "cronops", RULE).objects
    assert len(found) == len(before)
    assert all(key[2].startswith("quite-a-long-prefix") for key in found)
    cronjob = next(
        one
        for key, one in found.items()
        if key[0] == "CronJob" and one["metadata"]["labels"]["cronops/schedule"] == "stock-export"
    )
    (container,) = cronjob["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    given = {one["name"]: one.get("value") for one in container["env"]}
    assert given["CRONOPS_SCHEDULE"] == "stock-export"
    assert given["CRONOPS_POD__CRONJOB"] == cronjob["metadata"]["name"]
    assert len(cronjob["metadata"]["name"]) <= 52


def test_a_schedule_set_to_null_is_gone(helm, two):
    found = helm.render(two, "cronops", {"schedules": {"other": None}, **RULE}).objects
    assert not [key for key in found if key[2] == "other"]
    (rule,) = (one for key, one in found.items() if key[0] == "PrometheusRule")
    assert "other" not in json.dumps(rule)


def test_so_is_one_that_a_later_values_file_sets_to_null(helm, ours, tmp_path):
    files = chart(ours, b"")
    values = yaml.safe_load(files["values-production.yaml"])
    values["schedules"]["queue-clean"] = None
    found = helm.render(write_chart(files, tmp_path), "cronops", {**values, **RULE}).objects
    assert not [key for key in found if key[2] == "queue-clean"]


def test_a_suspended_schedule_alarms_nobody(helm, two):
    over = {"schedules": {"other": {"suspend": True}}, **RULE}
    (rule,) = (
        one
        for key, one in helm.render(two, "cronops", over).objects.items()
        if key[0] == "PrometheusRule"
    )
    alerts = [one for group in rule["spec"]["groups"] for one in group["rules"]]
    assert {one["labels"].get("schedule") for one in alerts} == {None, "stock-export"}


def test_the_migration_comes_first_and_brings_what_it_needs(helm, two):
    release = helm.render(two, "cronops")
    hooks = objects(release.hooks)
    assert not hooks.keys() & objects([release.manifest]).keys()
    weights = {}
    for key, hook in hooks.items():
        annotations = hook["metadata"]["annotations"]
        assert annotations["helm.sh/hook"] == "pre-install,pre-upgrade"
        policies = annotations["helm.sh/hook-delete-policy"].split(",")
        assert set(policies) == {"before-hook-creation", "hook-succeeded"}
        weights[key[0]] = int(annotations["helm.sh/hook-weight"])
    job = weights.pop("Job")
    assert weights.keys() == {"ConfigMap", "NetworkPolicy", "ServiceAccount"}
    assert job > max(weights.values())
    # Everything that the Job's pod names is a hook too.
    pod = hooks["Job", "cronops", "cronops-migration"]["spec"]["template"]["spec"]
    settings_name = pod["containers"][0]["envFrom"][0]["configMapRef"]["name"]
    assert ("ConfigMap", "cronops", settings_name) in hooks
    assert ("ServiceAccount", "cronops", pod["serviceAccountName"]) in hooks


def test_the_migration_can_be_left_to_others(helm, two):
    release = helm.render(two, "cronops", {"migration": {"enabled": False}})
    assert not release.hooks
    assert "cronops db upgrade" in release.notes


def test_labels_say_whose_the_objects_are(helm, two):
    for one in helm.render(two, "cronops", RULE).objects.values():
        labels = one["metadata"]["labels"]
        assert labels["app.kubernetes.io/managed-by"] == "Helm"
        assert labels["helm.sh/chart"] == "cronops-0.1.0"
        assert "helm.sh/chart" not in json.dumps(one.get("spec"))


def test_notes_say_what_stands_still_and_what_secrets_are_wanted(helm, tmp_path):
    why = {"until": "2027-01-31", "by": "Ada", "why": "the {{ partner }} is moving"}
    environment = builders.environment({}, {"name": "paused", "suspend": why})
    notes = made(helm, environment, tmp_path).notes
    assert "stock-export: 17 * * * * Europe/Brussels" in notes
    assert "paused: until 2027-01-31 by Ada: the {{ partner }} is moving" in notes
    assert "cronops-database, key url" in notes


def test_notes_start_a_run_by_hand_under_a_name_never_used_before(helm, tmp_path):
    notes = made(helm, builders.environment({"name": "x" * 63}), tmp_path).notes
    (command,) = re.findall(r"^ +(kubectl .* create job .*)$", notes, re.M)
    cronjob, job = re.fullmatch(r".* --from=cronjob/(\S+) (.+)", command).groups()
    assert job == f"{cronjob}-$(date +%s)"
    assert len(f"{cronjob}-{2**31}") == 63


MISTAKES: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "top": ({"schedule": {}}, "'schedule' not allowed"),
    "case": ({"nameprefix": "x"}, "'nameprefix' not allowed"),
    "image": ({"image": {"tagg": "1"}}, "'tagg' not allowed"),
    "digest": ({"image": {"digest": "sha256:1"}}, "/image/digest"),
    "defaults": ({"defaults": {"timezone": "Etc/UTC"}}, "'timezone' not allowed"),
    "resources": ({"defaults": {"resources": {"limit": {}}}}, "'limit' not allowed"),
    "quantity": ({"defaults": {"resources": {"limits": {"cpu": True}}}}, "limits/cpu"),
    "setting": ({"settings": {"CRONOPS_X": 1}}, "got number, want string"),
    "switch": ({"prometheusRule": {"enabled": "true"}}, "got string, want boolean"),
    "rule": ({"prometheusRule": {"on": True}}, "'on' not allowed"),
    "migration": ({"migration": {"suspend": True}}, "'suspend' not allowed"),
    "removed": ({"defaults": None}, "missing property 'defaults'"),
    "prefix": ({"namePrefix": "Big_"}, "/namePrefix"),
    "schedule's name": ({"schedules": {"othr": {"suspend": True}}}, "missing properties"),
    "schedule's key": ({"schedules": {"other": {"suspended": True}}}, "'suspended' not allowed"),
    "suspend": ({"schedules": {"other": {"suspend": "yes"}}}, "want boolean"),
    "policy": ({"schedules": {"other": {"concurrencyPolicy": "forbid"}}}, "concurrencyPolicy"),
    "negative": ({"schedules": {"other": {"backoffLimit": -1}}}, "minimum: got -1"),
    "fraction": ({"schedules": {"other": {"backoffLimit": 1.5}}}, "want integer"),
    "text": ({"schedules": {"other": {"shards": "4"}}}, "/schedules/other/shards"),
    "secret": (
        {"schedules": {"other": {"secrets": {"x": {"secretName": "x", "kez": "y"}}}}},
        "'kez' not allowed",
    ),
    "secret's value": (
        {"schedules": {"other": {"secrets": {"x": "hunter2"}}}},
        "/schedules/other/secrets/x",
    ),
    "true": ({"schedules": {"other": {"secrets": {"database": True}}}}, "must be false"),
    "volume": (
        {"schedules": {"other": {"volumes": {"x": {"mountPath": "/x", "hostPath": "/"}}}}},
        "'hostPath' not allowed",
    ),
    "egress": (
        {"schedules": {"other": {"egress": {"x": {"to": [], "ports": [{"port": 70000}]}}}}},
        "maximum",
    ),
    "peer": (
        {"schedules": {"other": {"egress": {"x": {"to": [{"ip": "1"}], "ports": []}}}}},
        "'ip' not allowed",
    ),
    "alerts": ({"schedules": {"other": {"alerts": {"missed": 1}}}}, "'missed' not allowed"),
    "declared": ({"schedules": {"other": {"declared": {"owner": "x"}}}}, "'owner' not allowed"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_helm_refuses(helm, two, mistake):
    values, told = MISTAKES[mistake]
    with pytest.raises(Refused, match=re.escape(told)):
        helm.render(two, "cronops", deepcopy(dict(values)))


def test_an_image_without_a_name_is_refused(helm, two):
    with pytest.raises(Refused, match=r"image\.repository is empty"):
        helm.render(two, "cronops", {"image": {"repository": ""}})


def test_the_chart_may_be_a_part_of_another(helm, two):
    assert helm.render(two, "cronops", {"global": {"imageRegistry": "x"}}).objects


def test_what_must_not_be_started_again_is_not(helm, tmp_path):
    known = builders.jobs(replace(builders.DECLARED, retry_safe=False))
    environment = builders.environment({}, known=known)
    release = made(helm, environment, tmp_path)
    assert not unwritten(differences(release.objects, _rendered(environment)))
    spec = release.objects["CronJob", "cronops", "stock-export"]["spec"]["jobTemplate"]["spec"]
    actions = [rule["action"] for rule in spec["podFailurePolicy"]["rules"]]
    assert actions == ["FailJob", "FailJob"]
    assert spec["backoffLimit"] == 0
