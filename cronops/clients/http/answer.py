"""What a server answered."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cronops.clients.http.urls import shown
from cronops.errors import BadInput

_EXCERPT = 80


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, complete."""

    status: int
    headers: Mapping[str, str]
    """Found by name in any case."""
    content: bytes
    """The body, unpacked; empty where it went into a file."""
    url: str
    """What was asked in the end, after redirects."""

    def json(self) -> Any:
        """The body as JSON. Raises `BadInput` that says what came instead."""
        try:
            return json.loads(self.content, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            where = shown(self.url)
            if not self.content.strip():
                raise BadInput(f"{where} answered with nothing where JSON was expected") from None
            if self.is_html:
                raise BadInput(
                    f"{where} answered with an HTML page where JSON was expected: a login or "
                    "error page, perhaps"
                ) from None
            reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            place = (
                f" in line {error.lineno}, column {error.colno}"
                if isinstance(error, json.JSONDecodeError)
                else ""
            )
            raise BadInput(f"{where} answered with what is no JSON: {reason}{place}") from None

    @property
    def is_html(self) -> bool:
        """Whether this is a page for people: often an error in disguise."""
        if "html" in self.headers.get("content-type", "").lower():
            return True
        start = self.content[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
        return start.startswith((b"<!doctype html", b"<html"))


def excerpt(text: str) -> str:
    """The beginning of an error's text, on one line, for people; empty where there is none."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _EXCERPT else f"{line[: _EXCERPT - 1]}…"


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
