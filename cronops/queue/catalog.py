"""Finds a message's handler once, and remembers what working it takes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from cronops.queue.failure import Hopeless
from cronops.queue.handler import Handler
from cronops.queue.message import Message

if TYPE_CHECKING:
    from pydantic import ValidationError

FindHandler = Callable[[str], Handler]
"""From a name to its handler; raises `LookupError` where there is none."""

_TIMEOUT_WITHOUT_HANDLER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Known:
    """A handler, ready to be called."""

    handler: Handler | None
    """None where it could not be found or imported: `call` then raises the reason."""
    call: Callable[[Any, Message], None]
    seconds: float
    in_batches: bool


class Catalog:
    """The handlers met so far."""

    def __init__(self, find_handler: FindHandler) -> None:
        self._find_handler = find_handler
        self._known: dict[str, Known] = {}
        self.in_batches: list[str] = []
        """Names of those met that settle in batches."""

    def __getitem__(self, name: str) -> Known:
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = self._look_up(name)
            if known.in_batches:
                self.in_batches.append(name)
        return known

    def owners_of(self, name: str) -> tuple[str, ...]:
        """Who is accountable for the handler's messages; nobody where it is not known."""
        handler = self[name].handler
        return handler.accountable if handler else ()

    def _look_up(self, name: str) -> Known:
        try:
            handler = self._find_handler(name)
        except LookupError as error:
            return _failing(Hopeless(_unknown(name, error)))
        except Exception as error:
            # A broken deployment, not a broken message: it keeps its other attempts.
            return _failing(error)
        model, function = handler.payload, handler.function
        if model is None:
            call = function
        else:
            from pydantic import ValidationError

            validate = model.model_validate

            def call(ctx: Any, message: Message) -> None:
                try:
                    message.payload = validate(message.payload)
                except ValidationError as error:
                    raise Hopeless(_misfit(model.__name__, error)) from None
                function(ctx, message)

        return Known(handler, call, handler.timeout.total_seconds(), handler.settle == "batch")


def _failing(error: Exception) -> Known:
    def call(ctx: Any, message: Message) -> None:  # noqa: ARG001 - called like any handler
        raise error

    return Known(None, call, _TIMEOUT_WITHOUT_HANDLER.total_seconds(), False)


def _unknown(name: str, error: LookupError) -> str:
    reason = error.args[0] if error.args and isinstance(error.args[0], str) else ""
    told = reason if name in reason and " " in reason else f"no handler is called {name!r}"
    return f"{told}; deploy it, or correct the message, then: cronops queue retry"


def _misfit(model: str, error: "ValidationError") -> str:
    # Without the values: the error goes into alerts and logs, a payload may be personal.
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    told = "; ".join(
        f"{'.'.join(map(str, problem['loc'])) or 'payload'}: {problem['msg']}"
        for problem in problems
    )
    return f"the payload does not fit {model}: {told}"
