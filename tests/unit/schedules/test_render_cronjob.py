"""A schedule's CronJob: when it runs, and what its pods are given."""

from dataclasses import replace
from typing import Any

import pytest

from cronops.schedules.render import render
from tests.unit.schedules.builders import DECLARED, DEFAULTS, environment, jobs
from tests.unit.schedules.manifests import (
    container,
    cronjob,
    documents,
    pod_spec,
    values,
)


def test_the_cronjob_says_everything_that_has_a_default() -> None:
    spec = cronjob(schedule="*/15 * * * *")["spec"]
    job = spec.pop("jobTemplate")["spec"]

    assert spec == {
        "schedule": "*/15 * * * *",
        "timeZone": "Europe/Brussels",
        "concurrencyPolicy": "Forbid",
        "startingDeadlineSeconds": 450,
        "suspend": False,
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 1,
    }
    assert job["backoffLimit"] == 2
    # Three pods of 300 s work, 40 s to stop and 60 s to start, and 30 s between them.
    assert job["activeDeadlineSeconds"] == 1260
    assert "ttlSecondsAfterFinished" not in job


def test_a_schedule_may_say_each_of_these_itself() -> None:
    made = cronjob(
        timeZone="Asia/Tokyo",
        concurrencyPolicy="Replace",
        startingDeadlineSeconds=77,
        successfulJobsHistoryLimit=0,
        failedJobsHistoryLimit=0,
        backoffLimit=0,
        activeDeadlineSeconds=4321,
        terminationGracePeriodSeconds=99,
    )
    spec, job = made["spec"], made["spec"]["jobTemplate"]["spec"]

    assert (spec["timeZone"], spec["concurrencyPolicy"]) == ("Asia/Tokyo", "Replace")
    assert spec["startingDeadlineSeconds"] == 77
    assert (spec["successfulJobsHistoryLimit"], spec["failedJobsHistoryLimit"]) == (0, 0)
    assert (job["backoffLimit"], job["activeDeadlineSeconds"]) == (0, 4321)
    assert pod_spec(made)["terminationGracePeriodSeconds"] == 99


@pytest.mark.parametrize("of", ["schedule", "migration"])
def test_a_pod_is_given_no_more_than_it_needs(of: str) -> None:
    files = render(environment(), b"")
    owner = [one for one in documents(files) if one["kind"] in ("CronJob", "Job")][of == "schedule"]
    pod, only = pod_spec(owner), container(owner)

    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "fsGroup": 10001,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert only["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "privileged": False,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
    }
    assert only["resources"] == DEFAULTS["resources"]
    assert (only["name"], only["command"]) == ("job", ["cronops"])
    assert only["image"] == (f"registry.example.com/cronops:0.1.0@{DEFAULTS['image']['digest']}")


def test_a_run_knows_its_schedule_its_slot_and_its_tries() -> None:
    assert values(cronjob()) == {
        "CRONOPS_SCHEDULE": "stock-export",
        "CRONOPS_RUN_ID": "metadata.labels['batch.kubernetes.io/job-name']",
        "CRONOPS_POD__NAME": "metadata.name",
        "CRONOPS_POD__BACKOFF_LIMIT": "2",
        "CRONOPS_TERMINATION_LOG": "/dev/termination-log",
        "HOME": "/tmp",
        "CRONOPS_DATABASE_URL_FILE": "/run/secrets/database/url",
    }


def test_what_the_manifest_itself_says_is_not_overruled() -> None:
    job = cronjob(env={"CRONOPS_SCHEDULE": "other", "HOME": "/root"})
    names = [one["name"] for one in container(job)["env"]]

    assert len(set(names)) == len(names)
    assert (values(job)["CRONOPS_SCHEDULE"], values(job)["HOME"]) == ("stock-export", "/tmp")


def test_secrets_are_files_of_their_own_directories() -> None:
    secrets = {
        "supplier": {"secretName": "cronops-supplier", "key": "password", "defaultMode": 256}
    }
    job = cronjob(secrets=secrets)
    volumes = {one["name"]: one for one in pod_spec(job)["volumes"]}

    assert volumes["secret-database"]["secret"] == {
        "secretName": "cronops-database",
        "defaultMode": 0o440,
        "items": [{"key": "url", "path": "url"}],
    }
    assert volumes["secret-supplier"]["secret"]["defaultMode"] == 256
    assert {"name": "secret-supplier", "mountPath": "/run/secrets/supplier", "readOnly": True} in (
        container(job)["volumeMounts"]
    )


def test_volumes_of_every_kind() -> None:
    volumes = {
        "inbox": {"mountPath": "/inbox", "persistentVolumeClaim": {"claimName": "inbox"}},
        "out": {
            "mountPath": "/out",
            "readOnly": False,
            "subPath": "stock",
            "persistentVolumeClaim": {"claimName": "exports"},
        },
        "rules": {"mountPath": "/rules", "configMap": {"name": "pricing"}},
        "scratch": {"mountPath": "/scratch", "emptyDir": {"sizeLimit": "2Gi"}},
        "memory": {"mountPath": "/memory", "emptyDir": {"medium": "Memory", "sizeLimit": "1e3"}},
        "plain": {"mountPath": "/plain", "emptyDir": {}},
    }
    job = cronjob(volumes=volumes)
    made = {one.pop("name"): one for one in pod_spec(job)["volumes"]}
    mounts = {one.pop("name"): one for one in container(job)["volumeMounts"]}

    assert made["tmp"] == {"emptyDir": {"sizeLimit": "256Mi"}}
    assert made["volume-inbox"] == {"persistentVolumeClaim": {"claimName": "inbox"}}
    assert made["volume-out"] == {"persistentVolumeClaim": {"claimName": "exports"}}
    assert made["volume-rules"] == {"configMap": {"name": "pricing"}}
    assert made["volume-scratch"] == {"emptyDir": {"sizeLimit": "2Gi"}}
    assert made["volume-memory"] == {"emptyDir": {"medium": "Memory", "sizeLimit": "1e3"}}
    assert made["volume-plain"] == {"emptyDir": {}}
    assert mounts["tmp"] == {"mountPath": "/tmp", "readOnly": False}
    assert mounts["volume-inbox"] == {"mountPath": "/inbox", "readOnly": True}
    assert mounts["volume-out"] == {"mountPath": "/out", "subPath": "stock", "readOnly": False}
    assert mounts["volume-scratch"] == {"mountPath": "/scratch", "readOnly": False}


def test_an_entry_may_bring_its_own_temporary_directory() -> None:
    job = cronjob(volumes={"big": {"mountPath": "/tmp", "emptyDir": {"sizeLimit": "5Gi"}}})

    assert [
        one["name"] for one in container(job)["volumeMounts"] if one["mountPath"] == "/tmp"
    ] == ["volume-big"]


def test_two_names_are_two_volumes() -> None:
    empty = {"emptyDir": {}}
    names = ["a.b", "a-b", "a_b", "A-b", "ä", "ö", "x" * 80, "x" * 81]
    job = cronjob(volumes={one: {"mountPath": f"/{n}", **empty} for n, one in enumerate(names)})
    made = [one["name"] for one in pod_spec(job)["volumes"]]

    assert len(set(made)) == len(made) == len(names) + 2


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"suspend": True}, "suspended"),
        (
            {"suspend": {"until": "2027-01-31", "by": 'Jo "J" O\'Neil', "why": "a: b #c\n- d"}},
            'until 2027-01-31 by Jo "J" O\'Neil: a: b #c\n- d',
        ),
        ({"provisional": True}, "provisional: the cadence is not confirmed"),
    ],
)
def test_a_suspended_schedule_says_why(said: Any, why: str) -> None:
    made = cronjob(**said)

    assert made["spec"]["suspend"] is True
    assert made["metadata"]["annotations"]["cronops/suspended"] == why


def test_a_manual_schedule_has_a_time_that_it_never_runs_at() -> None:
    known = jobs(replace(DECLARED, options=frozenset({"--supplier"})))
    made = cronjob(known, schedule=None, manual=True, command="stock export --supplier={supplier}")

    assert (made["spec"]["schedule"], made["spec"]["suspend"]) == ("0 0 1 1 *", True)
    assert container(made)["args"] == ["stock", "export", "--supplier={supplier}"]


@pytest.mark.parametrize("shards", [None, 1, 10, 11, 1000])
def test_the_name_of_the_last_pod_is_one_that_the_api_takes(shards: int | None) -> None:
    made = environment({"name": "s" * 60, "shards": shards}).schedules[0].cronjob
    # A Job's name ends in minutes since 1970; an Indexed Job's pods are called by their index too.
    hostname = f"{made}-29000000" if shards is None else f"{made}-29000000-{shards - 1}"

    assert len(made) <= 52
    assert len(hostname) <= 63
    assert made == environment({"name": "s" * 60, "shards": shards}).schedules[0].cronjob
    assert made != environment({"name": "s" * 61, "shards": shards}).schedules[0].cronjob


def test_nobody_else_can_change_what_a_digest_names() -> None:
    unpinned = {**DEFAULTS, "image": {"repository": "registry.example.com/cronops", "tag": "main"}}
    pinned, loose = cronjob(), cronjob(top={"defaults": unpinned})

    assert container(pinned)["imagePullPolicy"] == "IfNotPresent"
    assert "checkov.io/skip1" not in pinned["metadata"]["annotations"]
    assert container(loose)["imagePullPolicy"] == "Always"
    assert loose["metadata"]["annotations"]["checkov.io/skip1"].startswith("CKV_K8S_43=")


def test_where_a_pod_runs() -> None:
    tolerations = [
        {"key": "batch", "operator": "Exists", "effect": "NoSchedule"},
        {"key": "zone", "value": "1e3", "tolerationSeconds": 0, "effect": "NoExecute"},
    ]
    made = pod_spec(
        cronjob(
            nodeSelector={"disk": "ssd", "arch": "on"},
            tolerations=tolerations,
            priorityClassName="batch",
            imagePullSecrets=[{"name": "registry"}],
        )
    )

    assert made["nodeSelector"] == {"disk": "ssd", "arch": "on"}
    assert made["tolerations"] == [tolerations[0], {"operator": "Equal", **tolerations[1]}]
    assert made["priorityClassName"] == "batch"
    assert made["imagePullSecrets"] == [{"name": "registry"}]
