"""The process itself: signals, pipes, terminals, and a database that is not there."""

import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ENQUEUE = ("queue", "enqueue", "--handler", "sample.echo", "--payload", "-")

TERMINATED_WHILE_IMPORTING = """
import os, signal, sys

class Terminator:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            os.kill(os.getpid(), signal.SIGTERM)

sys.meta_path.insert(0, Terminator())
from cronops.__main__ import main
sys.exit(main())
"""


def wait_until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def test_sigterm_is_heeded_before_the_heavy_imports():
    done = subprocess.run(
        [sys.executable, "-c", TERMINATED_WHILE_IMPORTING, "--version"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (143, "", "")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_an_operators_command_and_undoes_its_work(cli, database, number, code):
    process = subprocess.Popen(
        cli.command(*ENQUEUE),
        env=cli._environment(None),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write("1\n" * 7_000)
    process.stdin.flush()
    connected = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE %s"
    working = "%enqueue%"
    wait_until(
        lambda: database.query(connected + " AND state LIKE 'idle in tr%%'", (working,)) == [(1,)]
    )
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (code, "")
    assert "Traceback" not in err
    wait_until(lambda: database.query(connected, (working,)) == [(0,)])
    assert database.query("SELECT count(*) FROM queue_message") == [(0,)]


def test_a_reader_who_has_seen_enough_is_no_error(cli):
    command = " ".join([*cli.command("config", "show", "--json"), "| head -n 1"])
    done = subprocess.run(
        ["bash", "-c", command],
        env=cli._environment(None),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("[\n", "")


def test_a_closed_stdout_is_no_error(cli):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        cli.command("config", "show", "--json"),
        env=cli._environment(None),
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert done.stderr == ""


def test_a_result_that_cannot_be_written_is_an_error(cli):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            cli.command("runs", "list"),
            env=cli._environment(None),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == "error: No space left on device\n"


def test_a_failed_run_is_no_success_for_want_of_a_reader(cli, probe):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        cli.command("probe", "fail", "--kind=permanent"),
        env=cli._environment(None),
        stdout=writing,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    os.close(writing)
    assert done.returncode == 1


@pytest.mark.parametrize("words", [("runs", "list"), ("queue", "process")])
def test_streams_that_are_closed_from_the_start_are_no_error(cli, words):
    command = " ".join([*cli.command(*words), "<&- >&- 2>&-"])
    done = subprocess.run(["bash", "-c", command], env=cli._environment(None), check=False)
    assert done.returncode == 0


@pytest.mark.parametrize(
    "words", [("runs", "list"), ("queue", "status"), ("db", "upgrade"), ("alerts", "flush")]
)
def test_a_database_out_of_reach_is_one_line_and_a_temporary_failure(cli, words):
    url = "postgresql://shop:hunter22@127.0.0.1:9/shop"
    done = cli(*words, env={"CRONOPS_DATABASE_URL": url})
    assert done.returncode == 75
    assert done.stdout == ""
    assert done.stderr.startswith("error: cannot connect to the database: ")
    assert done.stderr.count("\n") == 1
    assert "hunter22" not in done.stderr


def test_in_a_cluster_there_is_no_silent_embedded_database(cli):
    done = cli("runs", "list", env={"CRONOPS_DATABASE_URL": "", "KUBERNETES_SERVICE_HOST": "x"})
    assert done.returncode == 78
    assert "CRONOPS_DATABASE_URL is not set" in done.stderr


def test_a_usage_error_names_the_help_to_read(cli):
    done = cli("queue", "status", "--qeue", "x")
    assert done.returncode == 2
    assert done.stderr == (
        "error: No such option: --qeue (Possible options: --queue)\n"
        "see: cronops queue status --help\n"
    )


def test_at_a_terminal_the_table_is_drawn_to_its_width(cli, database):
    database.query(
        "INSERT INTO queue_message (handler, status, error) VALUES ('sample.echo', 'CRASH', %s)",
        ("so long an error " * 20,),
    )
    screen, terminal = pty.openpty()
    process = subprocess.Popen(
        cli.command("queue", "list"),
        env=cli._environment({"COLUMNS": "100", "LINES": "40", "TERM": "xterm"}),
        stdout=terminal,
        stderr=subprocess.PIPE,
    )
    os.close(terminal)
    shown = b""
    while True:
        try:
            part = os.read(screen, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(screen)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    lines = re.sub(r"\x1b\[\d+m", "", shown.decode()).splitlines()
    assert any("sample.echo" in line and "…" in line for line in lines)
    assert all(len(line) <= 100 for line in lines)


def test_a_branch_of_an_installed_packages_jobs(cli, probe):
    helped = cli("probe", "--help")
    assert helped.returncode == 0
    assert "hang" in helped.stdout
    taught = cli("probe", "hang", "--help")
    assert "--seconds INTEGER" in taught.stdout
    assert "probe.hang; a run that finds it held skips" in taught.stdout
    assert "probe hang" in cli("--help").stdout
    unknown = cli("probe", "hnag")
    assert unknown.returncode == 2
    assert "Did you mean hang" in unknown.stderr


def test_a_jobs_exit_code_is_the_commands(cli, probe):
    assert cli("probe", "ok").returncode == 0
    assert cli("probe", "fail", "--kind=permanent").returncode == 1
    assert cli("probe", "ok", "--things=x").returncode == 2
