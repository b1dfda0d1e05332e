from typing import Any

import pytest

from cronops.schedules.resolve import LONGEST_NAME
from cronops.schedules.rules import names
from tests.unit.schedules.builders import ENVIRONMENTS, check, found

PRODUCTION = ENVIRONMENTS["production"]
SECRET = {"secretName": "ftp", "key": "password"}
CLAIM = {"mountPath": "/data/stock", "persistentVolumeClaim": {"claimName": "stock"}}

BROKEN: list[tuple[str, dict[str, Any], str]] = [
    ("schedule-name", {"name": "Stock_Export"}, "call it stock-export"),
    ("schedule-name", {"name": "-stock"}, "call it stock"),
    ("schedule-name", {"name": "stock.export"}, "call it stock-export"),
    ("schedule-name", {"name": "☃"}, "lower-case letters"),
    ("name-too-long", {"name": "a" * 64}, "64 characters"),
    ("name-shortened", {"name": "a" * 53}, "will be called"),
    ("label-syntax", {"labels": {"-team": "shop"}}, "'-team'"),
    ("label-syntax", {"labels": {"Example.com/team": "shop"}}, "DNS name"),
    ("label-syntax", {"labels": {"team": "the shop"}}, "bad value"),
    ("label-syntax", {"labels": {"team": "x" * 64}}, "64 characters"),
    ("annotation-syntax", {"annotations": {"a/b/c": "x"}}, "'a/b/c'"),
    ("annotation-syntax", {"annotations": {"": "x"}}, "key"),
    ("annotation-size", {"annotations": {"notes": "ä " * 100_000}}, "bytes"),
    ("metadata-reserved", {"labels": {"app.kubernetes.io/name": "x"}}, "renderer"),
    ("metadata-reserved", {"labels": {"cronops/schedule": "x"}}, "renderer"),
    ("metadata-reserved", {"labels": {"job-name": "x"}}, "renderer"),
    ("metadata-reserved", {"annotations": {"batch.kubernetes.io/x": "x"}}, "renderer"),
    ("part-name", {"secrets": {"FTP": SECRET}}, "call it ftp"),
    ("part-name", {"secrets": {"tmp": SECRET}}, "/tmp"),
    ("part-name", {"volumes": {"a.b": CLAIM}}, "call it a-b"),
    ("part-name", {"secrets": {"stock": SECRET}, "volumes": {"stock": CLAIM}}, "both"),
    ("part-name", {"egress": {"a b": {"to": [], "ports": []}}}, "call it a-b"),
    ("object-name", {"secrets": {"ftp": {**SECRET, "secretName": "FTP"}}}, "'FTP'"),
    ("object-name", {"secrets": {"ftp": {**SECRET, "key": "a/b"}}}, "'a/b'"),
    ("object-name", {"secrets": {"ftp": {**SECRET, "key": "..data"}}}, "'..data'"),
    (
        "object-name",
        {"volumes": {"s": {**CLAIM, "persistentVolumeClaim": {"claimName": "S_1"}}}},
        "'S_1'",
    ),
    ("object-name", {"volumes": {"s": {"configMap": {"name": "a..b"}}}}, "'a..b'"),
    ("object-name", {"imagePullSecrets": [{"name": "Registry"}]}, "'Registry'"),
    ("node-selector", {"nodeSelector": {"disk": "very fast"}}, "'disk'"),
    ("node-selector", {"nodeSelector": {"a/b/c": "x"}}, "'a/b/c'"),
    ("toleration", {"tolerations": [{"value": "x"}]}, "every taint"),
    ("toleration", {"tolerations": [{"key": "a b"}]}, "'a b'"),
    ("toleration", {"tolerations": [{"key": "a", "operator": "Exists", "value": "x"}]}, "no value"),
    ("toleration", {"tolerations": [{"key": "a", "value": "x y"}]}, "impossible"),
    (
        "toleration",
        {"tolerations": [{"key": "a", "effect": "NoSchedule", "tolerationSeconds": 5}]},
        "NoExecute",
    ),
    ("priority-class", {"priorityClassName": "High"}, "'High'"),
    ("priority-class", {"priorityClassName": "system-node-critical"}, "own pods"),
]
KEPT: list[tuple[str, dict[str, Any]]] = [
    ("schedule-name", {"name": "a1-b2"}),
    ("name-too-long", {"name": "a" * 63}),
    ("name-shortened", {"name": "a" * 52}),
    ("label-syntax", {"labels": {"example.com/Team_1.x": "Shop-1", "empty": ""}}),
    ("annotation-syntax", {"annotations": {"Example.com/team": "the shop & more"}}),
    ("annotation-size", {"annotations": {"notes": "x" * 200_000}}),
    ("metadata-reserved", {"labels": {"example.com/cronops": "x", "cronops-team": "x"}}),
    ("part-name", {"secrets": {"ftp": SECRET}, "volumes": {"stock": CLAIM}}),
    ("object-name", {"secrets": {"ftp": {**SECRET, "secretName": "a.b-c", "key": ".pgpass"}}}),
    ("node-selector", {"nodeSelector": {"kubernetes.io/arch": "amd64"}}),
    (
        "toleration",
        {
            "tolerations": [
                {"operator": "Exists"},
                {"key": "a", "value": "b", "effect": "NoExecute"},
            ]
        },
    ),
    ("priority-class", {"priorityClassName": "batch-low"}),
]
ENVIRONMENTS_BROKEN = [
    ("environment-name", {"Test 1": PRODUCTION}, "call it test-1"),
    ("environment-name", {"x" * 64: PRODUCTION}, "63 characters"),
    ("name-prefix", {"production": {**PRODUCTION, "namePrefix": "Shop-"}}, "write shop-"),
    ("name-prefix", {"production": {**PRODUCTION, "namePrefix": "-"}}, "cannot begin"),
    ("name-prefix", {"production": {**PRODUCTION, "namePrefix": "p" * 33}}, "leaves 19 of 52"),
    ("name-prefix", {"production": {**PRODUCTION, "namePrefix": "p" * 99}}, "leaves 0 of 52"),
    ("namespace", {"production": {"namespace": "Shop_1"}}, "call it shop-1"),
    ("namespace-shared", {"production": {"namespace": "default"}}, "'default'"),
    ("namespace-shared", {"production": {"namespace": "kube-system"}}, "'kube-system'"),
]


@pytest.mark.parametrize(("rule", "said", "told"), BROKEN)
def test_a_schedule_that_breaks_a_rule(rule: str, said: dict[str, Any], told: str) -> None:
    [finding, *_] = found(check(said), rule)

    assert told in f"{finding.message}; {finding.instead}"
    assert finding.position.line > 1


@pytest.mark.parametrize(("rule", "said"), KEPT)
def test_a_schedule_that_keeps_a_rule(rule: str, said: dict[str, Any]) -> None:
    assert found(check(said), rule) == []


@pytest.mark.parametrize(("rule", "environments", "told"), ENVIRONMENTS_BROKEN)
def test_an_environment_that_breaks_a_rule(
    rule: str, environments: dict[str, Any], told: str
) -> None:
    [finding] = found(check(environments=environments), rule)

    assert told in f"{finding.message}; {finding.instead}"


def test_an_environment_that_keeps_the_rules() -> None:
    longest = "p" * (LONGEST_NAME - 20)
    environments = {
        "test-1": {**PRODUCTION, "namePrefix": longest},
        "production": {**PRODUCTION, "namespace": "kubernetes", "namePrefix": "shop-"},
    }

    report = check(environments=environments)

    ours = {"environment-name", "name-prefix", "namespace", "namespace-shared"}
    assert [finding for finding in report.findings if finding.rule in ours] == []


def test_every_rule_is_broken_here() -> None:
    told = {rule for rule, *_ in BROKEN} | {rule for rule, *_ in ENVIRONMENTS_BROKEN}

    assert told == {rule.id for rule in names.RULES}


def test_what_the_api_would_reject_cannot_be_waived() -> None:
    waivable = {rule.id for rule in names.RULES if rule.waivable}

    assert waivable == {"name-shortened", "namespace-shared"}
