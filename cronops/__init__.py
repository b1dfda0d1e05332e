"""cronops: one operating contract for scheduled jobs on Kubernetes.

The names a package with jobs or handlers of its own needs::

    from cronops import job, handler, Retry, JobContext, Message, Outcome
    from cronops import TransientError, PermanentError
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cronops.contract.context import JobContext as JobContext
    from cronops.contract.job import Lock as Lock
    from cronops.contract.job import Need as Need
    from cronops.contract.job import Outcome as Outcome
    from cronops.contract.job import Wait as Wait
    from cronops.contract.job import job as job
    from cronops.contract.retry import Retry as Retry
    from cronops.errors import BadInput as BadInput
    from cronops.errors import Interrupted as Interrupted
    from cronops.errors import PermanentError as PermanentError
    from cronops.errors import TransientError as TransientError
    from cronops.queue.handler import handler as handler
    from cronops.queue.message import Message as Message
    from cronops.queue.message import NewMessage as NewMessage

__version__ = "0.1.0"

# Imported when first asked for: `cronops --version` and help must not pay for PostgreSQL.
_HOMES = {
    "BadInput": "cronops.errors",
    "Interrupted": "cronops.errors",
    "JobContext": "cronops.contract.context",
    "Lock": "cronops.contract.job",
    "Message": "cronops.queue.message",
    "Need": "cronops.contract.job",
    "NewMessage": "cronops.queue.message",
    "Outcome": "cronops.contract.job",
    "PermanentError": "cronops.errors",
    "Retry": "cronops.contract.retry",
    "TransientError": "cronops.errors",
    "Wait": "cronops.contract.job",
    "handler": "cronops.queue.handler",
    "job": "cronops.contract.job",
}

__all__ = ["__version__", *sorted(_HOMES)]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'cronops' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(home), name)
    globals()[name] = value
    return value
