"""Log lines to stderr: JSON for machines, readable at a terminal, secrets masked in both.

Lines of libraries that use the standard library's `logging`, and Python's own warnings, come
out the same way, from level warning up.
"""

import json
import logging
import sys
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cronops.config import Settings
from cronops.telemetry.redact import redact_value, register_secrets

# structlog imports rich wherever it finds it: 50 ms of a pod's start for tracebacks we do not
# use. A None in sys.modules makes `import rich` fail; it is taken out again at once.
_hide_rich = "rich" not in sys.modules and "structlog" not in sys.modules
if _hide_rich:
    sys.modules["rich"] = None  # type: ignore[assignment]
try:
    import structlog
finally:
    if _hide_rich:
        del sys.modules["rich"]

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger as Logger
else:
    Logger = Any

__all__ = ["Logger", "bind_run", "configure_logging", "get_logger"]

Format = str
"""``json`` or ``console``."""

_COLOURS = {"debug": "2", "info": "32", "warning": "33", "error": "31", "critical": "31;1"}

# What lines of libraries carry besides their own text: they know nothing of the run.
_UNSAID: tuple[Any, ...] = (None, {}, [])
"""What a person need not read."""

_run_fields: dict[str, Any] = {}


def configure_logging(settings: Settings) -> None:
    """Set up all logging of this process, and have it mask the secrets in `settings`.

    The format is the configured one; where none is, console at a terminal, else JSON.
    """
    register_secrets(settings)
    _configure(settings.log_format or _format_for_stderr(), settings.log_level)


def get_logger(**fields: Any) -> Logger:
    """A logger whose every line carries `fields`."""
    if not structlog.is_configured():
        _configure(_format_for_stderr(), "info")
    return structlog.get_logger().bind(**fields)  # type: ignore[no-any-return]


def bind_run(
    logger: Logger,
    *,
    job: str,
    cr: str,
    run_id: str,
    correlation_id: str,
    schedule: str | None,
    scheduled_at: datetime | None,
    attempt: int | None = None,
) -> Logger:
    """`logger` with the fields that every line of a run carries.

    From then on lines of libraries carry them too: a process works at one run.
    """
    _run_fields.update(
        job=job,
        cr=cr,
        run_id=run_id,
        correlation_id=correlation_id,
        schedule=schedule,
        scheduled_at=scheduled_at.astimezone(UTC).isoformat() if scheduled_at else None,
        attempt=attempt,
    )
    return logger.bind(**_run_fields)


def _format_for_stderr() -> Format:
    return "console" if sys.stderr is not None and sys.stderr.isatty() else "json"


def _configure(log_format: Format, level: str) -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            _add_timestamp,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            _redact,
            _render_console if log_format == "console" else _render_json,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_StderrLogger,
        cache_logger_on_first_use=False,
    )
    _take_over_library_logging()


class _StderrLogger:
    """Writes finished lines to whatever stderr is at that moment, and never fails.

    It holds no lock of its own, so that a forked child can log; a line is one write.
    """

    def __init__(self, *_: object) -> None:
        pass

    def msg(self, line: str) -> None:
        stream = sys.stderr
        try:
            stream.write(line + "\n")
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass  # a full disk or a closed terminal must not end the work

    debug = info = warning = error = critical = exception = fatal = failure = log = msg


class _LibraryHandler(logging.Handler):
    """Passes a library's log record on to structlog."""

    def createLock(self) -> None:
        # Without state there is nothing to lock, and nothing a fork could leave locked.
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except Exception:  # a library's wrong placeholders are not our failure
            text = str(record.msg)
        level = "error" if record.levelno >= logging.ERROR else "warning"
        log = get_logger(**_run_fields, logger=record.name)
        getattr(log, level)(text.strip(), exc_info=record.exc_info or None)


def _take_over_library_logging() -> None:
    root = logging.getLogger()
    root.setLevel(logging.WARNING)
    if not any(isinstance(handler, _LibraryHandler) for handler in root.handlers):
        root.addHandler(_LibraryHandler(logging.WARNING))
    logging.captureWarnings(True)


def _add_timestamp(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    now = datetime.now(UTC)
    event["timestamp"] = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return event


def _redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    # The names of fields, the time and the level are ours: a password that happens to be
    # "info" must not make a line unreadable for machines.
    line = {"timestamp": event.pop("timestamp"), "level": event.pop("level"), "event": None}
    line.update((key, redact_value(value)) for key, value in event.items())
    return line


def _render_json(_: Any, __: str, event: Mapping[str, Any]) -> str:
    # ASCII, because a lone surrogate cannot be written as UTF-8.
    return json.dumps(_without_nan(event))


def _render_console(_: Any, __: str, event: MutableMapping[str, Any]) -> str:
    timestamp, level = str(event.pop("timestamp")), str(event.pop("level"))
    text = _printable(str(event.pop("event")))
    blocks = [str(event.pop(key)) for key in ("exception", "stack") if event.get(key)]
    padded = f"{level:<8}"
    if sys.stderr is not None and sys.stderr.isatty():
        padded = f"\x1b[{_COLOURS.get(level, '0')}m{padded}\x1b[0m"
    if event.get("correlation_id") == event.get("run_id"):
        event.pop("correlation_id", None)  # said once is enough for a person
    for key in [key for key, value in event.items() if isinstance(value, str) and "\n" in value]:
        blocks += [f"    {_printable(part)}" for part in str(event.pop(key)).splitlines()]
    fields = " ".join(
        f"{key}={_shown(value)}" for key, value in event.items() if value not in _UNSAID
    )
    line = f"{timestamp[11:23]} {padded} {text:<40} {fields}".rstrip()
    return "\n".join([line, *blocks])


def _shown(value: Any) -> str:
    if isinstance(value, str) and value.isprintable() and value and " " not in value:
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def _printable(text: str) -> str:
    # What a library or a payload brought must not move the cursor or fake a line.
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _without_nan(value: Any) -> Any:
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_nan(inner) for inner in value]
    return value
