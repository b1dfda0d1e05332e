"""Whether every job and handler can be loaded, and whether their owners can be told."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from cronops.cli.checks.finding import Finding
from cronops.errors import CronopsError, DeclarationError

if TYPE_CHECKING:
    from cronops.config import Settings


def loadable(settings: "Settings") -> Iterator[Finding]:
    """Whether every job and handler can be imported, and names owners that are known."""
    from cronops.jobs.registry import list_handlers, list_jobs

    for noun, names, owners_of in (
        ("jobs", [listed.path for listed in list_jobs()], _owners_of_job),
        ("handlers", list(list_handlers()), _owners_of_handler),
    ):
        sound = True
        for name in names:
            for problem in _declaration_problems(name, owners_of, settings):
                sound = False
                yield Finding(noun, "fail", problem, "correct its declaration")
        if sound:
            yield Finding(noun, "ok", f"{len(names)} declared, all sound")


def _declaration_problems(
    name: str, owners_of: Callable[[str], Iterable[str]], settings: "Settings"
) -> Iterator[str]:
    from cronops.owners import check_owners

    try:
        check_owners(owners_of(name), of=name, configured=settings.owners)
    except CronopsError as error:
        yield str(error)


def _owners_of_job(name: str) -> Iterable[str]:
    from typer.main import get_command

    from cronops.cli.main import app
    from cronops.jobs.registry import load_job

    job = load_job(name)
    # The way the command line goes: its options must be possible, and its name not taken.
    command: Any = get_command(app)
    for word in name.split():
        command = command.get_command(None, word) if hasattr(command, "get_command") else None
    if getattr(command, "job", None) is not job:
        raise DeclarationError(f"job {name!r} cannot be called: another command has that name")
    return (*job.accountable, job.responsible, *job.consulted)


def _owners_of_handler(name: str) -> Iterable[str]:
    from cronops.jobs.registry import load_handler

    return load_handler(name).accountable


def alert_routes(settings: "Settings") -> Iterator[Finding]:
    """Whether a failure of any job, or of any handler's message, finds its owners."""
    from cronops.contract.alerts.routes import check_routes, is_configured

    problems = check_routes(settings, _owners_in_use())
    for problem in problems:
        yield Finding("alert routes", "fail", problem)
    if problems:
        return
    if is_configured(settings):
        yield Finding(
            "alert routes", "ok", "every owner is reached", "try: cronops alerts test JOB"
        )
    else:
        advice = "set CRONOPS_ALERTS__ROUTES_FILE or CRONOPS_ALERTMANAGER_URL"
        yield Finding("alert routes", "warn", "none configured: failures are only logged", advice)


def _owners_in_use() -> set[str]:
    from cronops.jobs.registry import list_handlers, list_jobs, load_handler, load_job

    owners: set[str] = set()
    for name in [listed.path for listed in list_jobs()]:
        with suppress(CronopsError):  # told by the declarations' check
            job = load_job(name)
            owners |= {*job.accountable, job.responsible}
    for name in list_handlers():
        with suppress(CronopsError):
            owners |= set(load_handler(name).accountable)
    return owners
