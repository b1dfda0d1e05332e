import json
import os
import pty
import subprocess
import sys
from textwrap import dedent

import pytest

SETUP = """
import sys
from cronops.config import Settings
from cronops.telemetry import bind_run, configure_logging, get_logger

configure_logging(Settings(**{
    "database_url": "postgresql://cron:hunter22@db/shop", **__import__("json").loads(sys.argv[1]),
}))
log = get_logger(component="test")
"""


def run_logging(code, settings=None, **options):
    """Run `code` in a fresh process with logging configured; its finished process."""
    return subprocess.run(
        [sys.executable, "-c", SETUP + dedent(code), json.dumps(settings or {})],
        capture_output=True,
        text=True,
        timeout=60,
        **options,
    )


def lines_of(done):
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_rich_is_kept_out_and_can_be_imported_afterwards():
    done = run_logging(
        """
        log.info("hello")
        assert not [name for name in sys.modules if name.split(".")[0] == "rich"]
        import rich.console
        assert rich.console.Console
        """
    )
    assert done.returncode == 0, done.stderr


def test_rich_that_is_there_already_is_left_there():
    code = "import rich\n" + SETUP + "import structlog\nassert sys.modules['rich'] is rich\n"
    done = subprocess.run(
        [sys.executable, "-c", code, "{}"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "module", ["sqlalchemy", "apprise", "httpx", "prometheus_client", "typer", "tenacity"]
)
def test_logging_imports_nothing_heavy(module):
    done = run_logging(f"assert {module!r} not in sys.modules")
    assert done.returncode == 0, done.stderr


def test_a_line_is_json_when_stderr_is_not_a_terminal():
    (line,) = lines_of(run_logging("log.info('hello', count=3, nothing=None)"))
    assert list(line)[:3] == ["timestamp", "level", "event"]
    assert line["level"] == "info"
    assert line["event"] == "hello"
    assert line["component"] == "test"
    assert line["count"] == 3
    assert line["nothing"] is None
    assert line["timestamp"].endswith("Z")
    assert len(line["timestamp"]) == len("2026-11-23T04:00:00.123Z")


def test_every_line_of_a_run_carries_its_fields_libraries_included():
    lines = lines_of(
        run_logging(
            """
            from datetime import datetime, timedelta, timezone
            at = datetime(2026, 11, 23, 6, tzinfo=timezone(timedelta(hours=2)))
            log = bind_run(log, job="stock export", cr="CR-002", run_id="r1",
                           correlation_id="c1", schedule="stock-export", scheduled_at=at, attempt=1)
            log.info("ours")
            import logging
            logging.getLogger("sqlalchemy.pool").error("theirs %s", "here")
            """
        )
    )
    assert [line["event"] for line in lines] == ["ours", "theirs here"]
    assert lines[1]["logger"] == "sqlalchemy.pool"
    assert lines[1]["level"] == "error"
    for line in lines:
        assert line["job"] == "stock export"
        assert line["cr"] == "CR-002"
        assert line["run_id"] == "r1"
        assert line["correlation_id"] == "c1"
        assert line["schedule"] == "stock-export"
        assert line["scheduled_at"] == "2026-11-23T04:00:00+00:00"
        assert line["attempt"] == 1


def test_secrets_are_masked_in_events_values_tracebacks_and_library_lines():
    done = run_logging(
        """
        import logging, warnings
        log.info("log in with hunter22", deep={"a": ["hunter22"]}, url="ftp://u:other-pass@h")
        try:
            raise ValueError("refused hunter22")
        except ValueError:
            log.exception("it failed")
            logging.getLogger("lib").exception("theirs failed with hunter22")
        warnings.warn("hunter22 is deprecated")
        """
    )
    lines = lines_of(done)
    assert len(lines) == 4
    assert "hunter22" not in done.stderr
    assert "other-pass" not in done.stderr
    assert "ValueError: refused ***" in lines[1]["exception"]
    assert "ValueError: refused ***" in lines[2]["exception"]
    assert "*** is deprecated" in lines[3]["event"]


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_secret_that_is_also_a_fields_name_leaves_the_line_readable(log_format):
    for word in ("timestamp", "info", "event"):
        url = f"postgresql://u:{word}@db/shop"
        done = run_logging(f"log.info('x {word}')", {"log_format": log_format, "database_url": url})
        assert "x ***" in done.stderr
        assert "info" in done.stderr


def test_libraries_are_heard_from_warning_up_whatever_our_level():
    lines = lines_of(
        run_logging(
            """
            import logging
            logging.getLogger("httpx").info("HTTP Request")
            logging.getLogger("httpx").warning("%d placeholders", "wrong")
            log.debug("ours")
            """,
            {"log_level": "debug"},
        )
    )
    assert [line["event"] for line in lines] == ["%d placeholders", "ours"]


def test_lines_below_the_configured_level_are_left_out():
    done = run_logging("log.info('no'); log.warning('yes')", {"log_level": "warning"})
    assert [line["event"] for line in lines_of(done)] == ["yes"]


def test_the_console_format_is_readable():
    done = run_logging(
        "log.warning('hello there', name='two words', nothing=None)", {"log_format": "console"}
    )
    time, level, rest = done.stderr.split(maxsplit=2)
    assert len(time) == len("12:34:56.789")
    assert level == "warning"
    assert rest.split() == ["hello", "there", "component=test", 'name="two', 'words"']


def test_what_moves_the_cursor_is_written_out_in_the_console_format():
    done = run_logging(
        "log.info('a\\x1b[2Jb\\nfake line', value='c\\x1b[2J')", {"log_format": "console"}
    )
    assert "\x1b" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_format_is_console_at_a_terminal():
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-c", SETUP + "log.info('hello')", "{}"], stderr=theirs, timeout=60
        )
        written = os.read(ours, 4096).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 0
    assert "hello" in written
    assert not written.startswith("{")


def test_values_json_does_not_know_do_not_break_the_line():
    (line,) = lines_of(
        run_logging("log.info('odd', nan=float('nan'), obj=object, surrogate='\\udc80', s={1})")
    )
    assert line["nan"] == "nan"
    assert line["surrogate"] == "\udc80"
    assert line["s"] == [1]


def test_a_closed_stderr_does_not_end_the_work():
    done = run_logging("sys.stderr.close(); log.info('lost'); sys.stdout.write('went on')")
    assert done.returncode == 0
    assert done.stdout == "went on"


def test_a_forked_child_logs_even_if_the_parent_was_in_the_middle_of_a_line():
    lines = lines_of(
        run_logging(
            """
            import os, threading
            stop = threading.Event()
            def chatter():
                while not stop.is_set():
                    log.info("parent")
            threads = [threading.Thread(target=chatter) for _ in range(2)]
            [thread.start() for thread in threads]
            for _ in range(20):
                pid = os.fork()
                if pid == 0:
                    log.info("child")
                    os._exit(0)
                os.waitpid(pid, 0)
            stop.set()
            [thread.join() for thread in threads]
            """
        )
    )
    assert sum(line["event"] == "child" for line in lines) == 20
