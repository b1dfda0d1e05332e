"""Rules about pods: how many there are, how long they may take, and how they end."""

from collections.abc import Iterator

from cronops.schedules.findings import Severity
from cronops.schedules.resolve import ResolvedEnvironment, ResolvedSchedule, pod_backoff
from cronops.schedules.rules import image, resources
from cronops.schedules.rules.rule import Problem, Rule, schedule_rule
from cronops.schedules.rules.template import template_rule

_POLICIES = ("Forbid", "Allow", "Replace")
_MANY_PODS = 6
_LONG_HISTORY = 10
_SHORT_START, _LONG_START = 10, 900
_SHARD = "--shard"


@template_rule(
    "concurrency-policy",
    "concurrency_policy",
    title="The concurrency policy is one that Kubernetes knows",
    why="The API rejects any other, and minds upper and lower case.",
    instead="write 'concurrencyPolicy: Forbid', or nothing",
    waivable=False,
)
def _concurrency_policy(policy: str | None) -> Iterator[Problem]:
    if policy is not None and policy not in _POLICIES:
        meant = next((one for one in _POLICIES if one.lower() == policy.strip().lower()), "")
        yield Problem(
            f"{policy[:100]!r} is no concurrency policy",
            f"write {meant}" if meant else "",
            ("concurrencyPolicy",),
        )


@template_rule(
    "concurrency-overlap",
    "concurrency_policy",
    title="A run is never started beside, or in place of, one that still works",
    why="Allow piles up pods that wait for the job's lock; Replace kills a run in the middle of "
    "its work.",
    instead="write 'concurrencyPolicy: Forbid', or nothing",
)
def _concurrency_overlap(policy: str | None) -> Iterator[Problem]:
    if policy is None or policy == "Allow":
        yield Problem(
            "Allow, which null means too, starts a run beside one that still works",
            field=("concurrencyPolicy",),
        )
    elif policy == "Replace":
        yield Problem("Replace kills a run that still works", field=("concurrencyPolicy",))


@template_rule(
    "restart-policy",
    "restart_policy",
    title="A container that ended is not started again in its pod",
    why="The API rejects Always for a Job, and OnFailure beside the podFailurePolicy by which "
    "exit codes decide about another pod.",
    instead="write 'restartPolicy: Never', or nothing",
    waivable=False,
)
def _restart_policy(policy: str | None) -> Iterator[Problem]:
    if policy != "Never":
        reason = {
            "Always": "is not possible for a Job",
            "OnFailure": "cannot stand beside a podFailurePolicy",
        }.get(policy or "", "is no restart policy of a Job")
        yield Problem(
            f"restartPolicy {(policy or 'null')[:100]!r} {reason}", field=("restartPolicy",)
        )


@schedule_rule(
    "deadline-budget",
    title="The Job's deadline leaves time for all its pods",
    why="activeDeadlineSeconds counts waiting, pulling and every retry, and kills without telling "
    "the job's own timeout: that must come first.",
    instead="raise activeDeadlineSeconds to the sum, or leave it out",
)
def _deadline_budget(schedule: ResolvedSchedule) -> Iterator[Problem]:
    given = schedule.template.active_deadline_seconds
    declared = schedule.declaration
    if given is None or declared is None or given >= schedule.budget:
        return
    retries = schedule.backoff_limit
    wait = f"{declared.lock_wait} s for the lock + " if declared.lock_wait else ""
    pod = (
        f"{wait}{declared.timeout or 0} s timeout + {schedule.grace} s grace + "
        f"{schedule.template.startup_seconds or 0} s start-up"
    )
    pause = f" + {pod_backoff(retries)} s between them" if retries else ""
    pods = f"{retries + 1} pods of ({pod})" if retries else pod
    yield Problem(
        f"activeDeadlineSeconds is {given}, and the pods may need {pods}{pause} = "
        f"{schedule.budget} s",
        f"write {schedule.budget} at least, or leave it out",
        ("activeDeadlineSeconds",),
    )


@schedule_rule(
    "endless-command",
    title="The command ends",
    why="A CronJob's run that never ends keeps all later ones from starting.",
    instead="run it as a Deployment, or give it an option that makes it end",
)
def _endless_command(schedule: ResolvedSchedule) -> Iterator[Problem]:
    if schedule.declaration is not None and schedule.declaration.timeout is None:
        yield Problem(f"{schedule.declaration.job!r} so called never ends", field=("command",))


@schedule_rule(
    "grace",
    title="A pod is given the time a run needs to stop",
    why="After SIGTERM a run stops its work, gives up its lock and tells how it ended; killed "
    "before, it leaves a lock behind and no record.",
    instead="leave terminationGracePeriodSeconds out: it follows from the settings",
)
def _grace(schedule: ResolvedSchedule) -> Iterator[Problem]:
    given = schedule.template.termination_grace_period_seconds
    if given is not None and given < schedule.stop_seconds:
        yield Problem(
            f"terminationGracePeriodSeconds is {given}, and a run may need "
            f"{schedule.stop_seconds} s to stop",
            f"write {schedule.stop_seconds} at least, or leave it out",
            ("terminationGracePeriodSeconds",),
        )


@schedule_rule(
    "backoff-limit",
    title="Pods are started again only where the job says that is safe, and not without end",
    why="A pod that died half-way is repeated from its start; each one makes all the attempts "
    "its job declares.",
    instead="leave backoffLimit out: it follows from the job's declaration",
)
def _backoff_limit(schedule: ResolvedSchedule) -> Iterator[Problem]:
    given = schedule.template.backoff_limit
    if not given:
        return
    if not schedule.retry_safe and schedule.declaration is not None:
        yield Problem(
            f"backoffLimit is {given}, and {schedule.declaration.job!r} is not safe to repeat",
            "write 0, or leave it out",
            ("backoffLimit",),
        )
    elif given > _MANY_PODS:
        yield Problem(
            f"backoffLimit is {given}: so many pods try what each tried several times",
            f"write {_MANY_PODS} at most",
            ("backoffLimit",),
            severity=Severity.WARNING,
        )


@template_rule(
    "history-limit",
    "successful_jobs_history_limit",
    "failed_jobs_history_limit",
    title="A few finished Jobs are kept, of failed ones the last",
    why="KubeJobFailed fires for every failed Job that still exists, so more than one keep "
    "alerting; with none, a run's pod and its log are gone at once.",
    instead="leave the limits out: 3 successful and 1 failed",
    severity=Severity.WARNING,
)
def _history_limit(successful: int | None, failed: int | None) -> Iterator[Problem]:
    if failed is not None and failed != 1:
        told = "keep alerting long after" if failed else "leave nothing to look at"
        yield Problem(
            f"failedJobsHistoryLimit is {failed}: failed Jobs {told}",
            "write 1, or leave it out",
            ("failedJobsHistoryLimit",),
        )
    if successful is not None and successful > _LONG_HISTORY:
        yield Problem(
            f"successfulJobsHistoryLimit is {successful}: the runs are recorded anyway",
            f"write {_LONG_HISTORY} at most; see 'cronops runs list'",
            ("successfulJobsHistoryLimit",),
        )


@schedule_rule(
    "shards",
    title="Only work that can be divided is divided",
    why="Each pod of an Indexed Job is told its part by --shard; without it they all would do "
    "the same.",
    instead="leave shards out, or write 2 or more for a command that takes --shard",
    waivable=False,
)
def _shards(schedule: ResolvedSchedule) -> Iterator[Problem]:
    shards, declared = schedule.shards, schedule.declaration
    if shards is None:
        return
    if shards < 2:
        yield Problem("one shard is no division", "leave shards out", ("shards",))
    if declared is None:
        return
    if _SHARD not in declared.options:
        yield Problem(
            f"{declared.job!r} takes no {_SHARD}: it cannot be divided",
            "leave shards out",
            ("shards",),
        )
    elif _SHARD in declared.given:
        yield Problem(
            f"the command names its {_SHARD} itself, and shards would add another",
            f"leave out {_SHARD} from the command",
            ("command",),
        )


@template_rule(
    "startup",
    "startup_seconds",
    title="The time for a pod to start is likely",
    why="It is part of the Job's deadline: too short, and a slow pull kills a healthy run; too "
    "long, and one that hangs is noticed late.",
    instead=f"write {_SHORT_START} to {_LONG_START}, or leave it out: 60",
    severity=Severity.WARNING,
)
def _startup(seconds: int | None) -> Iterator[Problem]:
    if seconds is not None and not _SHORT_START <= seconds <= _LONG_START:
        yield Problem(
            f"{seconds} s for a pod to be placed, pull its image and start are "
            + ("too few" if seconds < _SHORT_START else "very many"),
            field=("startupSeconds",),
        )


RULES: tuple[Rule[ResolvedSchedule] | Rule[ResolvedEnvironment], ...] = (
    _concurrency_policy,
    _concurrency_overlap,
    _restart_policy,
    _backoff_limit,
    _deadline_budget,
    _endless_command,
    _grace,
    _history_limit,
    _shards,
    _startup,
    *resources.RULES,
    *image.RULES,
)
