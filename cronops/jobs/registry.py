"""Finds jobs and handlers: the built-in ones, then those of installed packages.

Entry points are read only where a name is not built in: a cron pod must not pay for it.
"""

from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from cronops.errors import DeclarationError, UsageError
from cronops.jobs import HANDLERS, JOBS
from cronops.jobs.installed import entry_points

if TYPE_CHECKING:
    from cronops.contract.job import Job
    from cronops.queue.handler import Handler

JOB_GROUP = "cronops.jobs"
HANDLER_GROUP = "cronops.handlers"

_Declared = TypeVar("_Declared", "Job", "Handler")


class ListedJob(NamedTuple):
    """A job as help and lists name it, without importing it."""

    path: str
    """The command: ``queue process``."""
    target: str
    cr: str
    """Empty for a job of another package: its declaration says it."""
    summary: str


class UnknownHandler(LookupError):
    """No handler of that name is built in or installed."""


def list_jobs(*, installed: bool = True) -> list[ListedJob]:
    """Every job by its command, in order; with `installed` those of other packages too."""
    listed = {path: ListedJob(path, *entry) for path, entry in JOBS.items()}
    if installed:
        for name, target, package in entry_points(JOB_GROUP):
            path = name.replace(".", " ")
            listed.setdefault(path, ListedJob(path, target, "", f"(from {package})"))
    return [listed[path] for path in sorted(listed)]


def list_handlers() -> dict[str, str]:
    """Every handler's name and ``module:attribute``."""
    found = {name: target for name, target, _ in entry_points(HANDLER_GROUP)}
    return dict(sorted({**found, **HANDLERS}.items()))


def load_job(path: str) -> "Job":
    """Import the job whose command is `path`.

    Raises `UsageError` where there is none, `DeclarationError` where it cannot be imported or
    is declared under another name.
    """
    # Imported here: help lists jobs and must not pay for what declares them.
    from cronops.contract.job import Job

    entry = JOBS.get(path)
    target = entry.target if entry else _installed_target(JOB_GROUP, path.replace(" ", "."))
    if target is None:
        near = get_close_matches(path, [listed.path for listed in list_jobs()])
        hint = f"; did you mean {near[0]!r}?" if near else "; see: cronops jobs list"
        raise UsageError(f"no job is called {path!r}{hint}")
    return _declared(_import(target, of=f"job {path!r}"), Job, path, target)


def load_handler(name: str) -> "Handler":
    """Import the handler called `name`.

    Raises `UnknownHandler` where there is none, `DeclarationError` where it cannot be
    imported or is declared under another name.
    """
    from cronops.queue.handler import Handler

    target = HANDLERS.get(name) or _installed_target(HANDLER_GROUP, name)
    if target is None:
        raise UnknownHandler(f"no handler is called {name!r}")
    return _declared(_import(target, of=f"handler {name!r}"), Handler, name, target)


def _declared(value: Any, kind: type[_Declared], name: str, target: str) -> _Declared:
    noun = kind.__name__.lower()
    if not isinstance(value, kind):
        raise DeclarationError(f"{noun} {name!r}: {target} is not declared with @{noun}")
    if value.name != name:
        raise DeclarationError(
            f"{noun} {name!r}: {target} declares {value.name!r}; the two names must agree"
        )
    return value


def _import(target: str, *, of: str) -> Any:
    module, _, attribute = target.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except DeclarationError:
        raise
    except Exception as error:
        raise DeclarationError(
            f"{of}: {target} cannot be imported: {type(error).__name__}: {error}"
        ) from error


def _installed_target(group: str, name: str) -> str | None:
    return next((target for found, target, _ in entry_points(group) if found == name), None)
