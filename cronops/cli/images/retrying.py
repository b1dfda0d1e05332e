"""``cronops images retry``: the failed rows of a batch once more."""

from typing import Annotated, Any

import typer

from cronops.cli.images.batches import Batch
from cronops.cli.output import print_line, show_json
from cronops.cli.session import Json, MaybeReason, session
from cronops.cli.tree import examples, operator_app

app = operator_app()


@app.command(epilog=examples('cronops images retry 7 --reason "the supplier\'s server is back"'))
def retry(
    batch: Batch,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Rows that are done, too: after other renditions were set."),
    ] = False,
    reason: MaybeReason = None,
    as_json: Json = False,
) -> None:
    """Enqueue the failed rows of a batch again; what is done is left alone.

    So are rows that wait and whose message was deleted. A row that a newer batch has overtaken
    meanwhile changes nothing. An alert about the batch's
    messages is resolved.
    """
    from cronops.contract.alerts.outbox import write_handler_recovered
    from cronops.jobs.images.view import retry_batch
    from cronops.queue.control import Act

    with session("images retry") as at:

        def recovered(connection: Any, of_handler: str) -> None:
            write_handler_recovered(connection, at.settings, of_handler, actor=at.actor)

        rows, messages = retry_batch(
            at.connection,
            batch,
            Act(at.actor, reason),
            chunk_rows=at.settings.images.chunk_rows,
            everything=everything,
            on_retry=recovered,
        )
    if as_json:
        show_json({"batch": batch, "rows": rows, "messages": messages})
    elif messages:
        which = "" if everything else "failed "
        print_line(f"Enqueued {rows} {which}rows of batch {batch} again, in {messages} messages.")
    else:
        print_line(f"No row of batch {batch} {'is kept' if everything else 'has failed'}.")
