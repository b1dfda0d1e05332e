"""A command line's words, as a shell would split it."""

import re
from functools import lru_cache
from shlex import split

# Nothing here means anything to a shell but the blanks; shlex reads letter by letter.
_PLAIN = re.compile(r"[\w ./:=,{}+@%-]*", re.ASCII)

LONGEST_COMMAND = 8192
"""Letters. shlex takes time with their square."""


@lru_cache(maxsize=1 << 14)
def words_of(command: str) -> tuple[str, ...]:
    """The words, quotes taken off. Raises `ValueError` where a quotation mark is not
    closed, or the line is too long.
    """
    if len(command) > LONGEST_COMMAND:
        raise ValueError(f"it has more than {LONGEST_COMMAND} letters")
    return tuple(command.split() if _PLAIN.fullmatch(command) else split(command))
