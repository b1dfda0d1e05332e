"""What goes wrong at a server of files, and where."""

import threading
from dataclasses import dataclass, field

CUT, STALL, SHORT = "cut", "stall", "short"
POINTS = ("connect", "login", "list", "download", "upload", "rename")


@dataclass
class Trouble:
    """At a named point the server cuts the connection or falls silent.

    The points: after the connection is made, at the login, at a listing, in the middle of a
    download or an upload, and before a rename. With `SHORT` it ends a download early as if that
    were all of the file, and drops the rest of an upload as if it had taken it.
    """

    at: str
    how: str = CUT
    times: int = 1_000_000
    """How often; after that it works."""
    after: int = 100_000
    """Bytes of a download or an upload that still go through."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        assert self.at in POINTS, f"{self.at} is none of {POINTS}"

    def strikes(self, point: str, moved: int = 0) -> bool:
        """Whether it happens now, at `point`, after so many bytes."""
        in_the_middle = point in ("download", "upload")
        with self._lock:
            if point != self.at or self.times <= 0 or (in_the_middle and moved < self.after):
                return False
            self.times -= 1
            return True
