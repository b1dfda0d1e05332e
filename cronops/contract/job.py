"""What a developer declares once above a job; an incomplete declaration does not import."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from cronops.config import Settings
from cronops.contract.retry import Retry
from cronops.errors import DeclarationError
from cronops.owners import as_owners

if TYPE_CHECKING:
    from cronops.contract.units import UnitSupervisor


@dataclass(frozen=True)
class Outcome:
    """What a run achieved: how many of what, and what a person might want to know."""

    counts: Mapping[str, int] = field(default_factory=dict)
    warnings: Sequence[str] = ()


@dataclass(frozen=True)
class Lock:
    """A lease to hold; shared ones tolerate each other, not an exclusive one."""

    key: str
    shared: bool = False


@dataclass(frozen=True)
class Wait:
    """For ``when_locked=``: wait so long for the lock before the run is skipped."""

    longest: timedelta


Access = Literal["read", "write", "connect", "secret"]


@dataclass(frozen=True)
class Need:
    """Something outside that the job cannot work without; each schedule says how to get it.

    ``read`` and ``write`` want a volume around the setting's path, ``connect`` a way through
    the network, ``secret`` a mounted file. The database goes without saying.
    """

    name: str
    """A word for it: ``mail``; what a schedule names its volume, egress or secret."""
    setting: str
    """The setting that says where it is, as a configuration file names it: ``mail.url``."""
    access: Access


_JSON_TYPES = (str, int, float, bool, type(None))

LockFunction = Callable[..., str | Lock | Sequence[Lock]]
UnitsFactory = Callable[[Mapping[str, Any], Settings], "UnitSupervisor"]


@dataclass(frozen=True, kw_only=True)
class Job:
    """A declared job: the function, and everything a run of it guarantees."""

    name: str
    crs: tuple[str, ...]
    lock: str | LockFunction
    timeout: timedelta
    retry: Retry
    idempotency: str
    accountable: tuple[str, ...]
    responsible: str
    consulted: tuple[str, ...]
    counts: tuple[str, ...]
    retry_safe: bool
    when_locked: str | Wait
    impact: str
    drains: bool
    honours_clean_window: bool
    endless_when: str | None
    processes: str | None
    units: "UnitsFactory | None"
    preload: tuple[str, ...]
    needs: tuple[Need, ...]
    check: Callable[..., None] | None
    cr_of: Callable[..., str] | None
    legacy: tuple[str, ...] | None
    function: Callable[..., Outcome | None]

    @property
    def cr(self) -> str:
        """The change request ids as one text: ``CR-009, CR-010``."""
        return ", ".join(self.crs)

    def cr_for(self, arguments: Mapping[str, Any]) -> str:
        """The change request that a call with these arguments is."""
        return self.cr_of(**arguments) if self.cr_of else self.cr

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return (inspect.getdoc(self.function) or "").split("\n", 1)[0]

    @property
    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """The job's own options: every parameter after the context."""
        return dict(list(inspect.signature(self.function, eval_str=True).parameters.items())[1:])

    def locks_for(self, arguments: Mapping[str, Any]) -> tuple[Lock, ...]:
        """The leases this call needs; the first is the one its writes are fenced by."""
        if isinstance(self.lock, str):
            return (Lock(self.lock.format_map(dict(arguments))),)
        made = self.lock(**arguments)
        if isinstance(made, str):
            return (Lock(made),)
        return (made,) if isinstance(made, Lock) else tuple(made)

    def dump(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments as JSON takes them: for the run's record, its slot, and other processes."""
        return {name: _jsonable(value) for name, value in arguments.items()}

    def restore(self, dumped: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments as the function takes them, from what `dump` made."""
        from pydantic import TypeAdapter

        return {
            name: TypeAdapter(self.parameters[name].annotation).validate_python(value, strict=False)
            for name, value in dumped.items()
        }

    def deadline_for(self, arguments: Mapping[str, Any]) -> timedelta | None:
        """The timeout of this call; None for one that goes on until it is told to stop."""
        if self.endless_when and arguments.get(self.endless_when):
            return None
        return self.timeout


def job(
    name: str,
    *,
    cr: str | Sequence[str],
    lock: str | LockFunction,
    timeout: timedelta,
    retry: Retry,
    idempotency: str,
    accountable: str | Iterable[str],
    responsible: str,
    consulted: str | Iterable[str] = (),
    counts: Sequence[str] = (),
    retry_safe: bool = True,
    when_locked: str | Wait = "skip",
    impact: str = "",
    drains: bool = False,
    honours_clean_window: bool = False,
    endless_when: str | None = None,
    processes: str | None = None,
    units: "UnitsFactory | None" = None,
    preload: Sequence[str] = (),
    needs: Sequence[Need] = (),
    check: Callable[..., None] | None = None,
    cr_of: Callable[..., str] | None = None,
    legacy: Sequence[str] | None = None,
) -> Callable[[Callable[..., Outcome | None]], Job]:
    """Declare a job. The command line is made from the function's keyword parameters.

    Args:
        name: The command, its words separated by blanks: ``"stock export"``.
        cr: Change request id or ids: ``"CR-002"``.
        lock: Lock key; ``{parameter}`` is filled in. Or a function of the parameters that
            returns a key, a `Lock`, or several, the first of which fences the run's writes.
        timeout: For all attempts together, from the moment the lock is held.
        retry: Which errors are tried again within the run; `Retry.never()` for none.
        idempotency: Why a repeat does no harm, and by which key.
        accountable: Owner or owners told of the domain's loss when a run fails.
        responsible: The owner who is paged.
        consulted: Owners who are not told, but named.
        counts: Names of the numbers this job reports; each becomes a metric.
        retry_safe: Whether a run that died half-way may simply be started again.
        when_locked: ``"skip"``, or `Wait` for so long first.
        impact: What a failure means to the domain owner, in the domain's words.
        drains: A run that stops early when told to has still succeeded: what it leaves is safe.
        honours_clean_window: Skipped outside the configured clean window.
        endless_when: Name of the boolean parameter that takes the deadline away.
        processes: Name of the integer parameter that says how many processes share the work.
        units: Care, in the supervising process, for work done in units such as messages; made
            of the parameters and the settings when it is first needed.
        preload: Modules the job will need; imported while the run still asks for its lock.
        needs: What it reads, writes, talks to and authenticates with, besides the database.
        check: Called with the parameters before anything else; raises `ValueError`, in words for
            whoever typed them, where they make no sense together: a usage error, exit 2.
        cr_of: Of several ids, the one that a call with these parameters is.
        legacy: For a command that took words before it had options: the parameters those words
            meant by their place. ``name=value`` is taken as well. None: no such words.

    Raises:
        DeclarationError: at import, saying what is missing or wrong.
    """

    # Imported here: it names the classes of this module.
    from cronops.contract.declaration import problems_of

    def declare(function: Callable[..., Outcome | None]) -> Job:
        of = f"job {name!r}"
        crs = (cr,) if isinstance(cr, str) else tuple(cr)
        declared = Job(
            name=name,
            crs=crs,
            lock=lock,
            timeout=timeout,
            retry=retry,
            idempotency=idempotency,
            accountable=as_owners(accountable, of=of, role="accountable"),
            responsible=responsible,
            consulted=as_owners(consulted, of=of, role="consulted"),
            counts=tuple(counts),
            retry_safe=retry_safe,
            when_locked=when_locked,
            impact=impact,
            drains=drains,
            honours_clean_window=honours_clean_window,
            endless_when=endless_when,
            processes=processes,
            units=units,
            preload=tuple(preload),
            needs=tuple(needs),
            check=check,
            cr_of=cr_of,
            legacy=None if legacy is None else tuple(legacy),
            function=function,
        )
        for problem in problems_of(declared):
            raise DeclarationError(f"{of}: {problem}")
        return declared

    return declare


def _jsonable(value: Any) -> Any:
    if isinstance(value, _JSON_TYPES):
        return value
    from pydantic_core import to_jsonable_python

    return to_jsonable_python(value)
