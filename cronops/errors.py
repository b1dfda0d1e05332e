"""Every error cronops raises on purpose, and the exit code each one ends a process with.

::

    CronopsError                        1
    ├── TransientError                  75   may succeed if tried again: retried where a job says so
    │   ├── DatabaseUnavailable         75
    │   ├── ClusterUnavailable          75   the Kubernetes API did not answer
    │   ├── LeaseLost                   75   somebody else may hold the lock now
    │   └── Locked                      75   only with --fail-if-locked
    ├── PermanentError                  1    trying again cannot help
    ├── DeclarationError                78   a job or handler lacks something; raised at import
    ├── ConfigurationError              78
    │   └── SchemaMismatch              78   the database is older or newer than this program
    ├── BadInput                        65   the data is wrong, not the program
    ├── UsageError                      64   the command was called in a way that makes no sense
    ├── NeedsAPerson                    1    refused until an operator has looked
    └── Interrupted                     143  told to stop before the work was done

The first argument of each is the whole message: what happened, where, and what to do next.
"""

from enum import Enum, IntEnum


class PodFailureAction(Enum):
    """What a Kubernetes ``podFailurePolicy`` does with an exit code."""

    NONE = "none"
    """Success: no rule."""
    COUNT = "Count"
    """Retried, and counted towards ``backoffLimit``."""
    FAIL_JOB = "FailJob"
    """No retry: it would fail the same way."""
    COUNT_IF_RETRY_SAFE = "CountIfRetrySafe"
    """``Count`` for a job that declares ``retry_safe``, else ``FailJob``."""


class ExitCode(IntEnum):
    """Exit codes of every command; manifests, documentation and tests are made from this."""

    meaning: str
    action: PodFailureAction

    def __new__(cls, value: int, meaning: str, action: PodFailureAction) -> "ExitCode":
        """Keep the meaning and the pod failure action beside the number."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        member.action = action
        return member

    OK = (0, "succeeded, skipped, or a drained queue after SIGTERM", PodFailureAction.NONE)
    FAILED = (
        1,
        "failed; also 'differs' or 'a person must look'",
        PodFailureAction.COUNT_IF_RETRY_SAFE,
    )
    USAGE = (2, "usage: unknown option or bad value", PodFailureAction.FAIL_JOB)
    USAGE_SENSE = (64, "usage: options that make no sense together", PodFailureAction.FAIL_JOB)
    BAD_INPUT = (65, "bad input data", PodFailureAction.FAIL_JOB)
    TEMPORARY = (
        75,
        "temporary failure, lease lost, or locked with --fail-if-locked",
        PodFailureAction.COUNT,
    )
    CONFIGURATION = (78, "bad configuration, or another schema version", PodFailureAction.FAIL_JOB)
    TIMED_OUT = (124, "timed out", PodFailureAction.COUNT_IF_RETRY_SAFE)
    INTERRUPTED = (130, "interrupted by hand", PodFailureAction.COUNT)
    CRASHED = (137, "killed or crashed; the signal is in the receipt", PodFailureAction.COUNT)
    TERMINATED = (143, "terminated by SIGTERM", PodFailureAction.COUNT)

    @classmethod
    def of(cls, code: int) -> "ExitCode":
        """The member with this number; any other number counts as `FAILED`."""
        return next((member for member in cls if member.value == code), cls.FAILED)

    def retried_by_pod(self, *, retry_safe: bool) -> bool:
        """Whether Kubernetes starts another pod after this code."""
        if self.action is PodFailureAction.COUNT_IF_RETRY_SAFE:
            return retry_safe
        return self.action is PodFailureAction.COUNT and retry_safe


class CronopsError(Exception):
    """An error with a message made for the person who reads it."""

    exit_code = ExitCode.FAILED


class TransientError(CronopsError):
    """May succeed if tried again: a network that failed, a server that was busy."""

    exit_code = ExitCode.TEMPORARY


class DatabaseUnavailable(TransientError):
    """The database could not be reached or the connection was cut."""


class ClusterUnavailable(TransientError):
    """The Kubernetes API could not be reached, or could not answer now."""


class LeaseLost(TransientError):
    """This run no longer holds its lock: nothing more of it may be committed."""


class Locked(TransientError):
    """Another run holds the lock and the caller asked to fail in that case."""


class PermanentError(CronopsError):
    """Trying again cannot help: the input or the state has to change first."""


class ClusterRefused(PermanentError):
    """The Kubernetes API refused a request; the message is the server's."""


class DeclarationError(CronopsError):
    """A job or handler was declared without something it must declare."""

    exit_code = ExitCode.CONFIGURATION


class ConfigurationError(CronopsError):
    """A setting is missing, malformed or contradicts another."""

    exit_code = ExitCode.CONFIGURATION


class SchemaMismatch(ConfigurationError):
    """The database's tables are of another version than this program expects."""


class BadInput(CronopsError):
    """The data given is wrong; the message names the file, the line and the reason."""

    exit_code = ExitCode.BAD_INPUT


class UsageError(CronopsError):
    """The options were understood, but make no sense together."""

    exit_code = ExitCode.USAGE_SENSE


class NeedsAPerson(CronopsError):
    """Refused until an operator has looked, and said so."""


class Interrupted(CronopsError):
    """Told to stop before the work was done; raised by a job that leaves work behind."""

    exit_code = ExitCode.TERMINATED
