"""A mail as a job has it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Mail:
    """One mail to one recipient."""

    sender: str
    """``Name <address>``, or the address alone."""
    to: str
    subject: str
    text: str
    html: str | None
    message_id: str
    """With its angle brackets; the same one whenever the same mail is sent again."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Further ones, in ASCII; they are sent exactly as they are."""
