"""What ties an alert to its repeats and to its end; imports nothing, for every run asks for one."""


def dedup_key(environment: str, schedule: str | None, job: str) -> str:
    """The key of all alerts about a schedule (or, without one, a job) in one installation."""
    return f"{environment}:{schedule or job}"


def handler_dedup_key(environment: str, handler: str) -> str:
    """The key of all alerts about a handler's messages in one installation."""
    return f"{environment}:handler:{handler}"
