"""How errors end a command: one line, the right code, no secrets."""

import psycopg
import pytest
import typer

from cronops.cli import failure
from cronops.errors import BadInput, ConfigurationError, DatabaseUnavailable, ExitCode, UsageError


@pytest.fixture
def fail(monkeypatch, capsys):
    """Runs a command line that raises; the exit code and what it said."""

    def call(error):
        class Command:
            def main(self, *arguments, **options):
                raise error

        monkeypatch.setattr(failure, "get_command", lambda app: Command())
        code = failure.run([])
        shown = capsys.readouterr()
        assert shown.out == ""
        return code, shown.err

    return call


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("too much"), ExitCode.USAGE_SENSE),
        (BadInput("line 3 is wrong"), ExitCode.BAD_INPUT),
        (ConfigurationError("X is not set"), ExitCode.CONFIGURATION),
        (DatabaseUnavailable("cannot connect"), ExitCode.TEMPORARY),
    ],
)
def test_our_own_errors_are_one_line_and_their_code(fail, error, code):
    assert fail(error) == (code, f"error: {error}\n")


def test_a_secret_in_an_error_is_masked(fail):
    _, said = fail(UsageError("cannot use postgresql://shop:hunter22@db/shop"))
    assert said == "error: cannot use postgresql://shop:***@db/shop\n"


def test_an_unexpected_error_is_one_line_with_a_hint(fail):
    code, said = fail(ZeroDivisionError("division by zero\nand more"))
    assert code == ExitCode.FAILED
    assert said.count("\n") == 1
    assert said.startswith("error: ZeroDivisionError: division by zero; ")
    assert "CRONOPS_LOG_LEVEL=debug" in said


def test_with_debug_an_error_says_where_it_happened(fail, monkeypatch):
    monkeypatch.setenv("CRONOPS_LOG_LEVEL", "debug")
    _, said = fail(ZeroDivisionError("division by zero"))
    assert "Traceback (most recent call last)" in said
    assert "in main" in said


def test_a_lost_connection_is_a_temporary_failure(fail):
    code, said = fail(psycopg.OperationalError("server closed the connection unexpectedly"))
    assert code == ExitCode.TEMPORARY
    assert said.startswith("error: the database failed: server closed the connection")


def test_the_original_of_a_wrapped_error_decides(fail):
    error = RuntimeError("wrapped")
    error.orig = psycopg.OperationalError("gone")  # type: ignore[attr-defined]
    assert fail(error)[0] == ExitCode.TEMPORARY


def test_declining_a_question_changes_nothing(fail):
    assert fail(typer.Abort()) == (ExitCode.INTERRUPTED, "error: stopped; nothing was changed\n")


def test_a_file_that_fails_is_named(fail):
    assert fail(PermissionError(13, "Permission denied", "/x")) == (
        ExitCode.FAILED,
        "error: Permission denied: /x\n",
    )


@pytest.mark.parametrize("kind", [psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable])
def test_a_statement_that_takes_too_long_is_no_defect(fail, kind):
    code, said = fail(kind("canceling statement due to a timeout"))
    assert code == ExitCode.TEMPORARY
    assert "took too long: canceling statement due to a timeout; " in said
    assert "ask for less" in said
