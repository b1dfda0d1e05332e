"""Every way a command can fail, as one clear line on stderr and an exit code."""

import sys
import traceback

import typer
from typer.exceptions import TyperException
from typer.main import get_command

from cronops.errors import CronopsError, ExitCode


def run(arguments: list[str]) -> int:
    """Run the command line with `arguments`; the exit code."""
    from cronops.cli.main import app

    if not all(map(_is_utf8, arguments)):
        _say("an argument is not UTF-8 text, which PostgreSQL and JSON need")
        return ExitCode.USAGE
    try:
        code = get_command(app).main(arguments, prog_name="cronops", standalone_mode=False)
    except TyperException as error:
        return _usage(error)
    except typer.Abort:
        _say("stopped; nothing was changed")
        return ExitCode.INTERRUPTED
    except CronopsError as error:
        _say(str(error))
        _trace()
        return error.exit_code
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        _say(f"{error.strerror or error}{where}")
        _trace()
        return ExitCode.FAILED
    except Exception as error:
        return _unexpected(error)
    return code if isinstance(code, int) else ExitCode.OK


def _is_utf8(argument: str) -> bool:
    try:
        argument.encode()
    except UnicodeEncodeError:
        return False
    return True


def _usage(error: TyperException) -> int:
    # Pydantic's prefix tells a person nothing.
    _say(error.format_message().replace("Value error, ", ""))
    context = getattr(error, "ctx", None)
    if context is not None:
        sys.stderr.write(f"see: {context.command_path} --help\n")
    return error.exit_code


def _unexpected(error: Exception) -> int:
    if _took_too_long(error):
        _say(
            f"the database took too long: {_first_line(error)}; it is busy, or somebody holds a "
            "lock: try again, or ask for less; cronops doctor tells more"
        )
        code = ExitCode.TEMPORARY
    elif _is_database_failure(error):
        _say(f"the database failed: {_first_line(error)}; cronops doctor tells more")
        code = ExitCode.TEMPORARY
    else:
        _say(
            f"{type(error).__name__}: {_first_line(error)}; this is a defect of cronops: "
            "set CRONOPS_LOG_LEVEL=debug to see where it happened"
        )
        code = ExitCode.FAILED
    _trace()
    return code


# Without psycopg there was no database; a failing command need not import it to find out.
def _took_too_long(error: Exception) -> bool:
    if "psycopg" not in sys.modules:
        return False
    from psycopg.errors import LockNotAvailable, QueryCanceled

    return isinstance(_original(error), QueryCanceled | LockNotAvailable)


def _is_database_failure(error: Exception) -> bool:
    if "psycopg" not in sys.modules:
        return False
    from cronops.db.connect import is_connection_lost

    return is_connection_lost(_original(error))


def _original(error: Exception) -> Exception:
    """What SQLAlchemy wraps."""
    original = getattr(error, "orig", None)
    return original if isinstance(original, Exception) else error


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else "no details"


def _say(message: str) -> None:
    sys.stderr.write(f"error: {_redacted(message)}\n")


def _trace() -> None:
    """Where it happened, for whoever asked for it."""
    from cronops.config import load_settings

    try:
        wanted = load_settings().settings.log_level == "debug"
    except CronopsError:
        wanted = False
    if wanted:
        sys.stderr.write(_redacted(traceback.format_exc()))


def _redacted(text: str) -> str:
    from cronops.telemetry.redact import redact

    return redact(text)
