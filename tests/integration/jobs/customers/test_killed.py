"""A run that is killed at any step: no reminder is sent twice, and none is lost without a word."""

import os
import signal
import subprocess
import sys
import time

from tests.integration.jobs.customers.conftest import JOB, Reminders
from tests.stepping import run_to_step

STEPS = ["send", "send", "send"]


def test_a_run_killed_before_any_mail(reminders: Reminders, tmp_path) -> None:
    for _ in range(3):
        reminders.license(7)
    for number in range(1, len(STEPS) + 1):
        reminders.database.query("TRUNCATE reminder")
        reminders.server.envelopes.clear()
        steps = run_to_step(reminders.database, tmp_path, number, *JOB, env=reminders.env)
        assert steps == STEPS[:number]
        run_to_step(reminders.database, tmp_path, 0, *JOB, "--wait", "10s", env=reminders.env)
        # Claimed, and killed before it went: nobody can tell any more, so it is listed.
        expected = {(n, 7): "unknown" if n == number else "sent" for n in (1, 2, 3)}
        assert reminders.states() == expected
        assert sorted(reminders.server.recipients) == [
            f"{n}@example.org" for n in (1, 2, 3) if n != number
        ]
        asked = (*JOB, "--resend-unknown", "--wait", "10s")
        run_to_step(reminders.database, tmp_path, 0, *asked, env=reminders.env)
        assert sorted(reminders.server.recipients) == [f"{n}@example.org" for n in (1, 2, 3)]


def test_a_run_killed_while_the_server_answers(reminders: Reminders) -> None:
    """The server has taken the mail, and the run dies before it knows."""
    reminders.license(7)
    reminders.license(7)
    reminders.server.mood.answers, reminders.server.mood.times = {"after DATA": "hang"}, 1
    running = subprocess.Popen(
        [sys.executable, "-m", "cronops", *JOB],
        env=reminders.database.env | reminders.env | {"CRONOPS_LOCK__TTL": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    until = time.monotonic() + 20
    while not reminders.server.envelopes and time.monotonic() < until:
        time.sleep(0.05)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    assert reminders.states() == {(1, 7): "sending"}

    done = reminders.run("--wait", "10s")

    assert reminders.states() == {(1, 7): "unknown", (2, 7): "sent"}
    assert reminders.server.recipients == ["1@example.org", "2@example.org"]
    assert "1 earlier reminders are unknown" in done.stdout + done.stderr
