"""How everything here is measured: alternating runs, medians, spreads, and ratios against goals."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Series:
    """The same thing measured several times."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def lowest(self) -> float:
        return min(self.values)

    @property
    def highest(self) -> float:
        return max(self.values)


@dataclass(frozen=True)
class Missing:
    """Something that could not be measured, and why."""

    reason: str


Result = Series | Missing


@dataclass(frozen=True)
class Row:
    """One line of a section's table."""

    name: str
    result: Result
    remark: str = ""


@dataclass(frozen=True)
class Goal:
    """What a ratio is to reach."""

    bound: float
    at_most: bool = False

    def reached(self, value: float) -> bool:
        return value <= self.bound if self.at_most else value >= self.bound

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {self.bound:g}"


@dataclass(frozen=True)
class Ratio:
    """One result over another (or another figure with a goal), beside what it is to reach."""

    name: str
    value: float | None
    goal: Goal | None = None
    stretch: Goal | None = None
    unit: str = ""
    spread: tuple[float, float] | None = None

    @property
    def shown(self) -> str:
        """The value with its spread, for a table."""
        if self.value is None:
            return "-"
        text = f"{self.value:.2f}{self.unit}"
        return f"{text} ({self.spread[0]:.2f} to {self.spread[1]:.2f})" if self.spread else text

    @property
    def verdict(self) -> str:
        if self.value is None:
            return "not measured"
        if self.goal is None:
            return ""
        if not self.goal.reached(self.value):
            return "**no**"
        return (
            "yes, and the stretch" if self.stretch and self.stretch.reached(self.value) else "yes"
        )


@dataclass
class Section:
    """One subject: what was measured, in which unit, and what came out."""

    title: str
    unit: str
    about: str
    rows: list[Row] = field(default_factory=list)
    ratios: list[Ratio] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    digits: int = 0

    def add(self, results: Mapping[str, Result], remarks: Mapping[str, str] | None = None) -> None:
        """Add a row per result, in order."""
        for name, result in results.items():
            self.rows.append(Row(name, result, (remarks or {}).get(name, "")))

    def compare(
        self,
        name: str,
        ours: str,
        other: str,
        goal: Goal | None = None,
        stretch: Goal | None = None,
    ) -> None:
        """Add the ratio of two rows: the median of the rounds' own ratios.

        What is measured side by side shares the minute it was measured in, busy or not. Rows of
        different alternations have no rounds in common: there it is the ratio of the medians.
        """
        above, below = self._values(ours), self._values(other)
        if not above or not below:
            self.ratios.append(Ratio(name, None, goal, stretch))
        elif len(above) == len(below):
            rounds = [a / b for a, b in zip(above, below, strict=True)]
            spread = (min(rounds), max(rounds))
            value = statistics.median(rounds)
            self.ratios.append(Ratio(name, value, goal, stretch, spread=spread))
        else:
            value = statistics.median(above) / statistics.median(below)
            self.ratios.append(Ratio(name, value, goal, stretch))

    def median(self, name: str) -> float | None:
        """The median of the row of that name; None where it could not be measured."""
        for row in self.rows:
            if row.name == name:
                return row.result.median if isinstance(row.result, Series) else None
        raise KeyError(name)

    def _values(self, name: str) -> tuple[float, ...]:
        found = next(row.result for row in self.rows if row.name == name)
        return found.values if isinstance(found, Series) else ()


def alternate(subjects: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, Result]:
    """Measure each subject once a round, A B A B …, so that a busy minute touches all alike.

    A subject that raises is not tried again: its result is `Missing`, with the error's text, and
    the others go on.
    """
    values: dict[str, list[float]] = {name: [] for name in subjects}
    broken: dict[str, str] = {}
    for number in range(rounds):
        for name, measure in subjects.items():
            if name in broken:
                continue
            try:
                values[name].append(measure())
            except Exception as error:
                reason = str(error).strip() or type(error).__name__
                broken[name] = " ".join(reason.split())[:200]
                progress(f"{name}: {reason}")
        progress(f"round {number + 1} of {rounds}: " + _latest(values))
    return {
        name: Missing(broken[name]) if name in broken else Series(tuple(found))
        for name, found in values.items()
    }


class Unmeasurable(Exception):
    """This subject cannot be measured here: not installed, or it failed."""


def progress(text: str) -> None:
    """Say how far the benchmark is."""
    print(f"  {text}", flush=True)


def markdown(section: Section) -> str:
    """The section as Markdown: a table of figures, a table of ratios, the notes."""
    lines = [f"## {section.title}", "", section.about, ""]
    if section.rows:
        lines += _table(
            ("", f"median ({section.unit})", "lowest to highest", "runs", ""),
            [_figures(row, section.digits) for row in section.rows],
        )
    if section.ratios:
        lines += _table(
            ("ratio", "measured", "goal", "stretch", "reached"),
            [
                (
                    ratio.name,
                    ratio.shown,
                    str(ratio.goal or "") + (ratio.unit if ratio.goal else ""),
                    str(ratio.stretch or ""),
                    ratio.verdict,
                )
                for ratio in section.ratios
            ],
        )
    for note in section.notes:
        lines += [note, ""]
    return "\n".join(lines)


def _figures(row: Row, digits: int) -> Sequence[str]:
    if isinstance(row.result, Missing):
        return (row.name, "-", "", "", row.result.reason)
    found = row.result

    def shown(value: float) -> str:
        return f"{value:,.{digits}f}"

    return (
        row.name,
        shown(found.median),
        f"{shown(found.lowest)} to {shown(found.highest)}",
        str(len(found.values)),
        row.remark,
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    keep = [i for i, name in enumerate(head) if name or i == 0 or any(row[i] for row in rows)]
    keep = [i for i in keep if head[i] != "stretch" or any(row[i] for row in rows)]
    lines = ["| " + " | ".join(head[i] for i in keep) + " |", "|---" * len(keep) + "|"]
    lines += ["| " + " | ".join(row[i] for i in keep) + " |" for row in rows]
    return [*lines, ""]


def _latest(values: Mapping[str, Sequence[float]]) -> str:
    return ", ".join(f"{name} {found[-1]:.4g}" for name, found in values.items() if found)
