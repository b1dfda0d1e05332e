"""A file of the wrong shape: every misfit at once, where it stands, and what to write."""

from copy import deepcopy
from datetime import date
from typing import Any

import pytest

from cronops.schedules.findings import Finding, InvalidSchedules
from cronops.schedules.source import read_source
from cronops.schedules.structure import MOST, read_document
from tests.unit.schedules.builders import SCHEDULE, text_of, values


def misfits(text: str | bytes) -> tuple[Finding, ...]:
    raw = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(InvalidSchedules) as refused:
        read_document(read_source(raw))
    return refused.value.findings


def misfit_of(said: dict[str, Any]) -> Finding:
    [finding] = misfits(text_of(values(said)))
    return finding


def entry(*lines: str) -> str:
    head = "version: 1\nenvironments: {production: {namespace: cronops}}\nschedules:\n"
    return (
        head
        + "  - name: a\n    cr: CR-001\n    command: a b\n"
        + "".join(f"    {line}\n" for line in lines)
    )


def test_what_fits_is_read() -> None:
    document = read_document(
        read_source(entry("suspend: {until: 2027-01-31, by: me, why: so}").encode())
    )

    [schedule] = document.schedules
    assert schedule.suspend is not None
    assert schedule.suspend.until == date(2027, 1, 31)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("said", "rule", "told", "instead"),
    [
        ({"timezone": "x"}, "unknown-key", "'timezone'", "'timeZone'"),
        ({"time_zone": "x"}, "unknown-key", "'time_zone'", "'timeZone'"),
        ({"zzz": 1}, "unknown-key", "schedules[0] knows no key 'zzz'", "command"),
        ({"image": {"tga": "1"}}, "unknown-key", "schedules[0].image knows no key 'tga'", "'tag'"),
        ({"egress": {"a": {"to": [], "ports": [], "x": 1}}}, "unknown-key", "egress.a", "ports"),
        ({"volumes": {"a": {"nfs": {}}}}, "unknown-key", "'nfs'", "persistentVolumeClaim"),
        ({"cr": None}, "missing-key", "schedules[0] has no 'cr'", "add cr"),
        ({"schedule": 5}, "wrong-type", "is 5, where text", 'in quotes: "5"'),
        ({"image": {"tag": 0.5}}, "wrong-type", "is 0.5, where text", 'in quotes: "0.5"'),
        ({"env": {"A": True}}, "wrong-type", "is true, where text", 'in quotes: "true"'),
        ({"command": ["a", "b"]}, "wrong-type", "is a list, where text", "write text"),
        ({"backoffLimit": "3"}, "wrong-type", "the text '3', where a whole", "without quotes: 3"),
        ({"backoffLimit": 1.5}, "wrong-type", "is 1.5, where a whole", "write a whole number"),
        ({"backoffLimit": True}, "wrong-type", "is true, where a whole", "write a whole number"),
        ({"manual": "yes"}, "wrong-type", "'yes', where true or false", "as true, without quotes"),
        ({"manual": 1}, "wrong-type", "is 1, where true or false", "write true or false"),
        ({"env": []}, "wrong-type", "is a list, where a mapping", "'key: value'"),
        ({"waivers": {}}, "wrong-type", "is a mapping, where a list", "hyphen"),
        ({"suspend": "yes"}, "wrong-type", "suspend is the text 'yes'", "as true"),
        (
            {"suspend": {"by": "me", "why": "x", "until": 2027}},
            "wrong-type",
            "a date",
            "2027-01-31",
        ),
        ({"suspend": {"by": "me", "why": "x", "until": "soon"}}, "bad-value", "no date", "2027-"),
        ({"suspend": {"by": "me", "why": "x"}}, "missing-key", "suspend has no 'until'", "add"),
        ({"backoffLimit": -1}, "bad-value", "is -1, which is too low", "the least is 0"),
        ({"backoffLimit": 2**31}, "bad-value", "too high", "the most is 100"),
        ({"command": ""}, "bad-value", "command is empty", "leave the key out"),
        ({"severity": "critcal"}, "bad-value", "'critcal'", "critical"),
        ({"severity": "zzz"}, "bad-value", "'zzz'", "critical, or warning, or info"),
        ({"severity": 3}, "wrong-type", "is 3, where text", "quotes"),
    ],
)
def test_one_misfit_is_one_finding(
    said: dict[str, Any], rule: str, told: str, instead: str
) -> None:
    finding = misfit_of(said)

    assert finding.rule == rule
    assert told in finding.message
    assert instead in finding.instead
    assert finding.schedule == SCHEDULE["name"]


@pytest.mark.parametrize(
    ("version", "rule"),
    [("2", "bad-value"), ("'1'", "wrong-type"), ("true", "wrong-type"), ("1.0", "wrong-type")],
)
def test_only_version_1_is_known(version: str, rule: str) -> None:
    [finding] = misfits(
        f"version: {version}\nenvironments: {{a: {{namespace: a}}}}\nschedules: []\n"
    )

    assert finding.rule == rule
    assert "1" in finding.instead


def test_a_number_is_told_as_it_was_written() -> None:
    [finding] = misfits(entry("image: {tag: 0.10}"))

    assert '"0.10"' in finding.instead


def test_an_unknown_key_is_shown_where_it_stands() -> None:
    [finding] = misfits(entry("timezone: Europe/Brussels"))

    assert (finding.position.line, finding.position.column) == (7, 5)


def test_a_missing_key_is_shown_at_its_mapping() -> None:
    [finding] = misfits(entry("suspend:", "  by: me", "  why: so"))

    assert (finding.position.line, finding.position.column) == (8, 7)


def test_empty_mappings_are_told() -> None:
    [finding] = misfits("version: 1\nenvironments:\nschedules: []\n")

    assert finding.rule == "wrong-type"
    assert finding.message == "environments is empty, where a mapping is wanted"


def test_an_environment_at_least() -> None:
    [finding] = misfits("version: 1\nenvironments: {}\nschedules: []\n")

    assert finding.rule == "bad-value"


@pytest.mark.parametrize("branch", ["plain", "reasoned"])
def test_pydantics_own_names_are_not_shown_and_the_files_are(branch: str) -> None:
    [unknown] = misfits(entry(f"suspend: {{until: 2027-01-31, by: me, why: so, {branch}: 1}}"))
    [of_volume] = misfits(entry(f"volumes: {{suspend: {{{branch}: 1}}}}"))

    assert unknown.path == ("schedules", 0, "suspend", branch)
    assert of_volume.path == ("schedules", 0, "volumes", "suspend", branch)
    assert misfits(entry("suspend: 5"))[0].path == ("schedules", 0, "suspend")


def test_all_misfits_are_told_at_once_in_the_order_of_the_file() -> None:
    found = misfits(
        "version: '1'\nenvironments:\n  production: {}\nschedules:\n"
        "  - name: 5\n    cr: CR-001\n    comand: x\n  - 7\nfoo: 1\n"
    )

    assert [(one.rule, one.position.line) for one in found] == [
        ("wrong-type", 1),
        ("missing-key", 3),
        ("missing-key", 5),
        ("wrong-type", 5),
        ("unknown-key", 7),
        ("wrong-type", 8),
        ("unknown-key", 9),
    ]


def test_a_hundred_misfits_are_enough() -> None:
    found = misfits(entry(*(f"key{n}: 1" for n in range(MOST + 7))))

    assert len(found) == MOST + 1
    assert found[-1].rule == "more-findings"
    assert found[-1].message == "and 7 more like these"


def test_a_value_is_not_shown_at_length() -> None:
    finding = misfit_of({"severity": "x" * 10_000})

    assert len(finding.message) < 200


def test_the_builders_break_nothing() -> None:
    document = read_document(read_source(text_of(deepcopy(values()))))

    assert document.schedules[0].name == "stock-export"


@pytest.mark.parametrize(
    "said",
    [
        {"secrets": {"database": "hunter2-hunter2"}},
        {"env": {"DB_PASSWORD": 1234567890123}},
        {"annotations": {"example.com/token": 1234567890123}},
        {"backoffLimit": "postgresql://app:hunter2@db/x"},
        {"suspend": "ghp_a1B2c3D4e5F6g7H8i9J0k1L2"},
    ],
)
def test_what_may_be_a_secret_is_not_repeated(said: dict[str, Any]) -> None:
    finding = misfit_of(said)

    assert "what may be a secret" in finding.message
    for secret in ("hunter2", "1234567890123", "ghp_"):
        assert secret not in finding.message + finding.instead
