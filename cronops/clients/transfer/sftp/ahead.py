"""Reads a file with several requests on their way at once."""

from collections import deque
from collections.abc import Iterator
from typing import Any

from paramiko import SFTPClient, SFTPFile
from paramiko.sftp import CMD_READ, CMD_STATUS, int64

REQUEST = 32_768
"""Bytes of one request: the most that every server takes."""
_ON_THEIR_WAY = 64
"""Requests at once: 2 MiB, which is all that is ever in memory."""


class ReadAhead:
    """The blocks of a file of `size` bytes, in order.

    paramiko has a read-ahead of its own, in a thread that outlives a lost connection. This is
    the same without one; it uses the three methods of `SFTPClient` that paramiko's own uses.
    """

    def __init__(self, sftp: SFTPClient, file: SFTPFile, size: int) -> None:
        self._sftp: Any = sftp
        self._handle = file.handle
        self._size = size
        self._asked: deque[tuple[int, int, int]] = deque()
        self._answers: dict[int, tuple[int, Any]] = {}

    def __iter__(self) -> Iterator[bytes]:
        end = 0
        while end < self._size or self._asked:
            while end < self._size and len(self._asked) < _ON_THEIR_WAY:
                length = min(REQUEST, self._size - end)
                self._asked.append(self._ask(end, length))
                end += length
            number, offset, length = self._asked.popleft()
            block = self._answer(number)
            if len(block) < length:  # a server may give less than it is asked for
                self._asked.appendleft(self._ask(offset + len(block), length - len(block)))
            yield block

    def _ask(self, offset: int, length: int) -> tuple[int, int, int]:
        number = self._sftp._async_request(self, CMD_READ, self._handle, int64(offset), length)
        return number, offset, length

    def _answer(self, number: int) -> bytes:
        while number not in self._answers:
            self._sftp._read_response()
        kind, message = self._answers.pop(number)
        if kind == CMD_STATUS:
            self._sftp._convert_status(message)
            raise EOFError("the server gave no data")
        block: bytes = message.get_string()
        if not block:
            raise EOFError("the server gave no data")
        return block

    def _async_response(self, kind: int, message: Any, number: int) -> None:
        """Called by `SFTPClient` with each answer to a request of ours."""
        self._answers[number] = (kind, message)
