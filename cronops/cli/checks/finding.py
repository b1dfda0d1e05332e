"""What a check of the doctor's finds."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's."""

    check: str
    state: Literal["ok", "warn", "fail"]
    detail: str
    advice: str = ""
    """What to do about it."""
