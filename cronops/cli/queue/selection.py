"""How messages are named on the command line, and what is said of names nobody knows."""

from typing import TYPE_CHECKING, Annotated

import typer

from cronops.cli.names import nearest
from cronops.cli.session import said
from cronops.errors import UsageError

if TYPE_CHECKING:
    from cronops.cli.session import Session

_LARGEST_ID = 2**63 - 1


def message_id(text: str) -> int:
    """A message's id."""
    number = int(text) if text.isdecimal() else 0
    if not 1 <= number <= _LARGEST_ID:
        raise ValueError(f"{text!r} is no message's id")
    return number


Ids = Annotated[
    list[int], typer.Argument(metavar="ID", parser=message_id, help="Messages, by their ids.")
]
MaybeIds = Annotated[
    list[int] | None,
    typer.Argument(
        metavar="ID", parser=message_id, help="Messages, by their ids.", show_default=False
    ),
]
Queue = Annotated[
    str | None,
    typer.Option(
        "--queue", parser=said, metavar="QUEUE", help="Only this queue.", show_default=False
    ),
]
Handler = Annotated[
    str | None,
    typer.Option(
        "--handler",
        parser=said,
        metavar="HANDLER",
        help="Only of this handler.",
        show_default=False,
    ),
]


def refuse_unknown_queue(at: "Session", queue: str) -> None:
    """Raise `UsageError` where no queue of that name has messages."""
    from cronops.queue.view import status

    known = [state.queue for state in status(at.connection) if any(state.counts.values())]
    if queue not in known and queue != "general":
        hint = nearest(queue, [*known, "general"]) or "; see: cronops queue status"
        raise UsageError(f"no queue called {queue!r} has messages{hint}")


def refuse_unknown_handler(handler: str) -> None:
    """Raise `UsageError` where no handler of that name is deployed here."""
    from cronops.jobs.registry import list_handlers

    known = list(list_handlers())
    if handler not in known:
        raise UsageError(f"no handler is called {handler!r}{nearest(handler, known)}")
