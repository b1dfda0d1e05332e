"""What people are told; pure.

The team that runs the job reads what happened, where, and what to type next. The team whose
domain it is reads what that means for them and what still stands. A team that is both reads
one text.
"""

from datetime import datetime, timedelta

from cronops.contract.alerts.report import AlertText, Role, RunReport
from cronops.durations import format_duration
from cronops.errors import ExitCode

_LONGEST_ERROR = 2000
_LONGEST_SUBJECT = 60
_HAPPENED = {
    "failed": "failed",
    "timed_out": "was ended: it took longer than it may",
    "interrupted": "was stopped before its work was done",
    "crashed": "died without a word: killed, or out of memory",
}
_TITLES = {
    "failed": "failed",
    "timed_out": "timed out",
    "interrupted": "interrupted",
    "crashed": "crashed",
}


def failure_text(report: RunReport, role: Role) -> AlertText:
    """What an owner in `role` is told of a failed run."""
    if role == "domain":
        return _domain_notice(report)
    page = _runtime_page(report)
    return _joined(page, _domain_notice(report)) if role == "both" else page


def skipping_text(report: RunReport, role: Role, skips: int) -> AlertText:
    """What an owner in `role` is told when a schedule was skipped `skips` times in a row."""
    name = report.schedule or report.job
    page = AlertText(
        f"[{report.environment}] {name}: skipped {skips} times in a row",
        _lines(
            f"The last {skips} runs of {report.job!r} ({report.cr}) found its lock held and did "
            "nothing.",
            f"Reason: {report.reason}" if report.reason else None,
            f"Where: {report.holder}",
            _last_success(report),
            "Next:",
            "  cronops locks list          (who holds it, since when)",
            f"  cronops runs list --job {_quoted(report.job)}",
            f"  cronops runs show {report.run_id}",
        ),
    )
    notice = AlertText(
        f"[{report.environment}] {_subject(report)}: no new results",
        _lines(
            f"{_what_it_does(report)} An earlier run is still at work, or stuck, so the last "
            f"{skips} runs were left out.",
            _impact(report),
            "What still stands: everything up to the last success. Nothing was done twice.",
            _last_success(report),
            f"{report.responsible} has been told and looks after it; reference {report.run_id}.",
        ),
    )
    if role == "domain":
        return notice
    return _joined(page, notice) if role == "both" else page


def crashed_messages_text(
    environment: str, handler: str, *, message_id: int, error: str, run_id: str | None, impact: str
) -> AlertText:
    """What a handler's owner is told when one of its messages entered CRASH."""
    return AlertText(
        f"[{environment}] {handler}: messages are in CRASH",
        _lines(
            f"Message {message_id} for handler {handler!r} has used its attempts, or cannot "
            "succeed. It is kept, with its error, and is not tried again by itself.",
            f"Error: {_shortened(error)}",
            f"What it means: {impact}" if impact else None,
            "What still stands: all other messages go on. There may be more like it; you are told "
            "once, until they are put back.",
            "Next:",
            f"  cronops queue list --status CRASH --handler {handler}",
            f"  cronops queue show {message_id}",
            f"  cronops queue retry {message_id}      (once the cause is gone)",
            f"  cronops runs show {run_id}" if run_id else None,
        ),
    )


def trial_text(environment: str, job: str, owner: str, role: Role, actor: str) -> AlertText:
    """What an owner is sent by ``cronops alerts test``."""
    of = {"runtime": "who runs it", "domain": "whose domain it is", "both": "who runs and owns it"}
    return AlertText(
        f"[{environment}] TEST: alerts about {job!r} reach {owner}",
        _lines(
            f"{actor} sent this to try the route. Nothing is wrong and nothing is to be done.",
            f"A failure of {job!r} would be told here to {owner} as the team {of[role]}.",
        ),
    )


def resolved_text(title: str, run_id: str | None, at: datetime | None) -> AlertText:
    """What an owner is told when what `title` told of is over."""
    when = f" at {_time(at)}" if at else ""
    return AlertText(
        f"RESOLVED: {title}",
        _lines(
            f"It is over{when}: the work has been done again." if run_id else f"It is over{when}.",
            f"By run: {run_id}" if run_id else None,
        ),
    )


def handler_recovered_text(title: str, actor: str | None) -> AlertText:
    """What a handler's owner is told when its messages in CRASH were put back."""
    by = f" by {actor}" if actor else ""
    return AlertText(
        f"RESOLVED: {title}",
        f"The messages in CRASH were put back{by} and are worked again. "
        "If they fail again you are told again.",
    )


def _runtime_page(report: RunReport) -> AlertText:
    name = report.schedule or report.job
    title = f"[{report.environment}] {name}: {_TITLES.get(report.outcome, report.outcome)}"
    reason = _shortened(report.reason) if report.reason else None
    return AlertText(
        title,
        _lines(
            f"Job {report.job!r} ({report.cr}) {_HAPPENED.get(report.outcome, report.outcome)}.",
            f"Error: {reason}" if reason else None,
            _exit_code(report.exit_code),
            f"Where: {report.holder}",
            f"Slot: {_time(report.scheduled_at)}" if report.scheduled_at else None,
            _span(report.started_at, report.finished_at),
            _last_success(report),
            f"Run: {report.run_id} (correlation {report.correlation_id})",
            "Next:",
            f"  cronops runs show {report.run_id}",
            *(f"  {line}" for line in _advice(report)),
        ),
    )


def _domain_notice(report: RunReport) -> AlertText:
    undone = "did not finish" if report.outcome != "failed" else "could not be done"
    return AlertText(
        f"[{report.environment}] {_subject(report)}: {undone}",
        _lines(
            f"{_what_it_does(report)} This time it {undone}.",
            _impact(report),
            "What still stands: everything that earlier runs achieved. What this run had already "
            "committed is kept, and a repeat does not do it twice.",
            _last_success(report),
            f"{report.responsible} has been paged and looks after the repeat; you need to act "
            f"only if the data itself is at fault. Reference: {report.run_id}.",
        ),
    )


def _joined(page: AlertText, notice: AlertText) -> AlertText:
    return AlertText(page.title, f"{page.body}\n\nFor the domain:\n{notice.body}")


def _advice(report: RunReport) -> list[str]:
    command = f"cronops {report.job}"
    match report.exit_code:
        case ExitCode.CONFIGURATION:
            return ["cronops doctor              (which setting is wrong)"]
        case ExitCode.BAD_INPUT:
            return [
                f"cronops jobs show {_quoted(report.job)}   (what it expects of its input)",
                f"{command}              (again, once the data is right)",
            ]
        case ExitCode.TIMED_OUT:
            return [
                "cronops locks list          (is it still held?)",
                f"cronops jobs show {_quoted(report.job)}   (how long it may take)",
            ]
        case ExitCode.TEMPORARY | ExitCode.INTERRUPTED | ExitCode.TERMINATED:
            return [
                "cronops doctor              (is everything reachable again?)",
                f"{command}              (again now, rather than by its schedule)",
            ]
        case _:
            return [
                f"cronops runs list --job {_quoted(report.job)}   (since when)",
                f"{command}              (again, once the cause is gone)",
            ]


def _subject(report: RunReport) -> str:
    summary = report.summary.rstrip(".")
    return summary if 0 < len(summary) <= _LONGEST_SUBJECT else report.job


def _what_it_does(report: RunReport) -> str:
    if report.summary:
        return f"The job {report.job!r} ({report.cr}) is there to: {report.summary.rstrip('.')}."
    return f"This is about the job {report.job!r} ({report.cr})."


def _impact(report: RunReport) -> str:
    if report.impact:
        return f"What it means: {report.impact}"
    return "What it means: its results are as old as the last success until it succeeds again."


def _last_success(report: RunReport) -> str:
    if report.last_success_at is None:
        return "Last success: none on record"
    age = ""
    if report.finished_at is not None and report.finished_at > report.last_success_at:
        age = f" ({format_duration(report.finished_at - report.last_success_at)} before)"
    return f"Last success: {_time(report.last_success_at)}{age}"


def _exit_code(code: int | None) -> str | None:
    if code is None:
        return None
    known = {int(member): member.meaning for member in ExitCode}
    return f"Exit code: {code}" + (f" ({known[code]})" if code in known else "")


def _span(started: datetime | None, finished: datetime | None) -> str | None:
    if started is None:
        return None
    if finished is None:
        return f"Started: {_time(started)}"
    took = max(finished - started, timedelta(0))
    return f"Ran: {_time(started)} to {_time(finished)} ({format_duration(took)})"


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S %Z").rstrip()


def _shortened(text: str) -> str:
    text = text.strip()
    return text if len(text) <= _LONGEST_ERROR else f"{text[:_LONGEST_ERROR]} […]"


def _quoted(job: str) -> str:
    return f"'{job}'" if " " in job else job


def _lines(*lines: str | None) -> str:
    return "\n".join(line for line in lines if line is not None)
