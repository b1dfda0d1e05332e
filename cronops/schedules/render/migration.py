"""The Job that upgrades our tables, named by a hash: a Job that has run cannot be changed."""

from cronops.schedules.render.access import access_text
from cronops.schedules.render.failure_policy import failure_policy
from cronops.schedules.render.ground import LONGEST_HASHED, LONGEST_NAME, Ground
from cronops.schedules.render.job import Job, job_text, pairs
from cronops.schedules.render.labels import ROLE, migration_labels, said_annotations, waivers
from cronops.schedules.render.pod import TEMPORARY, Variable, make_pod
from cronops.schedules.render.texts import fill
from cronops.schedules.resolve import ResolvedEnvironment, shortened

NAME = "cronops-migration"
COMMAND = ("db", "upgrade")
# A table of millions of rows may be rewritten; whoever waits for more should look at it.
DEADLINE = 1800
RETRIES = 2


def job_names(environment: ResolvedEnvironment) -> tuple[str, str]:
    """The Job's name in the chart, and what stands before the hash in ours."""
    whole = f"{environment.said.name_prefix}{NAME}"
    return shortened(whole, LONGEST_NAME), shortened(whole, LONGEST_HASHED)


def migration_text(ground: Ground) -> str:
    """The three documents of the migration."""
    environment = ground.environment
    template, name = environment.migration, ground.named(NAME)
    label_values = migration_labels(environment)
    labels = pairs(label_values)
    retries = template.backoff_limit
    job = Job(
        pod=make_pod(
            ground,
            template,
            service_account=name,
            args=COMMAND,
            own=(Variable("CRONOPS_POD__NAME", field="metadata.name"), Variable("HOME", TEMPORARY)),
            grace=template.termination_grace_period_seconds
            or environment.declarations.stop_seconds(ground.settings),
        ),
        shards=None,
        backoff_limit=RETRIES if retries is None else retries,
        active_deadline=template.active_deadline_seconds or DEADLINE,
        # Safe to repeat, and for several pods at once.
        failure_policy=failure_policy(retry_safe=True, indexed=False),
    )
    # On the pods, so that a new revision is a new Job even where the image's name stays.
    revision = {"cronops/schema-revision": environment.declarations.schema_revision}
    spec = job_text(job, labels, pairs(said_annotations(template) | revision))
    told = {
        "cronops/command": "cronops " + " ".join(COMMAND),
        "cronops/generated-by": ground.generator,
    }
    return (
        fill(
            "migration.yaml.j2",
            name=ground.named(NAME, spec),
            namespace=environment.namespace,
            labels=labels,
            annotations=pairs(said_annotations(template) | waivers(template) | revision | told),
            access=access_text(
                ground,
                name=name,
                labels=labels,
                selector=(ROLE, label_values[ROLE]),
                egress=template.egress,
            ),
            job=spec,
        )
        + "\n"
    )
