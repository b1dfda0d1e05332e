"""JSON lines as messages: each one checked, the first that is wrong named by its number."""

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, BinaryIO

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from cronops.errors import BadInput
from cronops.queue.message import Direction, NewMessage

_LARGEST_INTEGER = 2**31 - 1

# PostgreSQL stores no NUL in JSON. An even number of backslashes before it is a text about it.
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")

Check = Callable[[str], None]
"""Raises `BadInput` for a handler that must not be enqueued for."""


class MessageFields(BaseModel):
    """A line of ``--messages``: what it may say, and within which limits."""

    model_config = ConfigDict(extra="forbid", strict=True)

    handler: str = Field(min_length=1)
    payload: Any = None
    queue: str = Field("general", min_length=1)
    direction: Direction = Field(Direction.INCOMING, strict=False)
    priority: int = Field(0, ge=-1000, le=1000)
    available_at: AwareDatetime | None = Field(None, strict=False)
    max_attempts: int | None = Field(None, ge=1, le=_LARGEST_INTEGER)
    dedupe_key: str | None = None
    correlation_id: str | None = None


def messages_of(
    stream: BinaryIO, fields: dict[str, Any], check: Check, *, whole: bool
) -> Iterator[NewMessage]:
    """A message for each line that is not blank; `BadInput` names the first line that is wrong."""
    common = None if whole else message_of({**fields, "payload": None}, "the options")
    for number, raw in enumerate(stream, start=1):
        if raw.isspace():
            continue
        where = f"line {number}"
        try:
            # A file written on Windows may begin with a byte order mark.
            text = raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise BadInput(f"{where} is not UTF-8; nothing was enqueued") from None
        value = parse_json(text, where)
        if common is not None:
            yield replace(common, payload=value)
            continue
        if not isinstance(value, dict):
            raise BadInput(f"{where} is not an object; nothing was enqueued")
        message = message_of({**fields, **value}, where)
        check(message.handler)
        yield message


def message_of(values: dict[str, Any], where: str) -> NewMessage:
    """A message of these fields; raises `BadInput` that says `where` and which field is wrong."""
    try:
        fields = MessageFields.model_validate(values)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(map(str, problem["loc"]))
        raise BadInput(f"{where}: {name}: {problem['msg']}; nothing was enqueued") from None
    return NewMessage(**{name: getattr(fields, name) for name in MessageFields.model_fields})


def parse_json(text: str, where: str) -> Any:
    """The JSON value; raises `BadInput` for what PostgreSQL could not store."""
    try:
        value = json.loads(text, parse_constant=_no_number, parse_float=_finite)
        if "\\u" in text:
            if _NUL.search(text):
                raise ValueError("PostgreSQL stores no NUL character (\\u0000)")
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        reason = "half of a surrogate pair"
    except RecursionError:
        reason = "it is nested too deeply"
    except ValueError as error:
        reason = str(error)
    else:
        return value
    raise BadInput(f"{where} is not JSON that can be stored: {reason}; nothing was enqueued")


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large a number")
    return number
