import re
import shlex
import subprocess
import sys

import pytest

from cronops.contract.alerts import texts
from cronops.contract.alerts.alert import failure_alerts, skipping_alerts
from cronops.contract.alerts.report import RunReport
from cronops.errors import ExitCode


def report(exit_code):
    return RunReport(
        job="queue process",
        cr="CR-006",
        environment="test",
        run_id="run-1",
        correlation_id="c-1",
        outcome="failed",
        reason="no answer",
        exit_code=exit_code,
        holder="here",
        accountable=("Shared Ops",),
        responsible="Shared Ops",
    )


def commands():
    bodies = [alert.body for code in ExitCode for alert in failure_alerts(report(code))]
    bodies += [alert.body for alert in skipping_alerts(report(1), 5)]
    bodies.append(
        texts.crashed_messages_text(
            "test", "sample.echo", message_id=42, error="no", run_id="run-1", impact=""
        ).body
    )
    found = re.findall(r"^  cronops (.+?)(?:\s{2,}\(.*\))?$", "\n".join(bodies), re.MULTILINE)
    return sorted(set(found))


def test_there_are_commands_to_try():
    assert len(commands()) >= 8


@pytest.mark.parametrize("command", commands())
def test_every_command_an_alert_names_exists_and_takes_these_options(command):
    done = subprocess.run(
        [sys.executable, "-m", "cronops", *shlex.split(command), "--help"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
