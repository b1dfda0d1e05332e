"""Findings as people, programs and GitHub's log read them."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from cronops.cli.output import note, paint, print_line, printable

if TYPE_CHECKING:
    from cronops.schedules.findings import Finding
    from cronops.schedules.validate import Report

_COLOURS = {"error": "red", "warning": "yellow", "note": "blue", "waived": "dim"}
# A command whose result is something else says what is wrong, and no novel.
_MOST_IN_PASSING = 20
# Letters of a message: a value of a megabyte is told by its beginning. JSON has all of it.
_LONGEST = 1000
_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def show_findings(name: str, report: "Report", *, errors_only: bool = False) -> None:
    """A line for each finding and one for the advice, in the order of the file.

    With `errors_only`, on stderr: for a command whose own result is something else.
    """
    say = note if errors_only else print_line
    findings = list(report.findings)
    if errors_only:
        findings = [one for one in findings if one.severity == "error" and one.waived is None]
    for finding in findings[: _MOST_IN_PASSING if errors_only else None]:
        kind = "waived" if finding.waived is not None else finding.severity.value
        place = f"{name}:{finding.position.line}:{finding.position.column}"
        coloured = paint(f"{kind} {finding.rule}", _COLOURS[kind], errors=errors_only)
        say(f"{printable(place)}: {coloured}: {printable(_sentence(finding, report))}")
        advice = f"waived: {finding.waived}" if finding.waived is not None else finding.instead
        if advice:
            say(f"    {printable(_cut(advice))}")
    if errors_only and len(findings) > _MOST_IN_PASSING:
        rest = len(findings) - _MOST_IN_PASSING
        say(f"and {rest} more errors; see: cronops schedules validate")


def show_annotations(name: str, report: "Report") -> None:
    """Commands that GitHub turns into remarks beside the changed lines."""
    for finding in report.findings:
        if finding.waived is not None:
            continue
        properties = {
            "file": printable(name),
            "line": finding.position.line,
            "col": finding.position.column,
            "title": finding.rule,
        }
        listed = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
        text = _sentence(finding, report)
        lines = [text, _cut(finding.instead)] if finding.instead else [text]
        text = "\n".join(map(printable, lines))
        print_line(f"::{_COMMANDS[finding.severity.value]} {listed}::{_data(text)}")


def summary(report: "Report") -> str:
    """``2 schedules in 3 environments: no error, 1 warning, 2 provisional``."""
    counts = _counts(report)
    parts = [
        _number(counts["error"], "error"),
        _number(counts["warning"], "warning"),
        *([_number(counts["note"], "note")] if counts["note"] else []),
        *([f"{counts['waived']} waived"] if counts["waived"] else []),
    ]
    provisional = len(provisional_schedules(report))
    if provisional:
        parts.append(f"{provisional} provisional")
    if report.document is None:
        return f"the file cannot be read any further: {', '.join(parts)}"
    schedules = _number(len(report.document.schedules), "schedule")
    environments = _number(len(report.environments), "environment")
    return f"{schedules} in {environments}: {', '.join(parts)}"


def provisional_schedules(report: "Report") -> list[dict[str, Any]]:
    """Cadences that nobody has confirmed: name, schedule and line."""
    if report.document is None or report.source is None:
        return []
    return [
        {
            "name": entry.name,
            "schedule": entry.schedule,
            "line": report.source.position(("schedules", index)).line,
        }
        for index, entry in enumerate(report.document.schedules)
        if entry.provisional and entry.confirmed is None and not entry.manual
    ]


def report_record(name: str, report: "Report") -> dict[str, Any]:
    """A check as ``--json`` shows it; scripts rely on these names."""
    counts = _counts(report)
    return {
        "file": name,
        "valid": report.is_valid,
        "errors": counts["error"],
        "warnings": counts["warning"],
        "notes": counts["note"],
        "waived": counts["waived"],
        "schedules": len(report.document.schedules) if report.document else 0,
        "environments": list(report.environments),
        "provisional": provisional_schedules(report),
        "findings": [
            {
                "rule": finding.rule,
                "severity": finding.severity.value,
                "line": finding.position.line,
                "column": finding.position.column,
                "path": list(finding.path),
                "schedule": finding.schedule,
                "environments": finding.environments,
                "message": finding.message,
                "instead": finding.instead,
                "waived": finding.waived,
            }
            for finding in report.findings
        ],
    }


def _sentence(finding: "Finding", report: "Report") -> str:
    schedule = f"{finding.schedule}: " if finding.schedule else ""
    everywhere = not finding.environments or len(finding.environments) == len(report.environments)
    where = "" if everywhere else f" (in {', '.join(finding.environments)})"
    return f"{_cut(f'{schedule}{finding.message}')}{where}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _counts(report: "Report") -> Counter[str]:
    return Counter(
        "waived" if finding.waived is not None else finding.severity.value
        for finding in report.findings
    )


def _number(count: int, noun: str) -> str:
    """``no error``, ``1 error``, ``2 errors``."""
    return f"{count or 'no'} {noun}{'s' if count > 1 else ''}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
