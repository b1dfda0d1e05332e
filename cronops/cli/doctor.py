"""``cronops doctor``: is this installation sound? One line a check, each within a time limit."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

import typer

from cronops.cli.output import print_line, show_json
from cronops.cli.session import Json
from cronops.cli.tree import examples, operator_app
from cronops.errors import CronopsError, ExitCode

if TYPE_CHECKING:
    from cronops.cli.checks import Finding

app = operator_app()

SECONDS_PER_CHECK = 10.0
_MARKS = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}


@app.callback()
def group() -> None:
    """Check this installation."""


@app.command(epilog=examples("cronops doctor", "cronops doctor --json"))
def doctor(as_json: Json = False) -> None:
    """Check this installation, one line a check: ok, warn or FAIL, and what to do.

    Exit 1 where a check fails; warnings alone exit 0. Nothing is changed and nobody is alerted.
    """
    findings = []
    for finding in _findings():
        findings.append(finding)
        if not as_json:
            advice = f"; {finding.advice}" if finding.advice else ""
            print_line(f"{_MARKS[finding.state]}  {finding.check}: {finding.detail}{advice}")
    if as_json:
        show_json([asdict(finding) for finding in findings])
    if any(finding.state == "fail" for finding in findings):
        raise typer.Exit(ExitCode.FAILED)


def _findings() -> Iterable["Finding"]:
    from cronops.cli import checks
    from cronops.config import load_settings

    try:
        loaded = load_settings()
    except CronopsError as error:
        # Everything else depends on them.
        yield checks.Finding("settings", "fail", str(error), "correct it and run doctor again")
        return
    yield from within_time("settings", partial(checks.sound_settings, loaded))
    yield from within_time("secret files", partial(checks.secret_files, loaded))
    database = list(within_time("database", partial(checks.reachable, loaded.settings)))
    yield from database
    if all(finding.state != "fail" for finding in database):
        for name, check in checks.DATABASE_CHECKS.items():
            yield from within_time(name, partial(check, loaded.settings))
    for name, check in checks.OTHER_CHECKS.items():
        yield from within_time(name, partial(check, loaded.settings))


def within_time(
    name: str, check: "Callable[[], Iterable[Finding]]", seconds: float = SECONDS_PER_CHECK
) -> Iterable["Finding"]:
    """What `check` finds; a failure where it raises, or takes longer than `seconds`."""
    from cronops.cli.checks import Finding
    from cronops.contract.bounded import run_bounded
    from cronops.telemetry import redact

    (call,) = run_bounded([lambda: list(check())], seconds)
    if not call.is_over:
        return [Finding(name, "fail", f"no answer within {seconds:g} s", "is the network sound?")]
    if call.error is not None:
        text = " ".join(redact(str(call.error)).split()) or type(call.error).__name__
        expected = isinstance(call.error, CronopsError)
        kind = "" if expected else f"{type(call.error).__name__}: "
        return [Finding(name, "fail", kind + text)]
    return call.result
