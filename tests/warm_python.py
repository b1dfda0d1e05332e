"""A Python that has the heavy libraries imported already, and runs modules in copies of itself.

Half of a short command's time goes to imports, and the tests run thousands. Each runs in a process
of its own all the same: a fork of this one, with its own environment, directory and streams. Of
cronops itself nothing is imported beforehand, so that each command imports what it needs.
"""

import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread
from typing import Any, TextIO

# None that reads the environment as it is imported.
_LIBRARIES = (
    "click",
    "psycopg",
    "psycopg.rows",
    "psycopg.types.json",
    "pydantic",
    "sqlalchemy",
    "sqlalchemy.dialects.postgresql",
    "structlog",
    "tenacity",
    "typer",
    "urllib3",
)
# An interpreter, or what loads it, reads these as it starts.
_READ_AT_START = ("PYTHON", "LC_", "LANG", "LD_")
_READ_HERE = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")


class WarmPython:
    """Started when it is first needed; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._directory = ""

    def can_run(self, env: Mapping[str, str]) -> bool:
        """Whether a command of that environment needs no interpreter of its own."""
        if any(Path(one, "sitecustomize.py").exists() for one in _places(env)):
            return False
        return all(
            os.environ.get(name) == value
            for name, value in env.items()
            if name.startswith(_READ_AT_START) and name not in _READ_HERE
        )

    def run(
        self,
        module: str,
        arguments: tuple[str, ...],
        *,
        env: Mapping[str, str],
        cwd: Path,
        input: str | None,
        timeout: float,
    ) -> "subprocess.CompletedProcess[str]":
        """As ``subprocess.run`` runs ``python -m MODULE ARGUMENTS``, output captured as text."""
        words = [module, *arguments]
        order = {"words": words, "env": dict(env), "cwd": os.fspath(cwd)}
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(self._address())
            (stdin, feed), (out, stdout), (err, stderr) = os.pipe(), os.pipe(), os.pipe()
            content = json.dumps(order).encode()
            line.sendall(len(content).to_bytes(4, "little"))
            socket.send_fds(line, [b"."], [stdin, stdout, stderr])
            line.sendall(content)
            for number in (stdin, stdout, stderr):
                os.close(number)
            texts: dict[int, str] = {}
            readers = [
                Thread(target=_read, args=(number, texts), daemon=True) for number in (out, err)
            ]
            for thread in readers:
                thread.start()
            pid = int.from_bytes(_exactly(line, 4), "little")
            with suppress(BrokenPipeError), os.fdopen(feed, "w", encoding="utf-8") as file:
                file.write(input or "")
            line.settimeout(timeout)
            try:
                status = int.from_bytes(_exactly(line, 4), "little")
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(words, timeout) from None
            for thread in readers:
                thread.join()
        code = os.waitstatus_to_exitcode(status)
        return subprocess.CompletedProcess(words, code, texts[out], texts[err])

    def _address(self) -> str:
        with self._lock:
            if self._process is None:
                self._directory = tempfile.mkdtemp(prefix="cronops-warm-")
                place = os.path.join(self._directory, "line")  # noqa: PTH118 - a socket's address
                # It ends when this pipe does: when the tests do, however they end.
                self._process = subprocess.Popen(
                    [sys.executable, __file__, place],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                )
                while not os.path.exists(place):  # noqa: PTH110
                    assert self._process.poll() is None
                    time.sleep(0.01)
            return os.path.join(self._directory, "line")  # noqa: PTH118


def _places(env: Mapping[str, str]) -> list[str]:
    return [one for one in env.get("PYTHONPATH", "").split(os.pathsep) if one]


def _read(number: int, texts: dict[int, str]) -> None:
    with os.fdopen(number, encoding="utf-8") as file:
        texts[number] = file.read()


def _exactly(line: socket.socket, count: int) -> bytes:
    content = b""
    while len(content) < count:
        part = line.recv(count - len(content))
        if not part:
            raise AssertionError("the warm Python is gone")
        content += part
    return content


def _serve(place: str) -> None:
    for name in _LIBRARIES:
        __import__(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    server = socket.socket(socket.AF_UNIX)
    # It exists only when it listens.
    server.bind(f"{place}.new")
    server.listen(64)
    Path(f"{place}.new").rename(place)
    while sys.stdin not in select.select([server, sys.stdin], [], [])[0]:
        line, _ = server.accept()
        if os.fork() == 0:
            server.close()
            _work(line)
        line.close()
    Path(place).unlink()
    Path(place).parent.rmdir()


def _work(line: socket.socket) -> None:
    """In a copy: run the command in a copy of that, and tell how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    length = int.from_bytes(_exactly(line, 4), "little")
    _, streams, _, _ = socket.recv_fds(line, 1, 3)
    order = json.loads(_exactly(line, length))
    pid = os.fork()
    if pid == 0:
        line.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        _run(order)
    for stream in streams:
        os.close(stream)
    with suppress(OSError):
        line.sendall(pid.to_bytes(4, "little"))
        _, status = os.waitpid(pid, 0)
        line.sendall(status.to_bytes(4, "little"))
    os._exit(0)


def _run(order: dict[str, Any]) -> None:
    sys.stdin = sys.__stdin__ = open(0, encoding="utf-8", closefd=False)  # type: ignore[misc]  # noqa: SIM115
    sys.stdout = sys.__stdout__ = _writer(1, "strict")  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _writer(2, "backslashreplace")  # type: ignore[misc]
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    time.tzset()
    # As the interpreter does it for ``-m``: the directory first.
    sys.path[:1] = [order["cwd"], *_places(os.environ)]
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    sys.argv = order["words"]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def _writer(number: int, errors: str) -> TextIO:
    """A standard stream anew: what is behind it is a pipe now."""
    return open(
        number, "w", 1 if number == 2 else -1, encoding="utf-8", errors=errors, closefd=False
    )


if __name__ == "__main__":
    _serve(sys.argv[1])
