import pytest

from cronops.contract.job import Job
from cronops.errors import DeclarationError, UsageError
from cronops.jobs import HANDLERS, JOBS, JobEntry, registry
from cronops.jobs.registry import UnknownHandler, list_jobs, load_handler, load_job


@pytest.mark.parametrize("path", JOBS)
def test_the_table_of_contents_agrees_with_the_declarations(path: str) -> None:
    job = load_job(path)
    assert isinstance(job, Job)
    assert job.cr == JOBS[path].cr
    assert job.summary == JOBS[path].summary


@pytest.mark.parametrize("name", HANDLERS)
def test_every_built_in_handler_can_be_loaded(name: str) -> None:
    assert load_handler(name).name == name
    assert load_handler(name).summary


def test_what_is_built_in_is_found_without_reading_entry_points(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(group: str) -> None:
        raise AssertionError(f"entry points of {group} were read")

    monkeypatch.setattr(registry, "entry_points", refuse)
    load_job("queue process")
    load_handler("sample.echo")
    assert [listed.path for listed in list_jobs(installed=False)] == sorted(JOBS)


def test_an_unknown_job_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'queue process'"):
        load_job("queue proces")


def test_an_unknown_handler_is_a_lookup_error() -> None:
    with pytest.raises(UnknownHandler, match="no handler is called 'missing'"):
        load_handler("missing")


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("cronops.missing:job", "cannot be imported"),
        ("cronops.jobs.queue.clean:missing", "cannot be imported"),
        ("cronops.jobs.queue.clean:timedelta", "not declared with @job"),
        ("cronops.jobs.queue.process:process", "the two names must agree"),
    ],
)
def test_an_entry_that_is_wrong_says_how(
    monkeypatch: pytest.MonkeyPatch, target: str, says: str
) -> None:
    monkeypatch.setitem(JOBS, "broken", JobEntry(target, "X-001", ""))
    with pytest.raises(DeclarationError, match=says):
        load_job("broken")
