"""The whole check: stages, joined findings, waivers; and that nothing in a file ever raises."""

import json
from copy import deepcopy
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cronops.schedules.rules import RULES
from cronops.schedules.rules.structural import STRUCTURAL
from cronops.schedules.validate import Report, validate
from tests.unit.schedules.builders import (
    DEFAULTS,
    TODAY,
    check,
    errors,
    found,
    jobs,
    text_of,
    values,
    written,
)

TWO = {"staging": {"namespace": "staging"}, "production": {"namespace": "production"}}
TWICE = {"schedule": "30 2 * * *"}
REASON = "two runs of an export do no harm"


def test_a_good_file_is_valid() -> None:
    report = check()

    assert report.is_valid
    assert errors(report) == []
    assert list(report.environments) == ["production"]


def test_a_file_that_cannot_be_read_has_no_document() -> None:
    of_text = validate(b"", jobs(), today=TODAY)
    of_shape = validate(b"version: 1", jobs(), today=TODAY)

    assert (of_text.source, of_text.document, of_text.is_valid) == (None, None, False)
    assert (of_shape.document, of_shape.is_valid) == (None, False)
    assert of_shape.source is not None


def test_an_unknown_environment_is_one_finding() -> None:
    report = validate(written(environments=TWO), jobs(), environment="prodution", today=TODAY)

    [finding] = report.findings
    assert finding.rule == "unknown-environment"
    assert finding.instead == "did you mean 'production'?"


def test_one_environment_may_be_checked_alone() -> None:
    report = validate(written(TWICE, environments=TWO), jobs(), environment="staging", today=TODAY)

    assert list(report.environments) == ["staging"]
    assert found(report, "dst-twice")[0].environments == ("staging",)


def test_what_is_found_in_several_environments_is_told_once() -> None:
    [finding] = found(check(TWICE, environments=TWO), "dst-twice")

    assert finding.environments == ("staging", "production")
    assert finding.schedule == "stock-export"


def test_what_defaults_do_to_many_schedules_is_told_once() -> None:
    several = [{"name": f"stock-export-{n}"} for n in range(5)]
    report = check(*several, defaults={**DEFAULTS, "timeZone": "Europe/Brussel"})

    [finding] = found(report, "time-zone")
    assert finding.message.endswith("(for stock-export-0 and 4 more)")
    assert finding.path == ("defaults", "timeZone")
    assert finding.schedule is None


def test_findings_stand_in_the_order_of_the_file() -> None:
    report = check({"name": "a", "schedule": "61 * * * *"}, {"name": "b"}, {"name": "a"}, zone=None)

    positions = [finding.position for finding in report.findings]
    assert positions == sorted(positions)


def test_ids_are_unique_lower_case_words_and_explained() -> None:
    rows = [*RULES, *STRUCTURAL]
    ids = [row.id for row in rows]

    assert len(ids) == len(set(ids))
    for row in rows:
        assert set(row.id) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
        assert row.title
        assert row.why
        # A fragment: the listing and the findings write it behind what is wrong.
        assert not row.instead[:1].isupper()
        assert row.instead.rstrip(".") == row.instead != ""


# Waivers


def waived(*waivers: dict[str, str], **said: Any) -> Report:
    return check({**TWICE, "waivers": list(waivers), **said})


def test_a_waiver_with_a_reason_lets_a_rule_be_broken() -> None:
    report = waived({"rule": "dst-twice", "reason": REASON})

    assert found(report, "dst-twice")[0].waived == REASON
    assert report.is_valid


@pytest.mark.parametrize(
    "top",
    [
        {"defaults": {**DEFAULTS, "waivers": [{"rule": "dst-twice", "reason": REASON}]}},
        {
            "environments": {
                "production": {
                    "namespace": "a",
                    "waivers": [{"rule": "dst-twice", "reason": REASON}],
                }
            }
        },
    ],
)
def test_waivers_may_stand_wherever_a_schedule_takes_its_fields_from(top: dict[str, Any]) -> None:
    report = check({**TWICE, "waivers": []}, **top)

    assert found(report, "dst-twice")[0].waived == REASON
    assert not found(report, "waiver-unused")


def test_a_waiver_for_one_environment_holds_only_there() -> None:
    here = {"production": {"waivers": [{"rule": "dst-twice", "reason": REASON}]}}
    report = check({**TWICE, "environments": here}, environments=TWO)

    by_environment = {one.environments: one.waived for one in found(report, "dst-twice")}
    assert by_environment == {("production",): REASON, ("staging",): None}


def test_a_schedules_waiver_holds_for_rules_about_all_of_them() -> None:
    first, second = {"name": "a"}, {"name": "b"}
    waiver = {"rule": "lock-overlap", "reason": "the second one is allowed to skip"}
    report = check(first, {**second, "waivers": [waiver]})

    assert found(report, "lock-overlap")[0].waived == waiver["reason"]


@pytest.mark.parametrize(
    ("waiver", "rule", "told"),
    [
        ({"rule": "dst-twise", "reason": REASON}, "waiver-unknown", "'dst-twice'"),
        ({"rule": "cron-syntax", "reason": REASON}, "waiver-refused", "take the waiver out"),
        ({"rule": "unknown-key", "reason": REASON}, "waiver-refused", "take the waiver out"),
        ({"rule": "dst-twice", "reason": "just so"}, "waiver-unexplained", "10 letters"),
        ({"rule": "dst-twice", "reason": " " * 20}, "waiver-unexplained", "10 letters"),
    ],
)
def test_a_waiver_that_cannot_hold_is_an_error_and_waives_nothing(
    waiver: dict[str, str], rule: str, told: str
) -> None:
    report = waived(waiver)

    assert sorted(errors(report)) == sorted(["dst-twice", rule])
    [finding] = found(report, rule)
    assert told in finding.instead
    assert finding.path[:4] == ("schedules", 0, "waivers", 0)
    assert finding.position.line > 1


def test_what_the_api_rejects_cannot_be_waived() -> None:
    report = waived({"rule": "cron-syntax", "reason": REASON}, schedule="61 * * * *")

    assert found(report, "cron-syntax")[0].waived is None
    assert not report.is_valid


def test_a_needless_waiver_is_a_warning() -> None:
    report = check({"waivers": [{"rule": "dst-twice", "reason": REASON}]})

    assert [one.severity for one in found(report, "waiver-unused")] == ["warning"]
    assert report.is_valid


def test_whether_a_waiver_is_needed_is_known_when_all_environments_were_checked() -> None:
    text = written({"waivers": [{"rule": "dst-twice", "reason": REASON}]}, environments=TWO)
    report = validate(text, jobs(), environment="staging", today=TODAY)

    assert not found(report, "waiver-unused")


# Nothing raises

SAMPLE = values(
    {
        "suspend": {"until": "2027-01-31", "by": "me", "why": "the partner moves"},
        "environments": {"production": {"schedule": "5 4 * * 1-5", "shards": 2}},
        "volumes": {"in": {"mountPath": "/in", "persistentVolumeClaim": {"claimName": "in"}}},
        "waivers": [{"rule": "dst-twice", "reason": REASON}],
        "env": {"A": "b"},
        "tolerations": [{"key": "a", "operator": "Exists"}],
    },
    {"name": "other", "manual": True, "schedule": None, "command": "stock export --supplier={s}"},
    {"name": "third", "schedule": "@daily", "provisional": True, "confirmed": None},
    unscheduled=[{"cr": "CR-009", "why": "nobody wants it"}],
    environments={
        "production": {
            "namespace": "cronops",
            "severity": "critical",
            "migration": {"activeDeadlineSeconds": 600},
        }
    },
)
ODD = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="ascii", exclude_characters="\x7f"), max_size=20)
    | st.sampled_from(
        [
            *("", "*", "@daily", "CRON_TZ=UTC * * * * *", "0 0 31 2 *", "29 23 29 2 *", "{x}", "'"),
            *("Local", "localtime", "..", "/", "Europe/Brussels", "US/Eastern", "sha256:", "100m"),
            *("2027-02-30", "0001-01-01", "9999-12-31", "-1", "1Ei", "<<", "plain", "a" * 300),
        ]
    )
    | st.sampled_from([[], {}, [[]], [{}], {"": {}}, {"suspend": {"plain": 1}}])
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [path, *(found for key, below in inner for found in paths(below, (*path, key)))]


PATHS = paths(SAMPLE)[1:]


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, Any]:
    """A file with some of its nodes replaced, taken out, doubled or renamed."""
    document = deepcopy(SAMPLE)
    for path in draw(st.lists(st.sampled_from(PATHS), min_size=1, max_size=4)):
        parent: Any = document
        try:
            for step in path[:-1]:
                parent = parent[step]
            last = path[-1]
            match draw(st.sampled_from(["replace", "delete", "double", "rename"])):
                case "replace":
                    parent[last] = draw(ODD)
                case "delete":
                    del parent[last]
                case "double" if isinstance(parent, list):
                    parent.insert(last, deepcopy(parent[last]))
                case "rename" if isinstance(parent, dict):
                    parent[draw(st.text(max_size=5))] = parent.pop(last)
                case _:
                    parent[last] = [parent[last]]
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took it away
    return document


@settings(max_examples=200)
@given(damaged(), st.dates(date(1950, 1, 1), date(2200, 1, 1)))
def test_no_value_anywhere_raises(document: dict[str, Any], today: date) -> None:
    report = validate(text_of(document), jobs(), today=today)

    for finding in report.findings:
        assert finding.message
        assert finding.rule
        assert len(finding.message) < 1000


@settings(max_examples=300)
@given(st.data())
def test_no_bytes_raise(data: st.DataObject) -> None:
    text = bytearray(json.dumps(SAMPLE, indent=1).encode())
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(text) - 1))
        length = data.draw(st.integers(0, 5))
        text[at : at + length] = data.draw(st.binary(max_size=5))

    assert isinstance(validate(bytes(text), jobs(), today=TODAY), Report)


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ({"command": "stock exprt"}, "command-unknown"),
        ({"command": "stock export --suplier=1"}, "command-option"),
        ({"cr": "CR-999"}, "cr-unknown"),
        ({"timeZone": "Europe/Brussel"}, "time-zone"),
        ({"backoffLimit": "many"}, "wrong-type"),
        ({"shedule": "* * * * *"}, "unknown-key"),
    ],
)
def test_one_mistake_is_one_error(said: dict[str, Any], rule: str) -> None:
    assert errors(check(said)) == [rule]


def test_two_schedules_with_one_name_are_one_error_that_names_both_lines() -> None:
    report = check({}, {"schedule": "27 * * * *"})

    [rule] = errors(report)
    [finding] = found(report, "name-duplicate")
    assert rule == "name-duplicate"
    [first] = [one for one in (f"line {n})" for n in range(1, 200)) if one in finding.message]
    assert int(first[5:-1]) < finding.position.line
