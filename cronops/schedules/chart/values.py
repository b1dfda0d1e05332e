"""The chart's values: what a user may set, and with what; `values.schema.json` is made of it.

Closed everywhere but for the maps whose names are the user's own. What Kubernetes names keeps its
Kubernetes name. Numbers that Python worked out from the jobs' declarations stand here as numbers.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from cronops.schedules.model import AtLeastOne
from cronops.schedules.parts import (
    AtLeastZero,
    Claim,
    ConfigMapSource,
    Egress,
    Part,
    PullSecret,
    SecretFile,
    Text,
    Toleration,
)

TakenAway = Literal[False]
"""Takes away a name that the defaults give; Helm drops the ``null`` of a values file."""
Quantity = Text | AtLeastZero
"""``--set`` makes a number of ``cpu=1``."""
Texts = dict[str, str | TakenAway | None]


class ImageValues(Part):
    """The container's image; parts that are empty are left out."""

    repository: str | None = None
    """Registry, path and name, without tag: ``registry.example.com/cronops``."""
    tag: str | None = None
    """For people; the digest decides what runs."""
    digest: Annotated[str, Field(pattern="^(sha256:[0-9a-f]{64})?$")] | None = None
    """``sha256:`` and 64 hexadecimal digits."""


class ResourceValues(Part):
    """What the container is given; each of cpu, memory and ephemeral-storage wants both."""

    requests: dict[str, Quantity | TakenAway | None] | None = None
    """By name; the more specific wins, name by name."""
    limits: dict[str, Quantity | TakenAway | None] | None = None
    """By name; the more specific wins, name by name."""


class EmptyDirValues(Part):
    """A directory that ends with the pod."""

    medium: Literal["", "Memory"] | None = None
    """``Memory`` for a file system in memory."""
    size_limit: Quantity | None = None
    """How much it may hold."""


class VolumeValues(Part):
    """A directory the job reads or writes: where it is mounted, and what lies behind it."""

    mount_path: Text
    """Absolute path in the container."""
    read_only: bool | None = None
    """True unless given, but for an emptyDir."""
    sub_path: Text | None = None
    """A path within the volume."""
    persistent_volume_claim: Claim | None = None
    """A claim in the namespace."""
    config_map: ConfigMapSource | None = None
    """A ConfigMap in the namespace."""
    empty_dir: EmptyDirValues | None = None
    """A directory that ends with the pod."""


class PodValues(Part):
    """What any pod of ours may be given; the more specific wins, name by name."""

    resources: ResourceValues | None = None
    secrets: dict[str, SecretFile | TakenAway | None] | None = None
    """Keys of Secrets, each mounted as the file ``/run/secrets/<name>/<key>``."""
    volumes: dict[str, VolumeValues | TakenAway | None] | None = None
    """Directories the job reads or writes."""
    egress: dict[str, Egress | TakenAway | None] | None = None
    """Whom the job talks to; nothing else leaves the pod."""
    labels: Texts | None = None
    """More labels, of the objects and of their pods."""
    annotations: Texts | None = None
    """More annotations, of the CronJob and of its pods."""
    node_selector: Texts | None = None
    """Labels of the nodes it may run on."""
    tolerations: list[Toleration] | None = None
    """Taints the pods put up with; replaces the defaults as a whole."""
    priority_class_name: str | None = None
    """Whose pods may displace others."""
    image_pull_secrets: list[PullSecret] | None = None
    """Secrets with which the image is pulled."""
    restart_policy: Literal["Never"] | None = None
    """With a podFailurePolicy, Kubernetes allows no other."""
    severity: Literal["critical", "warning", "info"] | None = None
    """Of the alerts; ``warning`` unless given."""


class CronJobValues(PodValues):
    """What any CronJob of ours may be given."""

    time_zone: Text | None = None
    """IANA name of the zone the schedule is read in: ``Europe/Brussels``."""
    concurrency_policy: Literal["Forbid", "Allow", "Replace"] | None = None
    """What happens while the run before still goes on."""
    successful_jobs_history_limit: AtLeastZero | None = None
    """How many succeeded Jobs are kept."""
    failed_jobs_history_limit: AtLeastZero | None = None
    """How many failed Jobs are kept; an alert fires for each."""


class Defaults(CronJobValues):
    """What holds for every schedule that says nothing else, and for the migration."""

    restart_policy: Literal["Never"] = "Never"
    """With a podFailurePolicy, Kubernetes allows no other."""
    time_zone: Text = "Etc/UTC"
    """IANA name of the zone schedules are read in: ``Europe/Brussels``."""
    concurrency_policy: Literal["Forbid", "Allow", "Replace"] = "Forbid"
    """What happens while the run before still goes on."""
    successful_jobs_history_limit: AtLeastZero = 3
    """How many succeeded Jobs are kept."""
    failed_jobs_history_limit: AtLeastZero = 1
    """How many failed Jobs are kept; an alert fires for each."""


class Work(Part):
    """What a Job needs beside its pod; the numbers are proven by `cronops schedules validate`."""

    args: Annotated[list[str], Field(min_length=1)]
    """The words after ``cronops``."""
    backoff_limit: AtLeastZero
    """Pods after the first; for each shard, where there are shards."""
    active_deadline_seconds: AtLeastOne
    """For the whole Job with all its pods."""
    termination_grace_period_seconds: AtLeastOne
    """Between SIGTERM and SIGKILL."""
    env: Texts | None = None
    """Environment variables, none of them secret, where they differ from `settings`."""
    image: ImageValues | None = None
    """What differs from the image of all."""


class Declared(Part):
    """What the job declares in the program; told to people, changed only there."""

    accountable: list[str] | None = None
    """Teams that own the outcome."""
    responsible: str | None = None
    """Team that looks into a failure."""
    consulted: list[str] | None = None
    """Teams that are asked."""
    locks: list[str] | None = None
    """Leases a run takes."""
    timeout: AtLeastZero | None = None
    """Seconds for all attempts of one run."""
    retry_safe: bool | None = None
    """Whether a pod that died may simply be started again."""


class AlertValues(Part):
    """When somebody is told, in seconds; follows from the cadence and the numbers above."""

    longest_silence: AtLeastZero
    """Longest time between two slots, clock changes included."""
    missed_after: AtLeastZero
    """Between two good runs."""
    not_started_after: AtLeastZero
    """After a slot."""
    overlong_after: AtLeastZero | None = None
    """For one pod; none where the job declares no timeout."""
    pending_after: AtLeastZero
    """After a pod was made that does not start."""


class Cadence(Part):
    """What is run, and when."""

    cr: Text
    """The change request: ``CR-006``."""
    job: Text
    """The command without its options: ``queue process``; alerts are grouped by its first word."""
    description: str | None = None
    """What it is for."""
    command: str | None = None
    """The arguments as people write them, where blanks between them do not tell it."""
    schedule: Text
    """Five fields in the cluster's dialect: ``*/15 6-22 * * 1-5``."""
    suspend: bool
    """Stand still."""
    suspended_because: str | None = None
    """Told to people while `suspend` holds."""
    starting_deadline_seconds: AtLeastOne
    """How late a run may start."""
    shards: AtLeastOne | None = None
    """Work one queue in so many pods at once."""
    declared: Declared | None = None
    """What the job declares; only the program changes it."""
    alerts: AlertValues | None = None
    """None for a schedule that runs by no clock."""


class ScheduleValues(CronJobValues, Work, Cadence):
    """When a command runs, and with what."""


class MigrationValues(PodValues):
    """The Job that upgrades our tables before a release is installed or upgraded."""

    enabled: bool = False
    """Off, somebody else has to run ``cronops db upgrade`` first."""
    schema_revision: str = ""
    """Of our tables, which it brings about."""
    args: list[str] = Field(default_factory=lambda: ["db", "upgrade"])
    """The words after ``cronops``."""
    backoff_limit: AtLeastZero = 2
    """Pods after the first."""
    active_deadline_seconds: AtLeastOne = 1800
    """For the whole Job with all its pods."""
    termination_grace_period_seconds: AtLeastOne = 60
    """Between SIGTERM and SIGKILL."""
    env: Texts | None = None
    """Environment variables, where they differ from `settings`."""
    image: ImageValues | None = None
    """What differs from the image of all."""


class PrometheusRuleValues(Part):
    """Alerts on runs that cannot tell of themselves; wants the Prometheus operator."""

    enabled: bool = False
    """On a cluster without the operator there is no such kind, and the installation fails."""
    labels: Texts | None = None
    """More labels of the object, by which the operator selects it."""


class Values(Part):
    """Values of the chart."""

    environment: Text = "none"
    """Name of the installation; runs and metrics are recorded under it."""
    name_prefix: Annotated[str, Field(pattern="^([a-z0-9][a-z0-9-]*)?$")] = ""
    """Put before every object's name."""
    image: ImageValues = Field(default_factory=ImageValues)
    """Of every pod."""
    settings: dict[str, str] = Field(default_factory=dict)
    """Environment variables of every pod, none of them secret; a ConfigMap."""
    defaults: Defaults = Field(default_factory=Defaults)
    schedules: dict[str, ScheduleValues | None] = Field(default_factory=dict)
    """By their names, under which their runs are recorded."""
    migration: MigrationValues = Field(default_factory=MigrationValues)
    prometheus_rule: PrometheusRuleValues = Field(default_factory=PrometheusRuleValues)
    global_: dict[str, Any] | None = Field(default=None, alias="global")
    """Helm's own, where this chart is a part of another; not read."""


def plain(part: Part) -> dict[str, Any]:
    """The values as they are written to a file: what was not given is left out."""
    return part.model_dump(mode="json", by_alias=True, exclude_none=True)
