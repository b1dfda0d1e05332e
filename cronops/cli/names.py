"""Names people type: known ones pass, unknown ones fail and say which were near."""

from collections.abc import Iterable
from difflib import get_close_matches

from cronops.errors import UsageError


def nearest(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'x' or 'y'?`` for an unknown name, or nothing."""
    near = get_close_matches(name, sorted(set(known)))
    return f"; did you mean {' or '.join(repr(one) for one in near)}?" if near else ""


def is_job(name: str) -> bool:
    """Whether a job of that name is declared here."""
    return name in _jobs()


def check_job(name: str) -> None:
    """Raise `UsageError` where no job is called so."""
    known = _jobs()
    if name not in known:
        raise UsageError(
            f"no job is called {name!r}{nearest(name, known) or '; see: cronops jobs list'}"
        )


def _jobs() -> list[str]:
    from cronops.jobs.registry import list_jobs

    return [listed.path for listed in list_jobs()]
