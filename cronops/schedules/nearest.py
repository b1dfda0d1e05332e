"""The known word that somebody meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, whatever its case and joints; None where none is near."""
    plain = {_plain(one): one for one in sorted(known, reverse=True)}
    # difflib is slow on long text, and nobody means a short word by it.
    near = get_close_matches(_plain(word[:100]), plain, n=1, cutoff=0.6)
    return plain[near[0]] if near else None


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """What to tell whoever wrote an unknown word; `otherwise` where no known one is near."""
    near = nearest(word, known)
    return f"did you mean {near!r}?" if near else otherwise


def _plain(word: str) -> str:
    return word.casefold().replace("_", "").replace("-", "")
