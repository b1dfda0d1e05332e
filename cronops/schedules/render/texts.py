"""The templates, compiled once for a process."""

from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template

from cronops.schedules.render.quoting import Verbatim, indented, scalar


def fill(name: str, /, **values: object) -> Verbatim:
    """The text of ``templates/<name>``, without the line break at its end.

    Every expression of a template is quoted where need be, without being asked to: nothing that
    comes out of a file can become YAML of its own. What a template made goes in unchanged.
    """
    return Verbatim(template(name).render(values).rstrip("\n"))


@cache
def template(name: str) -> Template:
    """The compiled template ``templates/<name>``."""
    made = _environment().get_template(name)
    # Ours use none of jinja's functions, which are else copied each time that one is filled.
    made.globals = {}
    return made


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FunctionLoader(_source),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # What is escaped here is YAML, by `finalize`; HTML's entities would spoil it.
        autoescape=False,  # noqa: S701
        finalize=scalar,
        auto_reload=False,
    )
    made.filters["indented"] = indented
    return made


def _source(name: str) -> str:
    return files("cronops.schedules.render").joinpath("templates", name).read_text("utf-8")
