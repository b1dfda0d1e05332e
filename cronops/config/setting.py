"""How a setting is declared, and made from the text or value that was found for it.

Plain descriptors: every pod builds the settings, and a pydantic model of them alone would cost
more than all its other start-up together (see docs/decisions/).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar, Generic, TypeVar, overload

from cronops.durations import format_duration

T = TypeVar("T")
S = TypeVar("S", bound="Section")


class InvalidSettings(ValueError):
    """Values that do not fit; `problems` holds each one's path and what is wrong with it."""

    def __init__(self, problems: Sequence[tuple[tuple[str, ...], str]]) -> None:
        super().__init__("; ".join(f"{'.'.join(path)}: {text}" for path, text in problems))
        self.problems = problems


class Setting(Generic[T]):
    """One setting of a section: its default, its meaning, and how it is read."""

    def __init__(
        self,
        default: T,
        description: str,
        *,
        kind: str,
        parse: Callable[[Any], T],
        key: str | None = None,
        is_json: bool = False,
        section: "type[Section] | None" = None,
        shown_default: str | None = None,
    ) -> None:
        self.default = default
        self.description = description
        self.kind = kind
        """What may be written, for people: ``duration``, ``whole number``."""
        self.key = key or ""
        self.is_json = is_json
        """Whether the environment holds it as JSON."""
        self.section = section
        self._parse = parse
        self._shown_default = shown_default
        self._name = ""

    def __set_name__(self, owner: type["Section"], name: str) -> None:
        self._name = name
        self.key = self.key or name

    @overload
    def __get__(self, instance: None, owner: type) -> "Setting[T]": ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> "Setting[T] | T":
        if instance is None:
            return self
        value: T = instance.__dict__.get(self._name, self.default)
        return value

    def take(self, instance: "Section", value: Any) -> None:
        """Give `instance` its value, made from what was found. Raises `ValueError`."""
        optional = self.default is None
        instance.__dict__[self._name] = None if value is None and optional else self._parse(value)

    @property
    def default_text(self) -> str:
        """The default, for people."""
        if self._shown_default is not None:
            return self._shown_default
        if isinstance(self.default, timedelta):
            return format_duration(self.default)
        if isinstance(self.default, bool):
            return str(self.default).lower()
        if self.default is None or self.default in ([], {}):
            return "-"
        return str(self.default)


class Section:
    """A group of settings; read-only, and an unknown key in it is an error, not a surprise."""

    settings: ClassVar[Mapping[str, Setting[Any]]] = {}
    """The section's settings by their key in a configuration file."""

    def __init_subclass__(cls) -> None:
        cls.settings = {one.key: one for one in vars(cls).values() if isinstance(one, Setting)}

    def __init__(self, **values: Any) -> None:
        problems: list[tuple[tuple[str, ...], str]] = []
        for key, value in values.items():
            setting = self.settings.get(key)
            if setting is None:
                problems.append(((key,), f"there is no such setting{_nearest(key, self.settings)}"))
                continue
            try:
                setting.take(self, value)
            except InvalidSettings as error:
                problems += [((key, *path), text) for path, text in error.problems]
            except (ValueError, TypeError) as error:
                problems.append(((key,), str(error)))
        if not problems:
            try:
                self.check()
            except ValueError as error:
                problems.append(((), str(error)))
        if problems:
            raise InvalidSettings(problems)

    def check(self) -> None:
        """Raise `ValueError` where settings contradict each other."""

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"settings are read-only: {name}")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and dict(self) == dict(other)

    __hash__ = None  # type: ignore[assignment]

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return ((key, one.__get__(self, type(self))) for key, one in self.settings.items())

    def __repr__(self) -> str:
        shown = ", ".join(f"{key}={value!r}" for key, value in self)
        return f"{type(self).__name__}({shown})"


def section(of: type[S]) -> Setting[S]:
    """A group of settings inside a group."""

    def parse(value: Any) -> S:
        if isinstance(value, of):
            return value
        if not isinstance(value, Mapping):
            raise ValueError("must be a table of settings")
        return of(**value)

    description = (of.__doc__ or "").split("\n", 1)[0]
    return Setting(of(), description, kind="section", parse=parse, section=of)


def _nearest(key: str, known: Mapping[str, Any]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(key, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
