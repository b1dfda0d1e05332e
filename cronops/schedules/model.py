"""The shape of a schedules file; what each field means, and nothing of what is wise.

Closed: an unknown key is an error. What Kubernetes names keeps its Kubernetes name. Values which
a rule judges (`cronops.schedules.rules`) are plain text here, so that a bad one gets that rule's
id and advice. The JSON Schema for editors is made from this model.
"""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag
from pydantic.alias_generators import to_camel


def _quantity(value: object) -> object:
    """A quantity may be written as a number: ``cpu: 1``; kept as text, as it is rendered."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return f"{value:g}" if isinstance(value, float) else str(value)


def _day(value: object) -> object:
    if not isinstance(value, str):
        return value
    return date.fromisoformat(value)


def _number(value: object) -> object:
    """Python takes true and 1.0 for 1; as text they are refused."""
    return str(value).lower() if isinstance(value, bool | float) else value


Quantity = Annotated[
    str,
    Field(min_length=1),
    BeforeValidator(_quantity, json_schema_input_type=str | int | float),
]
Day = Annotated[date, BeforeValidator(_day)]
Text = Annotated[str, Field(min_length=1)]
Port = Annotated[int, Field(ge=1, le=65535)]
AtLeastZero = Annotated[int, Field(ge=0, lt=2**31)]
AtLeastOne = Annotated[int, Field(ge=1, lt=2**31)]
# What is computed of these has to stay a number that the API takes.
UpToAYear = Annotated[int, Field(ge=1, le=366 * 86_400)]
UpToADay = Annotated[int, Field(ge=1, le=86_400)]
Retries = Annotated[int, Field(ge=0, le=100)]


class Part(BaseModel):
    """Any mapping of the file: closed, strict, and never changed after it was read."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=False,
        use_attribute_docstrings=True,
        defer_build=True,
    )


class Image(Part):
    """The container's image; production pins it by digest."""

    repository: Text | None = None
    """Registry, path and name, without tag: ``registry.example.com/cronops``."""
    tag: Text | None = None
    """For people; the digest decides what runs."""
    digest: Text | None = None
    """``sha256:`` and 64 hexadecimal digits."""


class PullSecret(Part):
    """A Secret with which the image is pulled."""

    name: Text


class Resources(Part):
    """What the container is given; each of cpu, memory and ephemeral-storage wants both."""

    requests: dict[str, Quantity | None] = Field(default_factory=dict)
    limits: dict[str, Quantity | None] = Field(default_factory=dict)


class SecretFile(Part):
    """One key of a Secret, mounted as the file ``/run/secrets/<name>/<key>``."""

    secret_name: Text
    """The Secret in the cluster."""
    key: Text
    """The key in it, and the file's name."""
    env: Text | None = None
    """Environment variable that is given the file's path: ``CRONOPS_DATABASE_URL_FILE``."""
    default_mode: Annotated[int, Field(ge=0, le=0o777)] | None = None
    """The file's permissions, decimal as in JSON; 288 (0440) unless given."""


class Claim(Part):
    """A PersistentVolumeClaim in the namespace; an NFS export, too, is reached through one."""

    claim_name: Text


class ConfigMapSource(Part):
    """A ConfigMap that somebody else keeps."""

    name: Text


class EmptyDir(Part):
    """A directory that ends with the pod."""

    medium: Literal["", "Memory"] | None = None
    size_limit: Quantity | None = None


class Volume(Part):
    """A directory the job reads or writes: where it is mounted, and what lies behind it."""

    mount_path: Text | None = None
    """Absolute path in the container."""
    read_only: bool | None = None
    """True unless the job writes there."""
    sub_path: Text | None = None
    persistent_volume_claim: Claim | None = None
    config_map: ConfigMapSource | None = None
    empty_dir: EmptyDir | None = None


class IpBlock(Part):
    """Addresses outside the cluster."""

    cidr: Text
    except_: list[Text] | None = Field(default=None, alias="except")


class LabelSelector(Part):
    """Objects by their labels."""

    match_labels: dict[str, str]


class Peer(Part):
    """Whom the job talks to."""

    pod_selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None
    ip_block: IpBlock | None = None


class PolicyPort(Part):
    """A port of the peer."""

    port: Port
    end_port: Port | None = None
    protocol: Literal["TCP", "UDP", "SCTP"] = "TCP"


class Egress(Part):
    """One rule of the job's network policy: these peers, on these ports."""

    to: list[Peer]
    ports: list[PolicyPort]


class Toleration(Part):
    """A taint the pod puts up with."""

    key: Text | None = None
    operator: Literal["Exists", "Equal"] | None = None
    value: str | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: AtLeastZero | None = None


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
