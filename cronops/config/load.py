"""Finds each setting: environment, secret file, configuration file, default, in this order.

Nothing else in cronops reads the environment.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cronops.config.model import Settings
from cronops.config.setting import InvalidSettings, Section, Setting
from cronops.errors import ConfigurationError

PREFIX = "CRONOPS_"
CONFIG_FILE_VARIABLE = "CRONOPS_CONFIG"
# Facts that others put into the environment under names of their own.
FOREIGN_NAMES = {
    "completion_index": ("JOB_COMPLETION_INDEX",),
    "login_name": ("SUDO_USER", "USER", "LOGNAME"),
}
_CLUSTER_VARIABLE = "KUBERNETES_SERVICE_HOST"
_SECRET_FILE_LIMIT = 1 << 20


@dataclass(frozen=True)
class Leaf:
    """One setting, and where it stands in the tree."""

    path: tuple[str, ...]
    setting: Setting[Any]

    @property
    def key(self) -> str:
        """The name in a configuration file: ``queue.stale_after``."""
        return ".".join(self.path)

    @property
    def variable(self) -> str:
        """The name in the environment: ``CRONOPS_QUEUE__STALE_AFTER``."""
        return PREFIX + "__".join(self.path).upper()


@dataclass(frozen=True)
class Loaded:
    """The settings, and where each one that is not a default came from."""

    settings: Settings
    sources: Mapping[str, str]
    """Key to source, such as ``environment CRONOPS_LOCK__TTL`` or ``file /etc/cronops.toml``."""
    unknown_variables: tuple[str, ...]
    """``CRONOPS_…`` names in the environment that mean nothing here: misspelt, perhaps."""


def leaves(of: type[Section] = Settings, path: tuple[str, ...] = ()) -> Iterator[Leaf]:
    """Every setting, depth first, in the order they are declared."""
    for key, setting in of.settings.items():
        if setting.section is not None:
            yield from leaves(setting.section, (*path, key))
        else:
            yield Leaf((*path, key), setting)


def load_settings(environment: Mapping[str, str] | None = None) -> Loaded:
    """Read and check all settings.

    `environment` defaults to the process's. Raises `ConfigurationError` naming the variable,
    file or key at fault, never the value: it may be a secret.
    """
    env = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    file = env.get(CONFIG_FILE_VARIABLE)
    if file:
        for key, value in _flatten(_read_config_file(Path(file))):
            _assign(values, key, value)
            sources[".".join(key)] = f"file {file}"
    known = {CONFIG_FILE_VARIABLE}
    for leaf in leaves():
        known |= {leaf.variable, f"{leaf.variable}_FILE"}
        found = _from_environment(leaf, env)
        if found is not None:
            value, sources[leaf.key] = found
            _assign(values, leaf.path, value)
    if env.get(_CLUSTER_VARIABLE) and "in_cluster" not in values:
        values["in_cluster"] = True
        sources["in_cluster"] = f"environment {_CLUSTER_VARIABLE}"
    try:
        settings = Settings(**values)
    except InvalidSettings as error:
        raise ConfigurationError(_explain(error, sources)) from None
    unknown = sorted(name for name in env if name.startswith(PREFIX) and name not in known)
    return Loaded(settings, sources, tuple(unknown))


def is_set(name: str) -> bool:
    """Whether a variable that is no setting of ours is set to anything: ``NO_COLOR``."""
    return bool(os.environ.get(name))


@cache
def _by_variable() -> Mapping[str, Leaf]:
    return {leaf.variable: leaf for leaf in leaves()}


def problems_of(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each ``CRONOPS_…`` variable that `load_settings` would refuse or not know, and why.

    For variables that are set elsewhere: no file they name is opened, and what stands in one is
    taken to be right.
    """
    known = _by_variable()
    files = {f"{variable}_FILE" for variable in known}
    values: dict[str, Any] = {}
    elsewhere = {CONFIG_FILE_VARIABLE} & set(environment)
    for name in sorted(environment):
        text, leaf = environment[name], known.get(name)
        if not name.startswith(PREFIX) or not text or name == CONFIG_FILE_VARIABLE:
            continue
        if name in files:
            elsewhere.add(name)
        elif leaf is None:
            yield name, "no setting is called so"
        elif environment.get(f"{name}_FILE"):
            yield name, f"both it and {name}_FILE are set"
        else:
            try:
                _assign(values, leaf.path, _parsed(leaf, text, "it"))
            except ConfigurationError as error:
                yield name, str(error)
    try:
        Settings(**values)
    except InvalidSettings as error:
        for path, text in error.problems:
            start = PREFIX + "__".join(path).upper()
            if start in known:
                yield start, text
            elif not any(name.startswith((start, CONFIG_FILE_VARIABLE)) for name in elsewhere):
                # Settings that contradict each other; one from elsewhere might put it right.
                yield next(name for name in sorted(environment) if name.startswith(start)), text


def _from_environment(leaf: Leaf, env: Mapping[str, str]) -> tuple[Any, str] | None:
    direct, file_variable = leaf.variable, f"{leaf.variable}_FILE"
    # An empty variable is what a manifest's unset value becomes: it means "not set".
    if env.get(direct) and env.get(file_variable):
        raise ConfigurationError(f"both {direct} and {file_variable} are set; unset one of them")
    if env.get(direct):
        return _parsed(leaf, env[direct], direct), f"environment {direct}"
    if env.get(file_variable):
        text = _read_secret_file(Path(env[file_variable]), file_variable)
        return _parsed(leaf, text, file_variable), f"secret file {env[file_variable]}"
    for name in FOREIGN_NAMES.get(leaf.key, ()):
        if env.get(name):
            return env[name], f"environment {name}"
    return None


def _parsed(leaf: Leaf, text: str, variable: str) -> Any:
    if not leaf.setting.is_json:
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        # The text may hold a secret, so only the position is told.
        where = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise ConfigurationError(f"{variable} is not valid JSON{where}") from None


def _read_secret_file(path: Path, variable: str) -> str:
    try:
        if path.stat().st_size > _SECRET_FILE_LIMIT:
            raise ConfigurationError(
                f"{variable}: {path} is larger than 1 MiB; is it the right file?"
            )
        text = path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigurationError(f"{variable}: cannot read {path}: {reason}") from None
    if not text:
        raise ConfigurationError(f"{variable}: {path} is empty")
    return text


def _read_config_file(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(
            f"{CONFIG_FILE_VARIABLE}: cannot read {path}: {error.strerror}"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not valid TOML: {error}") from None


def _flatten(
    table: Mapping[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    structured = {leaf.path for leaf in leaves() if leaf.setting.is_json}
    for name, value in table.items():
        here = (*path, name)
        if isinstance(value, dict) and here not in structured:
            yield from _flatten(value, here)
        else:
            yield here, value


def _assign(values: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        values = values.setdefault(name, {})
    values[path[-1]] = value


def _explain(error: InvalidSettings, sources: Mapping[str, str]) -> str:
    lines = []
    for path, text in error.problems:
        key = ".".join(path)
        above = (".".join(path[:length]) for length in range(len(path), 0, -1))
        origin = next((sources[name] for name in above if name in sources), None)
        if origin is None:
            origin = next((s for k, s in sources.items() if k.startswith(f"{key}.")), None)
        lines.append(f"{key}: {text}" + (f" ({origin})" if origin else ""))
    return "; ".join(lines)
