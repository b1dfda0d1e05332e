"""A schedule's file: service account, network policy and CronJob."""

from dataclasses import dataclass

from cronops.schedules.render.access import access_text
from cronops.schedules.render.failure_policy import failure_policy
from cronops.schedules.render.ground import Ground
from cronops.schedules.render.job import Job, job_text, pairs
from cronops.schedules.render.labels import (
    SCHEDULE,
    said_annotations,
    schedule_annotations,
    schedule_labels,
)
from cronops.schedules.render.pod import (
    JOB_NAME_LABEL,
    TEMPORARY,
    TERMINATION_LOG,
    Variable,
    make_pod,
)
from cronops.schedules.render.quoting import Verbatim
from cronops.schedules.render.texts import fill
from cronops.schedules.resolve import NEVER, ResolvedSchedule


@dataclass(frozen=True, slots=True)
class CronJob:
    """What the template ``schedule.yaml.j2`` needs."""

    name: str
    namespace: str
    labels: Verbatim
    annotations: Verbatim
    expression: str
    time_zone: str | None
    concurrency_policy: str | None
    starting_deadline: int
    suspend: bool
    successful_history: int | None
    failed_history: int | None


def schedule_file(schedule: ResolvedSchedule) -> str:
    """Where the schedule's manifest lies, below its environment's directory."""
    return f"schedules/{schedule.cronjob}.yaml"


def schedule_text(ground: Ground, schedule: ResolvedSchedule) -> str:
    """The three documents of one schedule."""
    template, namespace = schedule.template, ground.environment.namespace
    label_values = schedule_labels(ground.environment, schedule)
    labels = pairs(label_values)
    view = CronJob(
        name=schedule.cronjob,
        namespace=namespace,
        labels=labels,
        annotations=pairs(schedule_annotations(schedule, ground.generator)),
        expression=schedule.expression or NEVER,
        time_zone=template.time_zone,
        concurrency_policy=template.concurrency_policy,
        starting_deadline=schedule.starting_deadline,
        suspend=schedule.standstill is not None,
        successful_history=template.successful_jobs_history_limit,
        failed_history=template.failed_jobs_history_limit,
    )
    access = access_text(
        ground,
        name=schedule.cronjob,
        labels=labels,
        selector=(SCHEDULE, label_values[SCHEDULE]),
        egress=template.egress,
    )
    job = job_text(_job(ground, schedule), labels, pairs(said_annotations(template)))
    return fill("schedule.yaml.j2", view=view, access=access, job=job) + "\n"


def _job(ground: Ground, schedule: ResolvedSchedule) -> Job:
    return Job(
        pod=make_pod(
            ground,
            schedule.template,
            service_account=schedule.cronjob,
            args=schedule.args,
            own=_own_variables(schedule),
            grace=schedule.grace,
        ),
        shards=schedule.shards,
        backoff_limit=schedule.backoff_limit,
        active_deadline=schedule.active_deadline,
        failure_policy=failure_policy(
            retry_safe=schedule.retry_safe, indexed=schedule.shards is not None
        ),
    )


def _own_variables(schedule: ResolvedSchedule) -> tuple[Variable, ...]:
    """How a run learns which slot of which schedule it works."""
    cronjob = Variable("CRONOPS_POD__CRONJOB", schedule.cronjob)
    return (
        Variable("CRONOPS_SCHEDULE", schedule.name),
        *(() if schedule.cronjob == schedule.name else (cronjob,)),
        Variable("CRONOPS_RUN_ID", field=JOB_NAME_LABEL),
        Variable("CRONOPS_POD__NAME", field="metadata.name"),
        Variable("CRONOPS_POD__BACKOFF_LIMIT", str(schedule.backoff_limit)),
        Variable("CRONOPS_TERMINATION_LOG", TERMINATION_LOG),
        Variable("HOME", TEMPORARY),
    )
