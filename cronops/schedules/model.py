"""The shape of a schedules file; what each field means, and nothing of what is wise.

Closed: an unknown key is an error. What Kubernetes names keeps its Kubernetes name. Values which
a rule judges (`cronops.schedules.rules`) are plain text here, so that a bad one gets that rule's
id and advice. The JSON Schema for editors is made from this model.
"""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from cronops.schedules.parts import (
    AtLeastZero,
    Egress,
    Image,
    Part,
    PullSecret,
    Resources,
    SecretFile,
    Text,
    Toleration,
    Volume,
)


def _day(value: object) -> object:
    if not isinstance(value, str):
        return value
    return date.fromisoformat(value)


def _number(value: object) -> object:
    """Python takes true and 1.0 for 1; as text they are refused."""
    return str(value).lower() if isinstance(value, bool | float) else value


Day = Annotated[date, BeforeValidator(_day)]
AtLeastOne = Annotated[int, Field(ge=1, lt=2**31)]
# What is computed of these has to stay a number that the API takes.
UpToAYear = Annotated[int, Field(ge=1, le=366 * 86_400)]
UpToADay = Annotated[int, Field(ge=1, le=86_400)]
Retries = Annotated[int, Field(ge=0, le=100)]


class Suspension(Part):
    """Why a schedule stands still, and until when."""

    until: Day
    by: Text
    why: Text


def _suspension_kind(value: object) -> str:
    return "reasoned" if isinstance(value, dict | Suspension) else "plain"


Suspend = Annotated[
    Annotated[bool, Tag("plain")] | Annotated[Suspension, Tag("reasoned")],
    Discriminator(_suspension_kind),
]


class Confirmation(Part):
    """Who confirmed that this is the cadence production wants, and when."""

    by: Text
    on: Day


class Waiver(Part):
    """A rule that does not hold here, and why."""

    rule: Text
    reason: Text


class Template(Part):
    """What defaults, an environment and a schedule may each say; the most specific wins.

    Mappings are merged key by key, and ``null`` takes a key of a less specific place away;
    everything else is replaced.
    """

    time_zone: Text | None = None
    """IANA name of the zone the schedule is read in: ``Europe/Brussels``."""
    image: Image | None = None
    image_pull_secrets: list[PullSecret] | None = None
    concurrency_policy: Text | None = Field(
        default=None, json_schema_extra={"enum": ["Forbid", "Allow", "Replace", None]}
    )
    starting_deadline_seconds: UpToAYear | None = None
    """How late a run may start; half the period unless given."""
    successful_jobs_history_limit: AtLeastZero | None = None
    failed_jobs_history_limit: AtLeastZero | None = None
    backoff_limit: Retries | None = None
    """Pods started after the first; 2 for a job that declares itself retry-safe, else 0."""
    active_deadline_seconds: UpToAYear | None = None
    """For the whole Job with all its pods; proven from the job's timeout unless given."""
    termination_grace_period_seconds: UpToADay | None = None
    """What a run needs after SIGTERM; from the settings unless given."""
    startup_seconds: UpToADay | None = None
    """Slack for a pod to be scheduled, pull its image and start."""
    restart_policy: Text | None = Field(default=None, json_schema_extra={"enum": ["Never", None]})
    suspend: Suspend | None = None
    """Stand still; give until, by and why."""
    severity: Literal["critical", "warning", "info"] | None = None
    """Of the alerts on missed, overlong and unrecorded runs."""
    labels: dict[str, str | None] = Field(default_factory=dict)
    annotations: dict[str, str | None] = Field(default_factory=dict)
    resources: Resources | None = None
    env: dict[str, str | None] = Field(default_factory=dict)
    """Environment variables, none of them secret."""
    secrets: dict[str, SecretFile | None] = Field(default_factory=dict)
    """Files made of Secrets, by a name of ours."""
    volumes: dict[str, Volume | None] = Field(default_factory=dict)
    """Directories, by a name of ours."""
    egress: dict[str, Egress | None] = Field(default_factory=dict)
    """Whom the job talks to, by a name of ours; nothing else leaves the pod."""
    node_selector: dict[str, str | None] = Field(default_factory=dict)
    tolerations: list[Toleration] | None = None
    priority_class_name: Text | None = None
    waivers: list[Waiver] = Field(default_factory=list)


class Migration(Template):
    """The Job that upgrades our tables; like any schedule, but for what is said here."""


class Defaults(Template):
    """What holds everywhere."""


class Environment(Template):
    """One installation."""

    namespace: Text
    name_prefix: str = ""
    """Put before every object's name."""
    migration: Migration | None = None


class Override(Template):
    """What one schedule says otherwise in one environment."""

    schedule: Text | None = None
    shards: AtLeastOne | None = None


class Schedule(Template):
    """When a command runs, and with what."""

    name: Text
    """Lower-case letters, digits and hyphens; the run is recorded under it."""
    cr: Text
    """The change request: ``CR-006``."""
    command: Text
    """As at a terminal, without ``cronops``: ``queue process --queue=general``."""
    description: Text | None = None
    schedule: Text | None = None
    """Five fields in the cluster's dialect: ``*/15 6-22 * * 1-5``."""
    manual: bool = False
    """Never by the clock: an operator triggers it, giving the {placeholders} of the command."""
    provisional: bool = False
    """The cadence is a proposal: production stands still until `confirmed` is given."""
    confirmed: Confirmation | None = None
    shards: AtLeastOne | None = None
    """Work one queue in so many pods at once."""
    environments: dict[str, Override] = Field(default_factory=dict)


class Unscheduled(Part):
    """A job that no schedule runs, and why."""

    cr: Text
    why: Text


class Document(Part):
    """A whole schedules file."""

    version: Annotated[Literal[1], BeforeValidator(_number)]
    defaults: Defaults = Field(default_factory=Defaults)
    environments: Annotated[dict[str, Environment], Field(min_length=1)]
    schedules: list[Schedule]
    unscheduled: list[Unscheduled] = Field(default_factory=list)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a schedules file, for editors."""
    schema = Document.model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
