"""What ``diff`` and ``apply`` share: the file's environment, and what it would change."""

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronops.cli.output import note, paint, print_line, printable

if TYPE_CHECKING:
    from cronops.cluster.api import Cluster
    from cronops.cluster.compare import Change, Live
    from cronops.schedules.resolve import ResolvedEnvironment

Resume = Annotated[
    bool,
    typer.Option("--resume", help="Let schedules go that somebody suspended in the cluster."),
]
Force = Annotated[
    bool,
    typer.Option(
        "--force-conflicts", help="Take over fields that others have set, as with kubectl edit."
    ),
]
_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


@dataclass(frozen=True)
class Compared:
    """One environment, and what is in the cluster of it."""

    environment: "ResolvedEnvironment"
    source: str
    """SHA-256 of the schedules file."""
    live: "Live"
    changes: "list[Change]"

    @property
    def differing(self) -> "list[Change]":
        """The changes that are some."""
        return [change for change in self.changes if change.action != "keep"]


def compared(
    cluster: "Cluster", file: str, environment: str, *, resume: bool, force: bool
) -> Compared:
    """Validate the file, render the environment, and ask the server what it would change."""
    from cronops.cli.schedules.file import check_or_stop, read_file
    from cronops.cluster.compare import compare, read_live
    from cronops.cluster.manifests import wanted_objects
    from cronops.errors import BadInput
    from cronops.telemetry.progress import ProgressBar

    read = read_file(file)
    report = check_or_stop(read, environment)
    resolved = report.environments[environment]
    wanted = wanted_objects(resolved, read.text)
    live = read_live(cluster, environment, resolved.namespace, wanted)
    try:
        _ = live.recorded
    except (ValueError, TypeError) as error:
        raise BadInput(
            f"the inventory of {environment} in namespace {resolved.namespace} cannot be read "
            f"({error}); put it right or delete that ConfigMap: then nothing is pruned"
        ) from None
    changes = list(
        compare(
            cluster,
            wanted,
            live,
            environment=environment,
            now=datetime.now(UTC),
            keep_suspensions=not resume,
            force=force,
            progress=ProgressBar("comparing").show,
        )
    )
    return Compared(resolved, sha256(read.text).hexdigest(), live, changes)


def record(change: "Change") -> dict[str, Any]:
    """A change as JSON; scripts rely on the names."""
    kind, name = change.key
    return {
        "kind": kind,
        "name": name,
        "action": change.action,
        "problem": change.problem,
        "suspension_kept": change.kept.told if change.kept else None,
        "starts_at_once": change.firing.slot if change.firing else None,
        "difference": change.difference() if change.problem is None else [],
    }


def show_difference(change: "Change") -> None:
    """A change as diff shows it."""
    if change.problem is not None:
        kind, name = change.key
        print_line(paint(f"{kind}/{name}: refused: {printable(change.problem)}", "red"))
        return
    for line in change.difference():
        colour = _COLOURS.get(line[:1])
        print_line(paint(printable(line), colour) if colour else printable(line))


def tell_suspensions(changes: "list[Change]") -> None:
    """Which suspensions stay."""
    for change in changes:
        if change.kept is not None:
            over = " (its time is over)" if change.kept.is_over(datetime.now(UTC)) else ""
            note(f"stays suspended: {change.key[1]}, {printable(change.kept.told)}{over}")


def tell_firings(changes: "list[Change]") -> list[str]:
    """What starts at once; told, and returned."""
    told = [f"{change.key[1]}: {change.firing.told}" for change in changes if change.firing]
    for line in told:
        note(paint(f"warning: {line}", "yellow", errors=True))
    return told
