"""Reminding by mail, beside a bare loop of smtplib over one connection to the same server."""

import asyncio
import smtplib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from email.message import EmailMessage

from benchmarks.database import Database
from benchmarks.harness import Section, Unmeasurable, alternate
from benchmarks.workers import command_of
from cronops.db.shop import create_shop
from cronops.samples.customers import fill_customers

# Everybody has an address and a licence that ends in a week.
_ALL_ARE_DUE = """
UPDATE customer SET email = id || '@e.example', status = 'approved';
UPDATE license SET auto_renew = false, valid_until = current_date + 7
"""


def run(database: Database, quick: bool) -> Sequence[Section]:
    """Times only: a page of 500 licences is all that is held."""
    count, rounds = (500, 2) if quick else (10_000, 5)
    with database.connect() as connection:
        create_shop(connection, "shop")
        connection.execute("SET search_path = cronops, shop")
        fill_customers(connection, count)
        connection.execute(_ALL_ARE_DUE)
    section = Section(
        f"Reminders, {count:,} mails",
        "s",
        "A server in a process of its own takes them, in clear. Ours is a whole process, which "
        "makes each mail from its templates and commits the answer with the next one's claim; "
        "the bare loop sends one mail again and again, and knows nothing afterwards.",
        digits=2,
    )
    with _server() as port:
        subjects: dict[str, Callable[[], float]] = {
            "customers notify-license-expiration": lambda: _ours(database, port, count),
            "smtplib alone": lambda: _bare(port, count),
        }
        section.add(alternate(subjects, rounds))
    section.compare("ours / smtplib alone", *subjects)
    return [section]


def _ours(database: Database, port: int, count: int) -> float:
    database.execute("TRUNCATE reminder")
    mail = {"HOST": "127.0.0.1", "PORT": str(port), "SECURITY": "plain"}
    began = time.perf_counter()
    done = subprocess.run(
        [command_of("cronops"), "customers", "notify-license-expiration"],
        env={**database.env, **{f"CRONOPS_MAIL__{name}": value for name, value in mail.items()}},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - began
    if f"{count} sent" not in done.stdout:
        raise Unmeasurable(f"exit {done.returncode}: {done.stderr[-200:]}")
    return seconds


def _bare(port: int, count: int) -> float:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@e.example", "b@e.example", "Reminder"
    mail.set_content("text " * 100)
    mail.add_alternative("<p>text</p>" * 50, subtype="html")
    content = mail.as_bytes()
    began = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as server:
        for _ in range(count):
            server.sendmail("a@e.example", ["b@e.example"], content)
    return time.perf_counter() - began


@contextmanager
def _server() -> Iterator[int]:
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.mails"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


class _Sink(asyncio.Protocol):
    """Takes every mail, as fast as can be."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._buffer, self._is_mail = transport, b"", False
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while True:
            end = b"\r\n.\r\n" if self._is_mail else b"\r\n"
            said, found, rest = self._buffer.partition(end)
            if not found:
                return
            self._buffer = rest
            self._transport.write(self._answer(said[:4].upper()))

    def _answer(self, command: bytes) -> bytes:
        if self._is_mail:
            self._is_mail = False
        elif command == b"DATA":
            self._is_mail = True
            return b"354 go on\r\n"
        elif command == b"QUIT":
            self._transport.close()
        return b"250 OK\r\n"


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Sink, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
