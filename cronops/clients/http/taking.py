"""What is done with an answer: into memory, into a file, or an error is raised."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cronops.clients.http.answer import excerpt
from cronops.clients.http.body import unpacked
from cronops.clients.http.status import failure
from cronops.clients.http.urls import shown
from cronops.clients.landing import BLOCK, landing, too_large
from cronops.clients.patience import Deadline

if TYPE_CHECKING:
    import httpx

_EXCERPT_BYTES = 2048

Take = Callable[["httpx.Response", Deadline], bytes]


def into_memory(limit: int) -> Take:
    """Takes the whole body, of at most `limit` bytes unpacked."""

    def take(response: "httpx.Response", deadline: Deadline) -> bytes:
        where = shown(str(response.url))
        content = bytearray()
        encoding = response.headers.get("content-encoding", "")
        if response.request.method == "HEAD":
            return b""
        for block in unpacked(response.iter_raw(BLOCK), encoding, where):
            deadline.check()
            content += block
            if len(content) > limit:
                raise too_large(where, limit)
        return bytes(content)

    return take


def into_file(target: Path, limit: int) -> Take:
    """Takes the body into a file, which is there only once it is complete."""

    def take(response: "httpx.Response", deadline: Deadline) -> bytes:
        where = shown(str(response.url))
        encoding = response.headers.get("content-encoding", "")
        length = response.headers.get("content-length", "")
        has_length = length.isascii() and length.isdigit() and not encoding
        announced = int(length) if has_length else None
        if announced is not None and announced > limit:
            raise too_large(where, limit)
        with landing(target, limit=limit, origin=where, deadline=deadline) as arriving:
            for block in unpacked(response.iter_raw(BLOCK), encoding, where):
                arriving.take(block)
            arriving.expect(announced)
        return b""

    return take


def blocks_of(source: Path) -> Iterator[bytes]:
    """The bytes of a file, to be sent."""
    with source.open("rb") as file:
        while block := file.read(BLOCK):
            yield block


def raise_for_status(response: "httpx.Response", where: str, secrets: list[str]) -> None:
    """Raise what the status means, with the beginning of what the server says, less secrets."""
    if response.is_success or response.status_code == 304:
        return
    said = bytearray()
    encoding = response.headers.get("content-encoding", "")
    if response.request.method != "HEAD" and not encoding:
        for block in response.iter_raw(_EXCERPT_BYTES):
            said += block
            if len(said) >= _EXCERPT_BYTES:
                break
    text = "" if b"<html" in said[:512].lower() else said.decode("utf-8", "replace")
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    raise failure(response.status_code, excerpt(text), response.headers, where)
