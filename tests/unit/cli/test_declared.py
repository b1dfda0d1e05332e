"""What a schedules file is told of the jobs: their command lines, read as the commands would."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.exceptions import TyperException

from cronops import Need, Outcome, Retry, Wait, job
from cronops.cli.declared import InstalledJobs
from cronops.cli.job_command import job_command
from cronops.cli.job_parser import JobParser
from cronops.cli.pod_settings import PodSettings
from cronops.config import leaves
from cronops.jobs import JOBS
from cronops.jobs.queue.process import process
from cronops.jobs.registry import load_job
from cronops.owners import KNOWN_OWNERS
from cronops.schedules.declarations import CommandProblem, Declaration, LockUse, Resource


def declare(function: Any, **declared: Any) -> JobParser:
    made = job(
        "probe work",
        **{
            "cr": "CR-999",
            "lock": "probe.work",
            "timeout": timedelta(seconds=90.5),
            "retry": Retry.never(),
            "idempotency": "writes nothing",
            "accountable": "Shared Ops",
            "responsible": "Shared Ops",
            **declared,
        },
    )(function)
    return JobParser(made, job_command(made), PodSettings())


def refused(read: Any, command: Any) -> tuple[str, str, str]:
    with pytest.raises(CommandProblem) as caught:
        read(command)
    return caught.value.rule, caught.value.message, caught.value.instead


@pytest.fixture(scope="module")
def jobs() -> InstalledJobs:
    return InstalledJobs()


def test_a_command_line_says_what_its_job_declares(jobs: InstalledJobs) -> None:
    declaration = jobs.read("queue process --queue=general --concurrency 2")

    assert declaration.job == "queue process"
    assert declaration.crs == ("CR-006",)
    assert declaration.locks == (LockUse("cron.queue.process.general"),)
    assert declaration.timeout == 900
    assert declaration.lock_wait == 0
    assert declaration.retry_safe
    assert declaration.skips_when_locked
    assert declaration.responsible == "Shared Ops"
    assert declaration.given == {"--queue", "--concurrency"}
    assert {"--shard", "--wait", "--help", "--until-empty"} <= declaration.options
    assert declaration.needs == (
        Resource("database", "CRONOPS_DATABASE_URL", "connect"),
        Resource("database", "CRONOPS_DATABASE_URL", "secret"),
    )


# What cannot be called without saying more.
NEEDED = {"suppliers import-stock": "--all"}


@pytest.mark.parametrize("name", JOBS)
def test_every_built_in_job_can_be_read_and_needs_settings_that_exist(
    jobs: InstalledJobs, name: str
) -> None:
    keys = {leaf.key for leaf in leaves()}

    declared = jobs.read(f"{name} {NEEDED.get(name, '')}")
    assert set(declared.crs) <= set(jobs.jobs[name]) == set(load_job(name).crs)
    assert {need.setting for need in load_job(name).needs} <= keys


def test_options_change_what_holds(jobs: InstalledJobs) -> None:
    assert jobs.read("queue process --wait 1m30s").lock_wait == 90
    assert not jobs.read("queue process --fail-if-locked").skips_when_locked
    assert jobs.read("queue process --follow").timeout is None
    assert jobs.read("queue process --queue 'a b'").locks == (LockUse("cron.queue.process.a b"),)


def test_a_shard_holds_the_queue_shared_and_its_own_part_alone(jobs: InstalledJobs) -> None:
    shared = LockUse("cron.queue.process.general", shared=True)
    own = [LockUse(f"cron.queue.process.general.shard.{index}") for index in range(3)]

    assert jobs.read("queue process --shard 2/3").locks == (own[2], shared)
    assert set(jobs.read("queue process --shard auto/3").locks) == {shared, *own}


def test_placeholders_stand_for_any_value_and_hide_the_lock_they_are_in(
    jobs: InstalledJobs,
) -> None:
    read = jobs.read("queue process --queue={queue} --concurrency={n} --max-time {time}")

    assert read.locks == ()
    assert read.given == {"--queue", "--concurrency", "--max-time"}
    assert jobs.read("queue process --max-messages={n}").locks == (
        LockUse("cron.queue.process.general"),
    )


@pytest.mark.parametrize(
    ("command", "rule", "said"),
    [
        ("queue proces", "command-unknown", "did you mean 'queue process'"),
        ("zzz", "command-unknown", "no job is called 'zzz'"),
        ("", "command-unknown", "the command is empty"),
        ("queue", "command-unknown", "name one of its jobs: queue clean, queue process"),
        ("queue status", "command-unknown", "'queue status' is an operator's command, not a job"),
        ("pause --all", "command-unknown", "'pause' is an operator's command, not a job"),
        ("queue --json process", "command-unknown", "'queue' is a group of commands"),
        ("--version", "command-argument", "the command begins with '--version'"),
        ("queue process --qeue=x", "command-option", "did you mean '--queue'?"),
        ("queue process -x", "command-option", "no option -x"),
        ("queue clean --shard 1/4", "command-option", "no option --shard"),
        ("queue clean --run-id a", "command-option", "leave --run-id out"),
        ("queue clean --scheduled-at 2026-11-23T04:00:00Z", "command-option", "the same for every"),
        ("queue process --concurrency many", "command-argument", "'many' is no whole number"),
        ("queue process --concurrency 0", "command-argument", "must be at least 1"),
        ("queue process --direction up", "command-argument", "'up' is not one of 'incoming'"),
        ("queue process --queue", "command-argument", "requires an argument"),
        ("queue process --follow=yes", "command-argument", "does not take a value"),
        ("queue process general", "command-argument", "takes no argument, but is given 'general'"),
        ("queue process --shard 9/4", "command-argument", "there is no shard 9 of 4"),
        ("queue process --help", "command-argument", "leave --help out"),
        ("queue process --queue='a", "command-shell", "close every quotation mark"),
    ],
)
def test_what_would_be_refused_is_refused_with_advice(
    jobs: InstalledJobs, command: str, rule: str, said: str
) -> None:
    told = refused(jobs.read, command)

    assert told[0] == rule
    assert said in " ".join(told[1:])
    assert refused(jobs.read, command) == told  # also when it was asked before


def test_the_jobs_of_installed_packages_are_known(
    probe_package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(probe_package))

    assert InstalledJobs().read("probe ok").crs == load_job("probe ok").crs


def test_a_missing_option_is_told() -> None:
    def work(ctx: Any, *, supplier: str) -> Outcome:
        """Work."""
        return Outcome()

    rule, message, instead = refused(declare(work).read, [])

    assert (rule, message) == (
        "command-argument",
        "probe work needs --supplier, which is not given",
    )
    assert "--supplier={supplier}" in instead


def test_waiting_for_a_lock_and_broken_seconds_are_rounded_up() -> None:
    def work(ctx: Any) -> Outcome:
        """Work."""
        return Outcome()

    declaration = declare(work, when_locked=Wait(timedelta(seconds=1.2))).read([])

    assert (declaration.timeout, declaration.lock_wait) == (91, 2)


def test_what_a_job_needs_is_told_by_its_variable() -> None:
    def work(ctx: Any) -> Outcome:
        """Work."""
        return Outcome()

    needs = (
        Need("metrics", "metrics_textfile", "write"),
        Need("alerts", "alerts.routes", "secret"),
    )

    assert declare(work, needs=needs).read([]).needs[2:] == (
        Resource("metrics", "CRONOPS_METRICS_TEXTFILE", "write"),
        Resource("alerts", "CRONOPS_ALERTS__ROUTES", "secret"),
    )
    _, message, _ = refused(declare(work, needs=[Need("a", "alerts.rout", "secret")]).read, [])
    assert "'alerts.rout', which there is not; did you mean 'alerts.routes'" in message


def test_a_lock_that_cannot_be_told_is_a_problem_unless_a_placeholder_is_to_blame() -> None:
    def work(ctx: Any, *, supplier: int = 0, several: tuple[int, ...] = ()) -> Outcome:
        """Work."""
        return Outcome()

    def lock(*, supplier: int, several: tuple[int, ...]) -> str:
        assert isinstance(several, tuple)
        return f"probe.{10 // supplier}"

    read = declare(work, lock=lock).read

    assert read(["--supplier", "2", "--several", "1", "--several", "2"]).locks == (
        LockUse("probe.5"),
    )
    assert read(["--supplier", "{supplier}"]).locks == ()
    assert "ZeroDivisionError" in refused(read, ["--supplier", "0"])[1]


WORDS = st.sampled_from(
    [
        *("--queue", "--queue=a", "a", "1", "--concurrency", "--concurrency=2", "--follow", "-h"),
        *(
            "--no-follow",
            "--direction",
            "both",
            "--shard=1/2",
            "--max-time=1m",
            "--",
            "-",
            "--wait",
        ),
        *("--wait=x", "--fail-if-locked", "--until-empty", "--correlation-id", "--que", "--queue="),
    ]
)


@given(st.lists(WORDS, max_size=5))
def test_a_command_line_is_read_as_the_command_itself_reads_it(words: list[str]) -> None:
    command = job_command(process)
    try:
        parameters = command.make_context("process", list(words)).params
    except (TyperException, typer.Exit):  # --help shows help, and ends
        parameters = None
    try:
        declaration: Declaration | None = JobParser(process, command, PodSettings()).read(words)
    except CommandProblem:
        declaration = None

    if parameters is None or declaration is None:
        assert parameters is None
        assert declaration is None
    else:
        locks = process.locks_for({name: parameters[name] for name in process.parameters})
        assert declaration.locks == tuple(LockUse(lock.key, lock.shared) for lock in locks)
        assert declaration.skips_when_locked is not parameters["fail_if_locked"]


def test_variables_that_the_settings_refuse_are_told(jobs: InstalledJobs) -> None:
    def problems(**variables: str) -> list[tuple[str, str, str]]:
        return list(jobs.setting_problems(variables))

    assert problems(CRONOPS_LOG_FORMAT="json", PATH="/bin", CRONOPS_DATABASE_URL_FILE="/x") == []
    [(name, what, instead)] = problems(CRONOPS_LOG_FROMAT="json")
    assert (name, what) == ("CRONOPS_LOG_FROMAT", "no setting is called so")
    assert "'CRONOPS_LOG_FORMAT'" in instead
    [(name, what, instead)] = problems(CRONOPS_LOCK__TTL="soon")
    assert (name, instead) == ("CRONOPS_LOCK__TTL", "it takes: duration")
    [(name, what, _)] = problems(CRONOPS_ALERTS__ROUTES='{"a": "hunter2"')
    assert "hunter2" not in what
    [(name, what, _)] = problems(CRONOPS_OWNERS="[]", CRONOPS_OWNERS_FILE="/x")
    assert what == "both it and CRONOPS_OWNERS_FILE are set"


def test_settings_that_contradict_each_other_are_told_unless_one_is_out_of_sight(
    jobs: InstalledJobs,
) -> None:
    half = {"CRONOPS_CLEAN_WINDOW__START": "01:00"}
    whole = {**half, "CRONOPS_CLEAN_WINDOW__END_FILE": "/run/secrets/x"}

    assert [name for name, _, _ in jobs.setting_problems(half)] == ["CRONOPS_CLEAN_WINDOW__START"]
    assert list(jobs.setting_problems(whole)) == []


def test_the_settings_decide_how_long_a_pod_takes_to_stop_and_who_may_own(
    jobs: InstalledJobs,
) -> None:
    assert jobs.stop_seconds({}) == 2 * 20 + 5 + 10 + 5
    assert jobs.stop_seconds({"CRONOPS_SUPERVISOR__GRACE": "1m"}) == 2 * 60 + 5 + 10 + 5
    assert jobs.stop_seconds({"CRONOPS_SUPERVISOR__GRACE": "soon"}) == jobs.stop_seconds({})
    assert jobs.owners({}) == KNOWN_OWNERS
    assert jobs.owners({"CRONOPS_OWNERS": '["Bikes"]'}) == KNOWN_OWNERS | {"Bikes"}
