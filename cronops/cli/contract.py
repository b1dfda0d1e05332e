"""What a job declares, in words: for its help, and for ``cronops jobs show``."""

import inspect

from cronops.contract.job import Job, Wait
from cronops.durations import format_duration


def contract_lines(job: Job) -> list[tuple[str, str]]:
    """What the job declares, a name and a sentence each."""
    policy = job.retry.describe()
    kinds = " or ".join(policy["on"]) if isinstance(policy["on"], list) else ""
    retry = (
        f"on {kinds}: {job.retry.attempts} attempts, {format_duration(job.retry.initial)} apart, "
        f"doubling to {format_duration(job.retry.maximum)}"
        if job.retry.attempts > 1
        else "none within the run"
    )
    held = (
        f"waits {format_duration(job.when_locked.longest)}, then skips"
        if isinstance(job.when_locked, Wait)
        else "skips"
    )
    lines = [
        ("CR", job.cr),
        ("lock", f"{lock_template(job)}; a run that finds it held {held}"),
        ("timeout", f"{format_duration(job.timeout)}, all attempts together"),
        ("retry", retry),
        ("idempotency", job.idempotency),
        ("retry safe", "yes" if job.retry_safe else "no: a run cut off waits for an operator"),
        ("accountable", ", ".join(job.accountable)),
        ("responsible", job.responsible),
        ("consulted", ", ".join(job.consulted)),
        ("counts", ", ".join(job.counts)),
        ("needs", ", ".join(f"{need.name} ({need.access}, {need.setting})" for need in job.needs)),
        ("exit codes", _exit_codes(job)),
    ]
    return [(name, text) for name, text in lines if text]


def lock_template(job: Job) -> str:
    """The lock's key with ``{parameter}`` where an argument goes; a function is asked for it."""
    if isinstance(job.lock, str):
        return job.lock
    arguments = {
        name: f"{{{name}}}"
        if parameter.default is inspect.Parameter.empty or isinstance(parameter.default, str)
        else parameter.default
        for name, parameter in job.parameters.items()
    }
    try:
        return ", ".join(lock.key for lock in job.locks_for(arguments))
    except Exception:
        # It may compute with an argument that is only a name here; then its docstring must do.
        return (inspect.getdoc(job.lock) or "depends on the arguments").split("\n", 1)[0]


def _exit_codes(job: Job) -> str:
    failed = "tried again by the pod" if job.retry_safe else "not tried again"
    return (
        f"0 succeeded or skipped, 1 failed ({failed}), 2 and 64 usage, 65 bad input, "
        "75 temporary, 78 configuration, 124 timed out, 130 interrupted, 137 crashed, "
        "143 terminated"
    )
