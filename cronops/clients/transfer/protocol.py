"""What every kind of transfer promises."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file at the other end, as it lists it."""

    name: str
    """Without a directory."""
    size: int | None
    """In bytes; None where the other end does not tell."""
    modified: datetime | None
    """With its zone; None where the other end does not tell."""


class Transfer(Protocol):
    """One directory at the other end, open.

    Raises of every method: `TransientError` where the network or the server failed and another
    try may help, `ConfigurationError` where login, host key, certificate or place are wrong,
    `BadInput` where what lies there cannot be taken. Messages name host, directory and file, and
    never a secret. Nothing hangs: connecting, silence and the whole are bounded by the settings.
    """

    where: str
    """The place for people, without a secret: ``sftp://files.example.com/inbound``."""

    def __enter__(self) -> Self:
        """Connect."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Disconnect; never raises."""

    def list(self, pattern: str = "*") -> Sequence[RemoteFile]:
        """The regular files whose name fits the shell pattern, by name.

        Hidden and temporary ones (``.…``, ``….part``, ``….tmp``) are left out.
        """

    def download(self, name: str, target: Path, *, limit: int) -> RemoteFile:
        """Fetch a file to `target`, streaming; what was fetched.

        Written beside `target` under a temporary name, synced, and renamed only when as many
        bytes have come as the other end says there are. Raises `BadInput` past `limit` bytes.
        """

    def upload(self, source: Path, name: str) -> None:
        """Publish a file: under a temporary name first, its size checked, then renamed.

        What has that name there is replaced. A connection cut at any point leaves either the
        old file or the new one under `name`, never a part.
        """

    def move(self, name: str, directory: str) -> str:
        """Move a file to a directory, made where missing; its name there.

        `directory` is relative to the open one: ``backup`` lies in it, ``../backup`` beside it;
        an absolute one is taken as it is. Nothing is overwritten: a name that is taken gets a
        number. A file that is gone already raises `BadInput`.
        """
