"""A web server over a directory: GET, HEAD, and PUT where it may be written to."""

from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.partners.web import HttpsServer, Reply, https_server
from tests.servers import Request


@contextmanager
def https_file_server(directory: Path, **options: Any) -> Iterator[HttpsServer]:
    """A server of the files in `directory`; options as of `https_server`."""

    def answer(request: Request) -> Reply:
        file = directory / unquote(urlsplit(request.path).path).lstrip("/")
        if request.method == "PUT":
            file.write_bytes(request.body)
            return Reply(status=201)
        if not file.is_file():
            return Reply(status=404)
        return Reply(
            file.read_bytes(),
            headers={"Last-Modified": formatdate(file.stat().st_mtime, usegmt=True)},
        )

    with https_server(answer, **options) as server:
        yield server
