"""Finds what a job's declaration lacks, when its module is imported."""

import inspect
import re
from collections.abc import Iterable
from datetime import timedelta
from string import Formatter
from typing import get_args

from cronops.contract.job import Access, Job, Need, Wait
from cronops.contract.retry import Retry

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*(?: [a-z0-9]+(?:-[a-z0-9]+)*)*")
_WORD = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_CR = re.compile(r"[A-Z]+-\d{3,}")


def problems_of(declared: Job) -> Iterable[str]:
    """What a declaration lacks or gets wrong, in words for its author."""
    if not _NAME.fullmatch(declared.name):
        yield "the name must be lower-case words, as in 'stock export'"
    if not declared.crs or not all(_CR.fullmatch(one) for one in declared.crs):
        yield f"cr= must be ids like 'CR-002', not {declared.cr!r}"
    if not isinstance(declared.timeout, timedelta) or declared.timeout <= timedelta(0):
        yield "timeout= must be a timedelta longer than 0"
    if not isinstance(declared.retry, Retry):
        yield "retry= must be a Retry; Retry.never() for none"
    if not declared.idempotency.strip():
        yield "idempotency= must say why a repeat does no harm"
    if not declared.accountable:
        yield "accountable= names nobody"
    if not isinstance(declared.responsible, str) or not declared.responsible.strip():
        yield "responsible= names nobody"
    if declared.when_locked != "skip" and not isinstance(declared.when_locked, Wait):
        yield "when_locked= must be 'skip' or Wait(duration)"
    for need in declared.needs:
        if not isinstance(need, Need) or need.access not in get_args(Access):
            yield f"needs= must be like Need('mail', 'mail.url', 'connect'), not {need!r}"
        elif not _WORD.fullmatch(need.name):
            yield f"needs= names {need.name!r}; a name is lower-case letters, digits and hyphens"
    yield from _parameter_problems(declared)


def _parameter_problems(declared: Job) -> Iterable[str]:
    parameters = list(inspect.signature(declared.function).parameters.values())
    if not parameters or parameters[0].kind is inspect.Parameter.KEYWORD_ONLY:
        yield "the function's first parameter must take the JobContext"
        return
    for parameter in parameters[1:]:
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            yield f"parameter {parameter.name!r} must be keyword-only: put it behind a *"
        if parameter.annotation is inspect.Parameter.empty:
            yield f"parameter {parameter.name!r} has no type"
    names = {parameter.name for parameter in parameters[1:]}
    if isinstance(declared.lock, str):
        if not declared.lock.strip():
            yield "lock= is empty"
        for _, placeholder, _, _ in Formatter().parse(declared.lock):
            if placeholder is not None and placeholder not in names:
                yield f"lock= names {{{placeholder}}}, which is no parameter"
    elif not callable(declared.lock):
        yield "lock= must be a key or a function that makes one"
    for role in ("endless_when", "processes"):
        named = getattr(declared, role)
        if named is not None and named not in names:
            yield f"{role}= names {named!r}, which is no parameter"
    for named in declared.legacy or ():
        if named not in names:
            yield f"legacy= names {named!r}, which is no parameter"
    for role in ("check", "cr_of"):
        if getattr(declared, role) is not None and not callable(getattr(declared, role)):
            yield f"{role}= must be a function of the parameters"
