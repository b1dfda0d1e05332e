"""Reads a job's command lines with the command's own parser and readers, without running it."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from typing import Any

import typer
from typer.exceptions import TyperException

from cronops.cli.job_command import as_declared, check
from cronops.cli.names import nearest
from cronops.cli.pod_settings import PodSettings
from cronops.contract.job import Job, Need, Wait
from cronops.errors import CronopsError
from cronops.schedules.declarations import CommandProblem, Declaration, LockUse, Resource

_PLACEHOLDER = re.compile(r"\{[A-Za-z_][A-Za-z0-9_-]*\}")
_EVERY_SHARD = re.compile(r"auto/(?P<of>[1-9]\d{0,3})")
# They would name one slot, or one run, for all the runs of a schedule.
_ONE_RUN_ONLY = {
    "scheduled_at": "the slot comes from the Job's name",
    "run_id": "the run's id comes from the Job's name",
}
_DATABASE = (
    Need("database", "database_url", "connect"),
    Need("database", "database_url", "secret"),
)


class JobParser:
    """Reads command lines of one job, and runs nothing; its parser is built once."""

    def __init__(self, job: Job, command: Any, settings: PodSettings) -> None:
        self._job = job
        self._settings = settings
        self._command = command
        self._context = context = command.make_context(job.name, [], resilient_parsing=True)
        context.resilient_parsing = False  # it kept a missing option from being missed
        self._parser = command.make_parser(context)
        self._parameters = {one.name: one for one in command.get_params(context)}
        self._own = tuple(job.parameters)

    @cached_property
    def _common(self) -> Declaration:
        """What every command line of the job declares alike."""
        job = self._job
        names = (
            name
            for parameter in self._parameters.values()
            for name in (*parameter.opts, *parameter.secondary_opts)
        )
        return Declaration(
            job=job.name,
            crs=job.crs,
            locks=(),
            timeout=None,
            lock_wait=0,
            retry_safe=job.retry_safe,
            skips_when_locked=True,
            accountable=job.accountable,
            responsible=job.responsible,
            consulted=job.consulted,
            options=frozenset(name for name in names if name.startswith("--")),
            given=frozenset(),
            needs=tuple(_resource(job, need, self._settings) for need in (*_DATABASE, *job.needs)),
        )

    def read(self, words: list[str]) -> Declaration:
        """Parse what follows the command's words. Raises `CommandProblem`."""
        job = self._job
        texts, surplus, order = self._parse(words)
        if surplus:
            raise CommandProblem(
                "command-argument",
                f"{job.name} takes no argument, but is given {surplus[0]!r}",
                "write values behind the option they belong to, as in --queue=general",
            )
        if "help" in texts:
            raise CommandProblem(
                "command-argument", "--help only shows help, and runs nothing", "leave --help out"
            )
        for name, why in _ONE_RUN_ONLY.items():
            if name in texts:
                option = self._parameters[name].opts[0]
                raise CommandProblem(
                    "command-option",
                    f"{option} would be the same for every run of the schedule",
                    f"leave {option} out: {why}",
                )
        values = {name: self._value(name, texts.get(name)) for name in self._parameters}
        arguments = as_declared(job, {name: values[name] for name in self._own})
        self._check(arguments)
        wait = values["wait"] if isinstance(values["wait"], timedelta) else _longest_wait(job)
        limit = job.deadline_for(arguments)
        return replace(
            self._common,
            locks=_locks(job, arguments),
            timeout=None if limit is None else _whole_seconds(limit),
            lock_wait=_whole_seconds(wait),
            skips_when_locked=not values["fail_if_locked"],
            given=frozenset(parameter.opts[0] for parameter in order),
        )

    def _check(self, arguments: Mapping[str, Any]) -> None:
        try:
            check(self._job, arguments)
        except _UsesPlaceholder:
            return
        except ValueError as error:
            raise CommandProblem(
                "command-argument", f"{self._job.name}: {error}", self._see
            ) from None

    def _parse(self, words: list[str]) -> tuple[dict[str, Any], list[str], list[Any]]:
        try:
            parsed: tuple[dict[str, Any], list[str], list[Any]] = self._parser.parse_args(
                list(words)
            )
        except TyperException as error:
            if not hasattr(error, "possibilities"):
                raise CommandProblem(
                    "command-argument", f"{self._job.name}: {error.message}", self._see
                ) from None
            option = getattr(error, "option_name", "")
            raise CommandProblem(
                "command-option",
                f"{self._job.name} has no option {option}{nearest(option, self._common.options)}",
                self._see,
            ) from None
        return parsed

    def _value(self, name: str, text: Any) -> Any:
        parameter = self._parameters[name]
        if text is None:
            if parameter.required:
                raise CommandProblem(
                    "command-argument",
                    f"{self._job.name} needs {parameter.opts[0]}, which is not given",
                    f"add {parameter.opts[0]}={{{name}}}, or a value",
                )
            return parameter.default
        if isinstance(text, list) and any(map(_has_placeholder, text)):
            known = [one for one in text if not _has_placeholder(one)]
            self._read(parameter, known)
            return _Placeholder()
        return _Placeholder() if _has_placeholder(text) else self._read(parameter, text)

    def _read(self, parameter: Any, text: Any) -> Any:
        try:
            return parameter.get_runtime_param().coerce(text, parameter, self._context)
        except typer.BadParameter as error:
            raise CommandProblem(
                "command-argument",
                f"{self._job.name}: {parameter.opts[0]}: {error.message}",
                self._see,
            ) from None

    @property
    def _see(self) -> str:
        return f"see: cronops {self._job.name} --help"


class _UsesPlaceholder(Exception):
    """Something cannot be told before the placeholder is filled in."""


class _Placeholder:
    """Stands for a value that nobody knows yet: may be handed on, but not looked at."""

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise _UsesPlaceholder

    __str__ = __repr__ = __format__ = __bool__ = __len__ = __iter__ = __contains__ = _refuse
    __int__ = __float__ = __index__ = __add__ = __radd__ = __sub__ = __rsub__ = _refuse
    __mul__ = __mod__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __hash__ = __getitem__ = __getattr__ = _refuse


def _locks(job: Job, arguments: Mapping[str, Any]) -> tuple[LockUse, ...]:
    """The leases of a run; of every run that an Indexed Job starts, where it is one."""
    shard = arguments.get("shard")
    shards = _EVERY_SHARD.fullmatch(shard) if isinstance(shard, str) else None
    variants = (
        [{**arguments, "shard": f"{index}/{shards['of']}"} for index in range(int(shards["of"]))]
        if shards
        else [arguments]
    )
    try:
        locks = [lock for variant in variants for lock in job.locks_for(variant)]
    except CronopsError as error:
        raise CommandProblem(
            "command-argument", f"{job.name}: {error}", f"see: cronops {job.name} --help"
        ) from None
    except Exception as error:
        if any(isinstance(value, _Placeholder) for value in arguments.values()):
            return ()
        raise CommandProblem(
            "command-argument",
            f"{job.name}: its lock cannot be told: {type(error).__name__}: {error}",
            f"see: cronops {job.name} --help",
        ) from None
    return tuple(dict.fromkeys(LockUse(lock.key, lock.shared) for lock in locks))


def _longest_wait(job: Job) -> timedelta:
    return job.when_locked.longest if isinstance(job.when_locked, Wait) else timedelta(0)


def _resource(job: Job, need: Need, settings: PodSettings) -> Resource:
    variable = settings.variable_of(need.setting)
    if variable is None:
        known = nearest(need.setting, settings.keys)
        raise CommandProblem(
            "command-unknown",
            f"{job.name} declares that it needs the setting {need.setting!r}, which there is not"
            f"{known}",
            "name one of docs/configuration.md in its needs=, or add it to cronops/config/model.py",
        )
    return Resource(need.name, variable, need.access)


def _has_placeholder(text: Any) -> bool:
    return isinstance(text, str) and _PLACEHOLDER.search(text) is not None


def _whole_seconds(duration: timedelta) -> int:
    return -int(-duration.total_seconds() // 1)
