"""What `platform set` was given: options, a file, a preset, and what was there before."""

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cronops.cli.names import nearest
from cronops.errors import BadInput, UsageError

_FILE_KEYS = ("name", "adapter", "credential", "article_ids", "config")


@dataclass
class Given:
    """A platform as it shall be; None leaves it as it was."""

    name: str | None = None
    adapter: str | None = None
    credential: str | None = None
    article_ids: str | None = None
    config: dict[str, Any] = field(default_factory=dict)

    def under(self, over: "Given") -> "Given":
        """This, with what `over` says laid over it; another adapter starts its config anew."""
        keeps = over.adapter in (None, self.adapter)
        return Given(
            over.name if over.name is not None else self.name,
            over.adapter or self.adapter,
            over.credential if over.credential is not None else self.credential,
            over.article_ids if over.article_ids is not None else self.article_ids,
            merged(self.config if keeps else {}, over.config),
        )


def merged(below: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Tables laid over each other; a value of null takes the key away."""
    result = deepcopy(dict(below))
    for key, value in over.items():
        known = result.get(key)
        if isinstance(known, dict) and isinstance(value, Mapping):
            result[key] = merged(known, value)
        elif value is None and key in result:
            del result[key]
        else:
            result[key] = value
    return result


def from_preset(name: str) -> Given:
    """The preset of that name. Raises `UsageError`, naming what is near."""
    from cronops.jobs.platform.presets import PRESETS, PUSHES

    if name in PUSHES:
        raise UsageError(PUSHES[name])
    preset = PRESETS.get(name)
    if preset is None:
        hint = nearest(name, PRESETS) or f"; there are {', '.join(PRESETS)}"
        raise UsageError(f"no preset is called {name!r}{hint}")
    return Given(
        preset.name, preset.adapter, None, preset.article_id_column, deepcopy(dict(preset.config))
    )


def from_file(path: Path) -> Given:
    """A platform from JSON or TOML. Raises `BadInput` naming file and reason."""
    import tomllib

    try:
        text = path.read_text(encoding="utf-8-sig")
        read = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        kind = "TOML" if path.suffix == ".toml" else "JSON"
        raise BadInput(f"{path} is not {kind}: {error}") from None
    if not isinstance(read, dict):
        raise BadInput(f"{path} holds no object; its keys are {', '.join(_FILE_KEYS)}")
    for key in read:
        if key not in _FILE_KEYS:
            hint = nearest(key, _FILE_KEYS) or f"; there are {', '.join(_FILE_KEYS)}"
            raise BadInput(f"{path}: there is no key {key!r}{hint}")
    config = read.pop("config", {})
    if not isinstance(config, dict) or not all(
        value is None or isinstance(value, str) for value in read.values()
    ):
        raise BadInput(f"{path}: config is an object, all others are texts")
    return Given(config=config, **read)


def from_options(options: Sequence[str]) -> dict[str, Any]:
    """The config that ``key=value`` words make; dots lead into tables, values may be JSON."""
    config: dict[str, Any] = {}
    for word in options:
        path, equals, text = word.partition("=")
        steps = path.split(".")
        if not equals or not all(steps):
            raise UsageError(f"--option {word!r}: write it as key=value, or table.key=value")
        table = config
        for step in steps[:-1]:
            inner = table.setdefault(step, {})
            if not isinstance(inner, dict):
                raise UsageError(f"--option {word!r}: {step!r} was given as a value before")
            table = inner
        table[steps[-1]] = _value(text)
    return config


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
