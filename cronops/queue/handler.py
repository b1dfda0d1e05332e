"""What a developer declares once above a message handler."""

import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from cronops.errors import DeclarationError
from cronops.owners import as_owners

if TYPE_CHECKING:
    from pydantic import BaseModel

_NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")

Settle = Literal["each", "batch"]


@dataclass(frozen=True, kw_only=True)
class Handler:
    """A declared handler: the function, and how its messages are worked."""

    name: str
    max_attempts: int | None
    timeout: timedelta
    settle: Settle
    accountable: tuple[str, ...]
    payload: "type[BaseModel] | None"
    impact: str
    function: Callable[[Any, Any], None]

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return (inspect.getdoc(self.function) or "").split("\n", 1)[0]


def handler(
    name: str,
    *,
    timeout: timedelta,
    accountable: str | Iterable[str],
    max_attempts: int | None = None,
    settle: Settle = "each",
    payload: "type[BaseModel] | None" = None,
    impact: str = "",
) -> Callable[[Callable[[Any, Any], None]], Handler]:
    """Declare a handler: a function of a `JobContext` and a `Message`.

    Args:
        name: What a message's ``handler`` column says: ``"orders.process"``.
        timeout: For one message; past it the process is killed and the attempt has failed.
        accountable: Owner or owners told when one of its messages enters CRASH.
        max_attempts: Attempts before CRASH; None takes the configured number.
        settle: ``"each"`` commits message by message. ``"batch"`` commits many at once and is
            many times faster; a message may then be handled twice before it is committed, its
            database effects still exactly once.
        payload: A pydantic model; what does not fit goes to CRASH at once, with the reason.
        impact: What a message in CRASH means to the domain owner, in the domain's words.

    Raises:
        DeclarationError: at import, saying what is missing or wrong.
    """

    def declare(function: Callable[[Any, Any], None]) -> Handler:
        of = f"handler {name!r}"
        declared = Handler(
            name=name,
            max_attempts=max_attempts,
            timeout=timeout,
            settle=settle,
            accountable=as_owners(accountable, of=of, role="accountable"),
            payload=payload,
            impact=impact,
            function=function,
        )
        for problem in _problems(declared):
            raise DeclarationError(f"{of}: {problem}")
        return declared

    return declare


def _problems(declared: Handler) -> Iterable[str]:
    if not _NAME.fullmatch(declared.name):
        yield "the name must be lower-case words joined by dots, as in 'orders.process'"
    if not isinstance(declared.timeout, timedelta) or declared.timeout <= timedelta(0):
        yield "timeout= must be a timedelta longer than 0"
    if not declared.accountable:
        yield "accountable= names nobody"
    if declared.max_attempts is not None and declared.max_attempts < 1:
        yield "max_attempts= must be at least 1"
    if declared.settle not in ("each", "batch"):
        yield f"settle= must be 'each' or 'batch', not {declared.settle!r}"
    if declared.payload is not None and not _is_model(declared.payload):
        yield "payload= must be a pydantic model"
    if len(inspect.signature(declared.function).parameters) != 2:
        yield "the function takes two parameters: the JobContext and the Message"


def _is_model(candidate: object) -> bool:
    # Whoever declares a model has imported pydantic; nobody else pays for it.
    from pydantic import BaseModel

    return isinstance(candidate, type) and issubclass(candidate, BaseModel)
