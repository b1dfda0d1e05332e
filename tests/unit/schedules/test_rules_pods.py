from dataclasses import replace
from typing import Any

import pytest

from cronops.schedules.rules import pods
from tests.unit.schedules.builders import DECLARED, DEFAULTS, ENVIRONMENTS, check, found, jobs

PRODUCTION = ENVIRONMENTS["production"]
SCRATCH = {"mountPath": "/scratch"}
SHARDED = replace(DECLARED, options=frozenset({"--shard"}))


def _resources(**limits: str) -> dict[str, Any]:
    return {"resources": {"limits": {key.replace("_", "-"): text for key, text in limits.items()}}}


def _image(**said: str | None) -> dict[str, Any]:
    return {"image": said}


BROKEN: list[tuple[str, dict[str, Any], str]] = [
    ("concurrency-policy", {"concurrencyPolicy": "forbid"}, "write Forbid"),
    ("concurrency-policy", {"concurrencyPolicy": "Never"}, "'Never'"),
    ("concurrency-overlap", {"concurrencyPolicy": "Allow"}, "beside"),
    ("concurrency-overlap", {"environments": {"production": {"concurrencyPolicy": None}}}, "null"),
    ("concurrency-overlap", {"concurrencyPolicy": "Replace"}, "kills"),
    ("restart-policy", {"restartPolicy": "Always"}, "not possible"),
    ("restart-policy", {"restartPolicy": "OnFailure"}, "podFailurePolicy"),
    ("restart-policy", {"restartPolicy": "never"}, "'never'"),
    ("backoff-limit", {"backoffLimit": 7}, "6 at most"),
    ("grace", {"terminationGracePeriodSeconds": 39}, "may need 40 s"),
    ("history-limit", {"failedJobsHistoryLimit": 3}, "keep alerting"),
    ("history-limit", {"failedJobsHistoryLimit": 0}, "nothing to look at"),
    ("history-limit", {"successfulJobsHistoryLimit": 11}, "10 at most"),
    ("startup", {"startupSeconds": 9}, "too few"),
    ("startup", {"startupSeconds": 901}, "very many"),
    ("shards", {"shards": 2}, "takes no --shard"),
    ("quantity", _resources(memory="1GB"), "write 1Gi"),
    ("quantity", _resources(memory="100M i"), "write 100Mi"),
    ("quantity", _resources(memory="512m"), "write 512Mi"),
    ("quantity", _resources(memory="0.3"), "fraction of a byte"),
    ("quantity", _resources(memory="-1"), "nothing"),
    ("quantity", _resources(cpu="0"), "write 500m"),
    ("quantity", _resources(cpu="0.5m"), "thousandth"),
    ("quantity", _resources(cpu="two"), "write 500m"),
    ("quantity", {"volumes": {"s": {**SCRATCH, "emptyDir": {"sizeLimit": "1gb"}}}}, "write 1Gi"),
    ("resource-name", _resources(ram="1Gi"), "'ram'"),
    ("resource-name", _resources(**{"nvidia.com/a b": "1"}), "'nvidia.com/a b'"),
    ("resources-missing", {"resources": {"limits": {"cpu": None}}}, "limits.cpu"),
    (
        "resources-missing",
        {"resources": {"requests": {"ephemeral-storage": None}}},
        "requests.ephemeral-storage",
    ),
    ("limit-below-request", _resources(memory="127Mi"), "128Mi"),
    ("limit-below-request", _resources(cpu="0.09"), "100m"),
    ("scratch-size", {"volumes": {"s": {**SCRATCH, "emptyDir": {}}}}, "no size"),
    ("scratch-size", {"volumes": {"s": {**SCRATCH, "emptyDir": {"sizeLimit": "256Mi"}}}}, "256"),
    (
        "scratch-size",
        {
            "volumes": {
                "a": {"mountPath": "/a", "emptyDir": {"sizeLimit": "200Mi"}},
                "b": {"mountPath": "/b", "emptyDir": {"sizeLimit": "200Mi"}},
            }
        },
        "400 MiB",
    ),
    (
        "scratch-size",
        {"volumes": {"s": {**SCRATCH, "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}}}},
        "memory",
    ),
    ("image-name", _image(repository="https://registry.example.com/cronops"), "URL"),
    ("image-name", _image(repository="registry.example.com/cronops:1.0"), "as tag"),
    ("image-name", _image(repository="registry.example.com/cronops@sha256:1"), "as digest"),
    ("image-name", _image(repository="registry.example.com/CronOps"), "lower case"),
    ("image-name", _image(repository="a" * 256), "256 characters"),
    ("image-name", _image(repository=None), "no image's repository"),
    ("image-name", _image(tag="1.0/2"), "'1.0/2'"),
    ("image-name", _image(tag="1." + "0" * 70), "label"),
    ("image-name", _image(tag="1.0-"), "label"),
    ("image-name", _image(digest="sha256:ABC"), "64 hexadecimal"),
    ("image-name", _image(digest="sha512:" + "0" * 128), "64 hexadecimal"),
    ("image-tag", _image(tag="latest"), "'latest'"),
    ("image-tag", _image(tag=None), "no tag"),
    ("image-digest", _image(digest=None), "no digest"),
    ("image-digest", _image(digest="sha256:" + "0" * 64), "placeholder"),
]
KEPT: list[tuple[str, dict[str, Any]]] = [
    ("concurrency-policy", {"concurrencyPolicy": "Forbid"}),
    ("concurrency-overlap", {}),
    ("restart-policy", {"restartPolicy": "Never"}),
    ("backoff-limit", {"backoffLimit": 6}),
    ("grace", {"terminationGracePeriodSeconds": 40}),
    ("history-limit", {"failedJobsHistoryLimit": 1, "successfulJobsHistoryLimit": 10}),
    ("startup", {"startupSeconds": 10}),
    ("startup", {"startupSeconds": 900}),
    ("shards", {}),
    ("quantity", _resources(cpu="1e3", memory="1.5Gi", ephemeral_storage="1e9")),
    ("quantity", {"resources": {"limits": {"cpu": 2}}}),
    ("resource-name", _resources(**{"nvidia.com/gpu": "1", "hugepages-2Mi": "4Mi"})),
    ("resources-missing", {"resources": {"limits": {"cpu": "2"}}}),
    ("limit-below-request", _resources(memory="128Mi", cpu="0.1")),
    ("scratch-size", {"volumes": {"s": {**SCRATCH, "emptyDir": {"sizeLimit": "255Mi"}}}}),
    ("image-name", _image(repository="localhost:5000/a/b_c", tag="1.0-rc_1")),
    ("image-name", _image(repository="cronops")),
    ("image-tag", _image(tag="0.1.0-latest")),
]


@pytest.mark.parametrize(("rule", "said", "told"), BROKEN)
def test_a_schedule_that_breaks_a_rule(rule: str, said: dict[str, Any], told: str) -> None:
    findings = found(check(said), rule)

    assert findings
    assert told in f"{findings[0].message}; {findings[0].instead}"


@pytest.mark.parametrize(("rule", "said"), KEPT)
def test_a_schedule_that_keeps_a_rule(rule: str, said: dict[str, Any]) -> None:
    assert found(check(said), rule) == []


def test_the_deadline_is_held_against_the_sum_that_is_shown() -> None:
    # 3 pods of 300 + 40 + 60 seconds, and 10 + 20 seconds between them
    [finding] = found(check({"activeDeadlineSeconds": 1229}), "deadline-budget")

    assert "3 pods of (300 s timeout + 40 s grace + 60 s start-up)" in finding.message
    assert finding.message.endswith("+ 30 s between them = 1230 s")
    assert "1230" in finding.instead
    assert found(check({"activeDeadlineSeconds": 1230}), "deadline-budget") == []


def test_the_deadline_of_one_pod_counts_the_wait_for_the_lock() -> None:
    known = jobs(replace(DECLARED, retry_safe=False, lock_wait=30))

    [finding] = found(check({"activeDeadlineSeconds": 429}, known=known), "deadline-budget")

    assert "30 s for the lock + 300 s timeout + 40 s grace + 60 s start-up = 430" in finding.message


def test_a_job_that_is_not_safe_to_repeat_is_not_repeated() -> None:
    known = jobs(replace(DECLARED, retry_safe=False))

    [finding] = found(check({"backoffLimit": 1}, known=known), "backoff-limit")

    assert "'stock export' is not safe to repeat" in finding.message
    assert found(check({"backoffLimit": 0}, known=known), "backoff-limit") == []
    assert found(check({}, known=known), "backoff-limit") == []


def test_a_command_that_never_ends_is_no_job() -> None:
    known = jobs(replace(DECLARED, timeout=None))

    [finding] = found(check(known=known), "endless-command")

    assert "never ends" in finding.message
    assert found(check(), "endless-command") == []


def test_work_is_divided_where_the_command_can_be_told_its_part() -> None:
    known = jobs(SHARDED)

    assert found(check({"shards": 2}, known=known), "shards") == []
    [one] = found(check({"shards": 1}, known=known), "shards")
    [twice] = found(
        check({"shards": 2, "command": "stock export --shard=1/2"}, known=known), "shards"
    )
    assert "no division" in one.message
    assert "leave out --shard" in twice.instead


def test_only_production_must_name_a_digest() -> None:
    report = check(_image(digest=None), environments={"staging": PRODUCTION})

    assert found(report, "image-digest") == []


def test_a_placeholder_digest_is_no_error() -> None:
    report = check(_image(digest="sha256:" + "0" * 64))

    assert report.is_valid
    assert [one.severity for one in found(report, "image-digest")] == ["warning"]


def test_what_is_said_once_is_told_once_and_there() -> None:
    defaults = {**DEFAULTS, "concurrencyPolicy": "forbid"}
    environments = {"staging": PRODUCTION, "production": PRODUCTION}

    report = check({"name": "a"}, {"name": "b"}, defaults=defaults, environments=environments)

    [finding] = found(report, "concurrency-policy")
    assert finding.path == ("defaults", "concurrencyPolicy")
    assert finding.environments == ("staging", "production")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("limit-below-request", _resources(memory="64Mi")),
        ("image-digest", _image(digest=None)),
        ("secret-inline", {"env": {"FTP_PASSWORD": "hunter2"}}),
        ("label-syntax", {"labels": {"-": "x"}}),
    ],
)
def test_the_migration_keeps_the_same_rules(rule: str, said: dict[str, Any]) -> None:
    report = check(environments={"production": {**PRODUCTION, "migration": said}})

    [finding] = found(report, rule)
    assert finding.path[:3] == ("environments", "production", "migration")
    assert not report.is_valid


def test_the_migration_waives_a_rule_like_a_schedule() -> None:
    reason = "the migration needs but a second of a core"
    said = {
        "resources": {"limits": {"cpu": None}},
        "waivers": [{"rule": "resources-missing", "reason": reason}],
    }

    report = check(environments={"production": {**PRODUCTION, "migration": said}})

    assert report.is_valid
    assert [one.waived for one in found(report, "resources-missing")] == [reason]


def test_every_rule_is_broken_here() -> None:
    alone = {"deadline-budget", "endless-command"}

    assert {rule for rule, *_ in BROKEN} | alone == {rule.id for rule in pods.RULES}


def test_what_the_api_would_reject_cannot_be_waived() -> None:
    refused = {rule.id for rule in pods.RULES if not rule.waivable}

    assert refused == {
        "concurrency-policy",
        "image-name",
        "limit-below-request",
        "quantity",
        "resource-name",
        "restart-policy",
        "shards",
    }
