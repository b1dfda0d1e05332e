"""Which platforms there are, and how each is asked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from cronops.errors import BadInput

if TYPE_CHECKING:
    import psycopg

_COLUMNS = "id, code, name, adapter, config, credential, article_id_column, active, cursor"
_SELECT = f"SELECT {_COLUMNS} FROM platform ORDER BY code"  # noqa: S608 - made of constants


@dataclass(frozen=True)
class Platform:
    """One sales platform, as its row says."""

    id: int
    code: str
    name: str
    adapter: str
    config: Mapping[str, Any]
    credential: str | None
    article_id_column: str | None
    """Which of an article's columns holds this platform's own number for it."""
    active: bool
    cursor: Mapping[str, Any]


def all_platforms(connection: "psycopg.Connection[Any]") -> list[Platform]:
    """Every platform, by its code."""
    return [Platform(*row) for row in connection.execute(_SELECT).fetchall()]


def chosen(known: Sequence[Platform], codes: Iterable[str]) -> list[Platform]:
    """The active platforms, or those of them that were named.

    Raises `BadInput` for one that is unknown or not active, naming what is near.
    """
    active = {platform.code: platform for platform in known if platform.active}
    named = list(dict.fromkeys(codes))
    for code in named:
        if code in active:
            continue
        if any(platform.code == code for platform in known):
            raise BadInput(
                f"platform {code!r} is not active; to pull its orders: "
                f"cronops platform enable {code}"
            )
        raise BadInput(f"no platform is called {code!r}{_near(code, active)}")
    return [active[code] for code in named] if named else list(active.values())


def find(known: Sequence[Platform], code: str) -> Platform:
    """The platform of that code, active or not. Raises `BadInput`, naming what is near."""
    for platform in known:
        if platform.code == code:
            return platform
    raise BadInput(
        f"no platform is called {code!r}{_near(code, [platform.code for platform in known])}"
    )


def _near(code: str, known: Iterable[str]) -> str:
    codes = sorted(known)
    near = get_close_matches(code.casefold(), codes, n=3, cutoff=0.5)
    if near:
        return f"; did you mean {' or '.join(repr(one) for one in near)}?"
    if codes:
        shown = ", ".join(codes[:10]) + (", …" if len(codes) > 10 else "")
        return f"; there are {shown}"
    return "; there is none yet, see: cronops platform set --help"
