"""Which renditions are made of an article's image."""

from collections.abc import Mapping
from typing import Any

from cronops.config.kinds import choice, integer, text
from cronops.config.setting import InvalidSettings, Section, Setting

FORMATS = ("jpeg", "png", "webp")
_WIDEST_WEBP = 16_383
_SHAPE = 'must be a list such as [{"name": "large", "width": 1600, "height": 1600}]'


class Rendition(Section):
    """One size and format of an image. Nothing is ever enlarged."""

    name = text(
        "",
        "Part of the file's name: `3-large.jpg`.",
        pattern=r"[a-z0-9][a-z0-9_-]{0,30}",
        must="must be 1 to 31 lower-case letters, digits, - and _",
    )
    width = integer(0, "Of the box, in pixels.", at_least=1, at_most=20_000)
    height = integer(0, "Of the box, in pixels.", at_least=1, at_most=20_000)
    fit = choice(
        "contain: all of the image within the box. cover: fills the box, its edges cut off.",
        "contain",
        "contain",
        "cover",
    )
    format = choice("What it is written as.", "jpeg", *FORMATS)
    quality = integer(85, "Of jpeg and webp.", at_least=1, at_most=100)

    def check(self) -> None:
        """A name and a box are needed, and one that its format can hold."""
        for key in ("name", "width", "height"):
            if not getattr(self, key):
                raise ValueError(f"{key} is missing")
        if self.format == "webp" and max(self.width, self.height) > _WIDEST_WEBP:
            raise ValueError(f"webp has at most {_WIDEST_WEBP:,} pixels a side")


def renditions(description: str, *default: Mapping[str, Any]) -> Setting[list[Rendition]]:
    """A list of renditions, each under a name of its own."""

    def parse(value: Any) -> list[Rendition]:
        if not isinstance(value, list) or not value:
            raise ValueError(_SHAPE)
        problems: list[tuple[tuple[str, ...], str]] = []
        parsed: list[Rendition] = []
        for place, fields in enumerate(value, 1):
            if isinstance(fields, Rendition):
                parsed.append(fields)
                continue
            if not isinstance(fields, Mapping):
                raise ValueError(_SHAPE)
            try:
                parsed.append(Rendition(**fields))
            except InvalidSettings as error:
                problems += [((str(place), *path), said) for path, said in error.problems]
        if problems:
            raise InvalidSettings(problems)
        names = [one.name for one in parsed]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two renditions are called {name!r}")
        return parsed

    shown = ", ".join(f"{one['name']} {one['width']}x{one['height']}" for one in default)
    return Setting(
        parse(list(default)),
        description,
        kind="JSON list of objects",
        parse=parse,
        is_json=True,
        shown_default=shown,
    )
