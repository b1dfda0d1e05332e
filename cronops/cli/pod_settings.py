"""What the settings make of the environment variables that a schedules file gives its pods."""

from collections.abc import Iterable, Mapping

from cronops.cli.names import nearest
from cronops.config import Settings, leaves, load_settings, problems_of
from cronops.contract.stop import longest_stop
from cronops.errors import ConfigurationError
from cronops.owners import KNOWN_OWNERS

Problem = tuple[str, str, str]
"""A variable, what is wrong with it, what to write instead."""
_OURS = "CRONOPS_"
# All that the answers below depend on, beside the problems.
_STOPPING = ("CRONOPS_SUPERVISOR__GRACE", "CRONOPS_DB__CONNECT_TIMEOUT")
_OWNERS = "CRONOPS_OWNERS"


class PodSettings:
    """Answers about environments; most schedules share theirs, so each is looked at once."""

    def __init__(self) -> None:
        self._by_variable = {leaf.variable: leaf for leaf in leaves()}
        self._variables = {leaf.key: leaf.variable for leaf in self._by_variable.values()}
        self._problems: dict[frozenset[tuple[str, str]], tuple[Problem, ...]] = {}
        self._stop_seconds: dict[tuple[str | None, ...], int] = {}
        self._owners: dict[str | None, frozenset[str]] = {}

    @property
    def keys(self) -> Iterable[str]:
        """Every setting, as a configuration file names it."""
        return self._variables

    def variable_of(self, key: str) -> str | None:
        """A setting's environment variable; None where there is no such setting."""
        return self._variables.get(key)

    def problems(self, environment: Mapping[str, str]) -> tuple[Problem, ...]:
        """Variables that mean nothing, or hold what their setting refuses."""
        ours = frozenset(item for item in environment.items() if item[0].startswith(_OURS))
        if ours not in self._problems:
            self._problems[ours] = tuple(
                (name, text, self._instead(name)) for name, text in problems_of(dict(ours))
            )
        return self._problems[ours]

    def stop_seconds(self, environment: Mapping[str, str]) -> int:
        """What a run with these variables may need to stop, in whole seconds."""
        given = tuple(environment.get(name) for name in _STOPPING)
        if given not in self._stop_seconds:
            settings = _settings(dict(zip(_STOPPING, given, strict=True)))
            self._stop_seconds[given] = -int(-longest_stop(settings).total_seconds() // 1)
        return self._stop_seconds[given]

    def owners(self, environment: Mapping[str, str]) -> frozenset[str]:
        """The built-in owners, and those that the variables add."""
        given = environment.get(_OWNERS)
        if given not in self._owners:
            self._owners[given] = KNOWN_OWNERS | set(_settings({_OWNERS: given}).owners)
        return self._owners[given]

    def _instead(self, name: str) -> str:
        leaf = self._by_variable.get(name)
        if leaf is None:
            end = "_FILE" if name.endswith("_FILE") else ""
            known = [f"{variable}{end}" for variable in self._by_variable]
            return nearest(name, known).removeprefix("; ") or "see: docs/configuration.md"
        return f"it takes: {leaf.setting.kind}"


def _settings(variables: Mapping[str, str | None]) -> Settings:
    """The settings of these variables; the defaults where they are refused, which is told apart."""
    given = {name: text for name, text in variables.items() if text is not None}
    try:
        return load_settings(given).settings
    except ConfigurationError:
        return Settings()
