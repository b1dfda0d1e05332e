"""Waivers: rules that the file lets be broken in one place, each with its reason."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from cronops.schedules.findings import Finding, Path, Severity
from cronops.schedules.merge import Layer, migration_layers
from cronops.schedules.model import Document, Schedule, Template, Waiver
from cronops.schedules.nearest import did_you_mean

SHORTEST_REASON = 10
"""Letters; fewer explain nothing to whoever reads the file next year."""


class Waivers:
    """What a file waives, and what of that was ever needed."""

    def __init__(self, document: Document, waivable: Collection[str]) -> None:
        self._waivable = frozenset(waivable)
        self._used: set[Path] = set()
        self._document = document
        self._common: dict[str, dict[str, list[tuple[Path, str]]]] = {}

    def of_schedule(self, layers: Iterable[Layer], rule: str) -> str | None:
        """Why a schedule with these layers may break the rule; None where it may not."""
        return self._take(self._said(layers).get(rule))

    def of_environment(self, environment: str, rule: str) -> str | None:
        """Why the environment, or its migration, may break the rule; None where it may not."""
        if environment not in self._common:
            self._common[environment] = self._said(migration_layers(self._document, environment))
        return self._take(self._common[environment].get(rule))

    def problems(self, known: Collection[str], *, complete: bool) -> Iterator[Finding]:
        """Waivers that cannot hold; and, where all environments were checked, needless ones."""
        for path, schedule, waiver in _everywhere(self._document):
            if waiver.rule not in known:
                yield Finding(
                    "waiver-unknown",
                    Severity.ERROR,
                    f"no rule is called {waiver.rule!r}",
                    did_you_mean(waiver.rule, known, "see: cronops schedules rules"),
                    (*path, "rule"),
                    schedule=schedule,
                )
            elif waiver.rule not in self._waivable:
                yield Finding(
                    "waiver-refused",
                    Severity.ERROR,
                    f"{waiver.rule} cannot be waived: what breaks it would not run",
                    "take the waiver out, and correct what the rule finds",
                    (*path, "rule"),
                    schedule=schedule,
                )
            elif not _explains(waiver.reason):
                yield Finding(
                    "waiver-unexplained",
                    Severity.ERROR,
                    f"the reason {waiver.reason!r} explains nothing",
                    f"say in {SHORTEST_REASON} letters or more why {waiver.rule} may be broken",
                    (*path, "reason"),
                    schedule=schedule,
                )
            elif complete and path not in self._used:
                yield Finding(
                    "waiver-unused",
                    Severity.WARNING,
                    f"nothing here breaks {waiver.rule}, so nothing is waived",
                    "take the waiver out",
                    path,
                    schedule=schedule,
                )

    def _said(self, layers: Iterable[Layer]) -> dict[str, list[tuple[Path, str]]]:
        said: dict[str, list[tuple[Path, str]]] = defaultdict(list)
        for layer in layers:
            for path, waiver in _of(layer.said, layer.path):
                if waiver.rule in self._waivable and _explains(waiver.reason):
                    said[waiver.rule].append((path, waiver.reason))
        return said

    def _take(self, found: list[tuple[Path, str]] | None) -> str | None:
        if not found:
            return None
        self._used.update(path for path, _ in found)
        return found[-1][1]


def _everywhere(document: Document) -> Iterator[tuple[Path, str | None, Waiver]]:
    yield from _named(document.defaults, ("defaults",))
    for name, environment in document.environments.items():
        path: Path = ("environments", name)
        yield from _named(environment, path)
        if environment.migration is not None:
            yield from _named(environment.migration, (*path, "migration"))
    for index, entry in enumerate(document.schedules):
        yield from _of_entry(entry, ("schedules", index))


def _of_entry(entry: Schedule, path: Path) -> Iterator[tuple[Path, str | None, Waiver]]:
    yield from _named(entry, path, entry.name)
    for name, override in entry.environments.items():
        yield from _named(override, (*path, "environments", name), entry.name)


def _named(
    said: Template, path: Path, schedule: str | None = None
) -> Iterator[tuple[Path, str | None, Waiver]]:
    for place, waiver in _of(said, path):
        yield place, schedule, waiver


def _of(said: Template, path: Path | None) -> Iterator[tuple[Path, Waiver]]:
    for index, waiver in enumerate(said.waivers):
        yield (*(path or ()), "waivers", index), waiver


def _explains(reason: str) -> bool:
    return len(reason.strip()) >= SHORTEST_REASON
