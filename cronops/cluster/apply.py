"""Applying: what is wanted comes to be, what is wanted no more goes, and the inventory knows.

The inventory is widened before anything is applied and narrowed after everything was pruned. So
whatever it is killed at, nothing of ours is in the cluster that the inventory does not name.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cronops.cluster.api import Cluster, NotFound
from cronops.cluster.compare import MANAGER, Change, Live, send
from cronops.cluster.kinds import CRON_JOB, JOB, NAMESPACE, Object
from cronops.cluster.manifests import Key, inventory_object, is_cron_job
from cronops.cluster.suspension import is_suspended, live_suspension, resume
from cronops.errors import ClusterRefused
from cronops.schedules.resolve import ResolvedEnvironment


@dataclass
class Applied:
    """What was done."""

    created: list[Key] = field(default_factory=list)
    changed: list[Key] = field(default_factory=list)
    unchanged: list[Key] = field(default_factory=list)
    pruned: list[Key] = field(default_factory=list)
    refused: list[tuple[Key, str]] = field(default_factory=list)


def apply(
    cluster: Cluster,
    environment: ResolvedEnvironment,
    changes: Sequence[Change],
    live: Live,
    *,
    actor: str,
    source: str,
    force: bool = False,
    migrate: Callable[[str], str | None] | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Applied:
    """Do what `changes` say; `source` is the hash of the schedules file.

    One object that is refused stops nothing but the pruning: the others are applied. Only where
    `migrate` is given does no CronJob change before the migration is done: it is called with the
    name of that Job, waits for its end, and says what went wrong, if anything did.
    """
    done = Applied()
    wanted = [change for change in changes if change.wanted is not None]
    going = [change for change in changes if change.wanted is None]
    keys = {change.key for change in wanted if change.key[0] != NAMESPACE.name}
    told = {"actor": actor, "source": source, "at": datetime.now(UTC).isoformat(timespec="seconds")}
    _make_namespaces(cluster, wanted, done, force=force)
    _record(cluster, environment, keys | live.recorded, told | {"state": "applying"})
    for place, change in enumerate(wanted, 1):
        if change.key[0] == CRON_JOB.name and migrate and _lacks_its_tables(done):
            break
        if change.key[0] != NAMESPACE.name:
            _apply_one(cluster, change, done, actor=actor, force=force)
        progress(place, len(changes))
        if change.key[0] == JOB.name and migrate and not _lacks_its_tables(done):
            problem = migrate(change.key[1])
            if problem is not None:
                done.refused.append((change.key, problem))
    for place, change in enumerate(going, 1):
        if done.refused:
            break
        assert change.live is not None  # noqa: S101 - only what is there is pruned
        cluster.delete(change.live)
        done.pruned.append(change.key)
        progress(len(wanted) + place, len(changes))
    if not done.refused:
        _record(cluster, environment, keys, told | {"state": "applied"})
    return done


def _make_namespaces(
    cluster: Cluster, wanted: Sequence[Change], done: Applied, *, force: bool
) -> None:
    """First of all: the inventory needs it, too."""
    for change in wanted:
        if change.key[0] == NAMESPACE.name:
            _apply_one(cluster, change, done, actor="", force=force)


def _apply_one(cluster: Cluster, change: Change, done: Applied, *, actor: str, force: bool) -> None:
    assert change.wanted is not None  # noqa: S101 - the caller has seen to it
    try:
        if change.live is not None and _is_let_go(change.live, change.wanted):
            resume(cluster, change.live, by=actor, now=datetime.now(UTC))
        after = send(cluster, change.wanted, dry_run=False, force=force)
    except ClusterRefused as refused:
        done.refused.append((change.key, str(refused)))
        return
    if change.live is None:
        done.created.append(change.key)
    elif _version(after) == _version(change.live):
        done.unchanged.append(change.key)
    else:
        done.changed.append(change.key)


def _lacks_its_tables(done: Applied) -> bool:
    return any(key[0] == JOB.name for key, _ in done.refused)


def _is_let_go(live: Object, wanted: Object) -> bool:
    """Whether somebody's suspension ends here; one that only the file had said just changes."""
    if not is_cron_job(wanted) or live_suspension(live) is None:
        return False
    return not is_suspended(wanted)


def _version(one: Object) -> object:
    return one["metadata"].get("resourceVersion")


def _record(
    cluster: Cluster, environment: ResolvedEnvironment, keys: set[Key], told: dict[str, str]
) -> None:
    inventory = inventory_object(environment, keys, told)
    try:
        cluster.apply(inventory, manager=MANAGER, force=True)
    except NotFound as missing:
        raise ClusterRefused(
            f"{missing}; the inventory of what is applied has no place, so nothing was applied"
        ) from None
