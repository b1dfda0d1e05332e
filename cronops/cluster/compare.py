"""What applying would change, asked of the server itself: a dry run beside what is there."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from difflib import unified_diff
from typing import Any, Literal

from cronops.cluster.api import Cluster, FieldConflict, NotFound
from cronops.cluster.firing import Firing, firing
from cronops.cluster.kinds import CONFIG_MAP, NAMESPACE, Kind, Object, name_of
from cronops.cluster.manifests import (
    Key,
    inventory_keys,
    inventory_name,
    is_cron_job,
    is_ours,
    key_of,
    prunable_kinds,
)
from cronops.cluster.suspension import MANAGER as SUSPENSIONS
from cronops.cluster.suspension import Suspension, live_suspension
from cronops.errors import ClusterRefused
from cronops.schedules.objects import object_text

MANAGER = "cronops"
Action = Literal["create", "change", "keep", "prune", "refuse"]
_WORKERS = 8
# What the server adds, and what says nothing of what was meant.
_OF_THE_SERVER = (
    "managedFields",
    "resourceVersion",
    "uid",
    "generation",
    "creationTimestamp",
    "selfLink",
)


@dataclass(frozen=True)
class Change:
    """What becomes of one object."""

    wanted: Object | None
    """As it would be handed in; None for one that goes."""
    live: Object | None
    after: Object | None
    """As the server would have it then; as handed in where it could not be asked."""
    problem: str | None = None
    """Why the server would refuse it."""
    kept: Suspension | None = None
    """A suspension of the live CronJob that stays."""
    firing: Firing | None = None

    @property
    def key(self) -> Key:
        """Kind and name."""
        found = self.wanted or self.live
        assert found is not None  # noqa: S101 - one of the two is always there
        return key_of(found)

    @property
    def action(self) -> Action:
        """What would be done."""
        if self.problem is not None:
            return "refuse"
        if self.wanted is None:
            return "prune"
        if self.live is None:
            return "create"
        return "keep" if _shown(self.live) == _shown(self.after) else "change"

    def difference(self) -> list[str]:
        """From what is there to what would be: a unified diff; empty where nothing differs."""
        kind, name = self.key
        shown = f"{kind}/{name}"
        before, after = _text(self.live), _text(self.after if self.wanted else None)
        return list(
            unified_diff(
                before.splitlines(),
                after.splitlines(),
                f"live/{shown}" if self.live else "/dev/null",
                f"wanted/{shown}" if self.wanted else "/dev/null",
                lineterm="",
            )
        )


@dataclass(frozen=True)
class Live:
    """What is in the cluster of one environment."""

    objects: Mapping[Key, Object]
    inventory: Object | None

    @property
    def recorded(self) -> set[Key]:
        """What the inventory says was applied."""
        return inventory_keys(self.inventory)


def read_live(cluster: Cluster, environment: str, namespace: str, wanted: Iterable[Object]) -> Live:
    """The objects that are wanted or were applied before, as far as they are there."""
    kinds = prunable_kinds()

    def listed(kind: Kind) -> list[Object]:
        return list(cluster.list(kind, namespace=namespace))

    found: dict[Key, Object] = {}
    with ThreadPoolExecutor(_WORKERS) as pool:
        for objects in pool.map(listed, kinds):
            found.update({key_of(one): one for one in objects})
    for one in wanted:
        if one["kind"] == NAMESPACE.name:
            space = cluster.get(NAMESPACE, name_of(one))
            if space is not None:
                found[key_of(one)] = space
    return Live(found, found.get((CONFIG_MAP.name, inventory_name(environment))))


def compare(
    cluster: Cluster,
    wanted: Sequence[Object],
    live: Live,
    *,
    environment: str,
    now: datetime,
    keep_suspensions: bool = True,
    force: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Iterator[Change]:
    """Every object with what would become of it, those to be pruned last."""

    def one_change(one: Object) -> Change:
        return _compared(cluster, one, live, now, keep_suspensions=keep_suspensions, force=force)

    with ThreadPoolExecutor(_WORKERS) as pool:
        for done, change in enumerate(pool.map(one_change, wanted), 1):
            progress(done, len(wanted))
            yield change
    yield from (Change(None, one, None) for one in prunable(wanted, live, environment))


def prunable(wanted: Iterable[Object], live: Live, environment: str) -> list[Object]:
    """What was applied once, is there, carries our labels, and is wanted no more."""
    keys = {key_of(one) for one in wanted} | {(CONFIG_MAP.name, inventory_name(environment))}
    return [
        live.objects[key]
        for kind in prunable_kinds()
        for key in sorted(live.recorded - keys)
        if key[0] == kind.name and key in live.objects and is_ours(live.objects[key], environment)
    ]


def kept_suspended(one: Object) -> Object:
    """The same CronJob, suspended."""
    changed: dict[str, Any] = deepcopy(dict(one))
    changed["spec"]["suspend"] = True
    return changed


def send(cluster: Cluster, one: Object, *, dry_run: bool, force: bool) -> Object:
    """Apply one object; where only our own suspensions stand against it, over those."""
    try:
        return cluster.apply(one, manager=MANAGER, dry_run=dry_run, force=force)
    except FieldConflict as conflict:
        if conflict.managers - {SUSPENSIONS, MANAGER}:
            raise
        return cluster.apply(one, manager=MANAGER, dry_run=dry_run, force=True)


def _compared(
    cluster: Cluster,
    one: Object,
    live: Live,
    now: datetime,
    *,
    keep_suspensions: bool,
    force: bool,
) -> Change:
    there = live.objects.get(key_of(one))
    kept = live_suspension(there) if is_cron_job(one) else None
    if kept and not keep_suspensions:
        # It is let go before it is applied, so the field stands against nothing then.
        kept, force = None, True
    if kept:
        one = kept_suspended(one)
    try:
        after_all = send(cluster, one, dry_run=True, force=force)
    except NotFound:
        return Change(one, there, one, kept=kept)  # its namespace is still to be made
    except ClusterRefused as refused:
        return Change(one, there, None, str(refused), kept)
    starts = firing(there, one, now) if is_cron_job(one) else None
    return Change(one, there, after_all, None, kept, starts)


def _shown(one: Object | None) -> dict[str, Any] | None:
    if one is None:
        return None
    shown = {name: value for name, value in one.items() if name != "status"}
    meta = {name: value for name, value in one["metadata"].items() if name not in _OF_THE_SERVER}
    return {**shown, "metadata": meta}


def _text(one: Object | None) -> str:
    shown = _shown(one)
    return "" if shown is None else object_text(shown)
