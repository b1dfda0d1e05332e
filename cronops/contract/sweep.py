"""Runs that died without a word: others close them, and tell their owners."""

from typing import Any

import psycopg

from cronops.config import Settings
from cronops.contract import run_history, runs
from cronops.contract.ledger import HELD_BACK, has_tries_left
from cronops.contract.result import RunOutcome
from cronops.errors import ExitCode


def close_dead_runs(
    connection: psycopg.Connection[Any], settings: Settings, *, except_run: str = ""
) -> list[dict[str, Any]]:
    """Close runs whose lease has ended, as crashed, and write their alerts; the closed ones.

    At most `runs.MOST_CLOSED` at once, the oldest first: call again for more. Call in a
    transaction.
    """
    dead = runs.close_dead_runs(connection, except_run=except_run)
    if not dead:
        return []
    from cronops.contract.alerts import outbox
    from cronops.contract.alerts.report import RunReport

    for run in dead:
        again = run["retry_safe"] and has_tries_left(run["backoff_limit"], run["starts"])
        report = RunReport(
            job=run["job"],
            cr=run["cr"],
            environment=settings.environment,
            run_id=run["id"],
            correlation_id=run["correlation_id"],
            outcome=RunOutcome.CRASHED.value,
            reason=run["reason"],
            exit_code=int(ExitCode.CRASHED),
            holder=run["holder"],
            accountable=tuple(run["accountable"]),
            responsible=run["responsible"],
            schedule=run["schedule"],
            scheduled_at=run["scheduled_at"],
            started_at=run["started_at"],
            finished_at=run["now"],
            last_success_at=run_history.last_success(connection, run["job"], run["schedule"]),
        )
        outbox.write_failure(connection, report, available_in=HELD_BACK if again else None)
    return dead
