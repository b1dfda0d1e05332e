"""`make run`: a batch of messages through the queue, each command shown as one would type it.

Uses the server that ``CRONOPS_DATABASE_URL`` names; where none is named, the embedded one,
which is stopped again at the end.
"""

import json
import sys
from collections.abc import Iterator

from cronops.samples.tour import Step, show_on_own_server


def sample_batch() -> Iterator[dict[str, object]]:
    """Messages that succeed, and a few that show what happens otherwise."""
    for number in range(1, 101):
        yield {"handler": "sample.echo", "payload": {"greeting": f"hello {number}"}}
    yield {"handler": "sample.echo", "payload": ["urgent", True], "priority": 100}
    yield {"handler": "sample.sleep", "payload": {"seconds": 0.2}, "direction": "outgoing"}
    yield {"handler": "sample.sleep", "payload": {"seconds": "a while"}}  # fits no model: CRASH
    yield {"handler": "sample.fail", "payload": {"permanent": True}}  # CRASH at once
    yield {"handler": "sample.fail", "payload": {"permanent": False}}  # tried again later


def tour() -> Iterator[Step]:
    """The commands, in order."""
    lines = "".join(json.dumps(message) + "\n" for message in sample_batch())
    yield Step("Create the tables, or bring them up to date.", "db upgrade")
    yield Step(
        "Put a sample batch into the queue: JSON lines, here from a file.",
        "queue enqueue --queue=general --messages --payload=-",
        lines,
    )
    yield Step("Work the queue, as the cron pod would.", "queue process --queue=general")
    yield Step("What ran?", "runs list --limit=3")
    yield Step(
        "What does the queue hold? In CRASH is what cannot succeed; one waits for another attempt.",
        "queue status",
    )
    yield Step("Which ones failed, and why?", "queue list --status=CRASH --limit=4")


def main() -> int:
    """Run the tour; the exit code of the first command that fails, or 0."""
    return show_on_own_server(tour())


if __name__ == "__main__":
    sys.exit(main())
