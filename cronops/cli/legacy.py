"""Old ways to call a job: words by their place, and ``name=value``; each is told the new way."""

import re
from collections.abc import Iterator, Sequence

from cronops.cli.output import note
from cronops.contract.job import Job

_NAMED = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9_]*)=(?P<value>.*)", re.DOTALL)
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_TRUTH = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}


def translated(job: Job, words: Sequence[str]) -> list[str]:
    """The options that old words stood for; a warning names them.

    Raises `ValueError`, for whoever typed it, where a word stands for nothing.
    """
    options = list(_options(job, words))
    note(
        f"warning: {' '.join(words)!r} is the old way to write it, and will not be taken for ever; "
        f"write: {' '.join(['cronops', job.name, *options])}"
    )
    return options


def without(arguments: Sequence[str], words: Sequence[str]) -> list[str]:
    """The arguments but for those words; of equal ones, the last."""
    rest = list(arguments)
    for word in words:
        rest.reverse()
        rest.remove(word)
        rest.reverse()
    return rest


def _options(job: Job, words: Sequence[str]) -> Iterator[str]:
    places = iter(job.legacy or ())
    for word in words:
        named = _NAMED.fullmatch(word)
        if named:
            name = _CAPITAL.sub("_", named["name"]).lower()
            value = named["value"]
            if name not in job.parameters:
                known = ", ".join(f"{_camel(one)}=" for one in job.parameters)
                raise ValueError(f"{word!r} is no argument of {job.name}; there are {known}")
        else:
            name, value = next(places, ""), word
            if not name:
                raise ValueError(f"{job.name} takes no argument {word!r}; see its options")
        yield from _option(job, name, value)


def _option(job: Job, name: str, value: str) -> Iterator[str]:
    option = f"--{name.replace('_', '-')}"
    if job.parameters[name].default is not False:
        yield f"{option}={value}"
    elif (truth := _TRUTH.get(value.lower())) is None:
        raise ValueError(f"{_camel(name)}={value}: write 1 or 0")
    elif truth:
        yield option


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))
