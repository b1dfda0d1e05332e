"""One environment's schedules with everything said of them put together, as manifests need it.

Nothing here refuses anything: what is missing or wrong stays visible for the rules to judge.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from hashlib import sha256
from zoneinfo import ZoneInfo

from cronops.schedules.cron import Cron, CronSyntaxError, parse_cron
from cronops.schedules.declarations import CommandProblem, Declaration, Declarations
from cronops.schedules.findings import Path
from cronops.schedules.merge import Layer, common_layers, merge, merged, own_layers, place_of
from cronops.schedules.model import Document, Environment, Migration, Schedule, Suspension, Template
from cronops.schedules.words import words_of
from cronops.schedules.zones import zone_of

LONGEST_NAME = 52
"""Of a CronJob: its Jobs' names, with eleven characters more, must fit into 63."""
PRODUCTION = "production"
NEVER = "0 0 1 1 *"
"""What stands in the manifest of a schedule that an operator triggers; it is suspended."""
_POD_RETRIES = 2
_SHORTEST_LATENESS = 20
_LONGEST_LATENESS = 3600


@dataclass(frozen=True)
class ResolvedSchedule:
    """One schedule in one environment."""

    entry: Schedule
    index: int
    """Its place in the file."""
    environment: str
    cronjob: str
    """The CronJob's name, and that of its service account and network policy."""
    template: Template
    layers: Sequence[Layer]
    expression: str | None
    """As the file has it; None for a manual schedule, or one that says nothing."""
    cron: Cron | None
    cron_error: CronSyntaxError | None
    declaration: Declaration | None
    command_problem: CommandProblem | None
    stop_seconds: int
    today: date
    """The day of the check, by which rules know what has passed."""

    @property
    def name(self) -> str:
        """The schedule's name, under which its runs are recorded."""
        return self.entry.name

    @property
    def path(self) -> Path:
        """Where the schedule stands in the file."""
        return ("schedules", self.index)

    def path_of(self, *field: str | int) -> Path:
        """Where `field` was said that holds here; the schedule itself where nobody said it."""
        return place_of(self.layers, field) or self.path

    @property
    def zone(self) -> ZoneInfo | None:
        """The zone the expression is read in; None where it is not given or unknown."""
        return zone_of(self.template.time_zone)

    @property
    def shards(self) -> int | None:
        """In how many pods at once the work is done; None for one pod without shards."""
        return _shards(self.entry, self.environment)

    @cached_property
    def args(self) -> tuple[str, ...]:
        """The container's arguments, shards included."""
        try:
            words = words_of(self.entry.command)
        except ValueError:
            words = tuple(self.entry.command.split())
        return (*words, "--shard", f"auto/{self.shards}") if self.shards else words

    @property
    def awaits_confirmation(self) -> bool:
        """Whether the cadence is a proposal that nobody has confirmed."""
        return self.entry.provisional and self.entry.confirmed is None

    @property
    def standstill(self) -> str | None:
        """Why the CronJob is suspended; None for one that runs."""
        said = self.template.suspend
        if isinstance(said, Suspension):
            return f"until {said.until} by {said.by}: {said.why}"
        if said:
            return "suspended"
        if self.entry.manual:
            return "manual: an operator triggers it"
        if said is None and self.environment == PRODUCTION and self.awaits_confirmation:
            return "provisional: the cadence is not confirmed"
        return None

    @cached_property
    def period(self) -> int | None:
        """Seconds between two slots where they are closest."""
        return _seconds(self.cron.shortest_gap()) if self.cron and not self.cron.never else None

    @property
    def starting_deadline(self) -> int:
        """Seconds a run may start late: half the period, within bounds, unless given."""
        given = self.template.starting_deadline_seconds
        if given is not None:
            return given
        half = (self.period or 2 * _LONGEST_LATENESS) // 2
        return min(max(half, _SHORTEST_LATENESS), _LONGEST_LATENESS)

    @property
    def retry_safe(self) -> bool:
        """Whether a pod that died may simply be started again."""
        return self.declaration is None or self.declaration.retry_safe

    @property
    def backoff_limit(self) -> int:
        """Pods after the first; for each shard, where there are shards."""
        given = self.template.backoff_limit
        return given if given is not None else _POD_RETRIES if self.retry_safe else 0

    @property
    def grace(self) -> int:
        """Seconds between SIGTERM and SIGKILL for the pod."""
        return self.template.termination_grace_period_seconds or self.stop_seconds

    @property
    def budget(self) -> int:
        """Seconds that all pods of one Job may need: the least its deadline may be."""
        declared = self.declaration
        # The timeout counts from the moment the lock is held.
        work = (declared.lock_wait + (declared.timeout or 0)) if declared else 0
        pod = work + self.grace + (self.template.startup_seconds or 0)
        return (self.backoff_limit + 1) * pod + pod_backoff(self.backoff_limit)

    @property
    def active_deadline(self) -> int:
        """activeDeadlineSeconds: the budget in full minutes, unless given."""
        return self.template.active_deadline_seconds or -(-self.budget // 60) * 60

    @property
    def image(self) -> str:
        """Repository, tag and digest as a pod names them."""
        return image_reference(self.template)


@dataclass(frozen=True)
class ResolvedEnvironment:
    """All that is deployed together."""

    name: str
    said: Environment
    common: Template
    """What holds for every schedule here."""
    migration: Template
    schedules: tuple[ResolvedSchedule, ...]
    document: Document
    declarations: Declarations
    today: date
    """The day of the check, by which rules know what has passed."""

    @property
    def namespace(self) -> str:
        """The namespace of all objects."""
        return self.said.namespace

    @property
    def settings(self) -> Mapping[str, str]:
        """Environment variables that every pod is given, by a ConfigMap."""
        return {"CRONOPS_ENVIRONMENT": self.name, **variables(self.common)}


def resolve(
    document: Document,
    environment: str,
    declarations: Declarations,
    *,
    today: date = date.min,
) -> ResolvedEnvironment:
    """Put together what the file says of one environment; `environment` must be in it.

    Only rules ask for `today`; nothing that is rendered depends on it.
    """
    said = document.environments[environment]
    layers = common_layers(document, environment)
    common = merged(layers)
    return ResolvedEnvironment(
        name=environment,
        said=said,
        common=common,
        migration=merge(common, said.migration or Migration()),
        schedules=tuple(_schedules(document, environment, layers, common, declarations, today)),
        document=document,
        declarations=declarations,
        today=today,
    )


def _schedules(
    document: Document,
    environment: str,
    layers: list[Layer],
    common: Template,
    declarations: Declarations,
    today: date,
) -> Iterator[ResolvedSchedule]:
    prefix = document.environments[environment].name_prefix
    for index, entry in enumerate(document.schedules):
        own = own_layers(entry, index, environment)
        template = common
        for layer in own:
            template = merge(template, layer.said)
        override = entry.environments.get(environment)
        expression = (override.schedule if override else None) or entry.schedule
        cron, cron_error = _parsed(expression)
        declaration, problem = _declared(entry.command, declarations)
        shards = _shards(entry, environment)
        # An Indexed Job's pods are called like the Job, and by their index.
        longest = LONGEST_NAME - (len(f"-{shards - 1}") if shards else 0)
        yield ResolvedSchedule(
            entry=entry,
            index=index,
            environment=environment,
            cronjob=shortened(f"{prefix}{entry.name}", longest),
            template=template,
            layers=(*layers, *own),
            expression=expression,
            cron=cron,
            cron_error=cron_error,
            declaration=declaration,
            command_problem=problem,
            stop_seconds=declarations.stop_seconds(variables(template)),
            today=today,
        )


def _shards(entry: Schedule, environment: str) -> int | None:
    override = entry.environments.get(environment)
    return (override.shards if override else None) or entry.shards


def shortened(name: str, longest: int = LONGEST_NAME) -> str:
    """The name, or its beginning and a hash of all of it: two long names never become one."""
    if len(name) <= longest:
        return name
    # A letter first: a hash of digits only would be read as a number by some parsers.
    digest = "h" + sha256(name.encode()).hexdigest()[:7]
    return f"{name[: longest - len(digest) - 1].rstrip('-.')}-{digest}"


def pod_backoff(retries: int) -> int:
    """Seconds the Job controller waits before so many pods: 10, 20, 40, … six minutes at most."""
    return sum(min(10 * 2**retry, 360) for retry in range(min(retries, 1000)))


def variables(template: Template) -> dict[str, str]:
    """The environment variables that are said, without those taken away again."""
    return {name: value for name, value in template.env.items() if value is not None}


def image_reference(template: Template) -> str:
    """``repository:tag@digest``, as far as the parts are given."""
    image = template.image
    if image is None or image.repository is None:
        return ""
    tag = f":{image.tag}" if image.tag else ""
    digest = f"@{image.digest}" if image.digest else ""
    return f"{image.repository}{tag}{digest}"


def _parsed(expression: str | None) -> tuple[Cron | None, CronSyntaxError | None]:
    if expression is None:
        return None, None
    try:
        return parse_cron(expression), None
    except CronSyntaxError as error:
        return None, error


def _declared(
    command: str, declarations: Declarations
) -> tuple[Declaration | None, CommandProblem | None]:
    try:
        return declarations.read(command), None
    except CommandProblem as problem:
        return None, problem


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds())
