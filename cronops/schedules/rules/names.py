"""Rules about what things are called."""

from collections.abc import Iterator

from cronops.schedules.findings import Path, Severity
from cronops.schedules.resolve import LONGEST_NAME, ResolvedEnvironment, ResolvedSchedule
from cronops.schedules.rules import metadata, placement
from cronops.schedules.rules.rule import Problem, Rule, environment_rule, schedule_rule
from cronops.schedules.rules.syntax import (
    IS_DNS_LABEL,
    LONGEST_LABEL,
    as_dns_label,
    called,
    is_dns_label,
)

# A name cut shorter than this says nothing any more.
_SHORTEST_LEFT = 20


@schedule_rule(
    "schedule-name",
    title="A schedule's name can name Kubernetes objects",
    why="It becomes the CronJob's name and a label's value, and the API rejects any other.",
    instead="write lower-case letters, digits and hyphens",
    waivable=False,
)
def _schedule_name(schedule: ResolvedSchedule) -> Iterator[Problem]:
    name = schedule.name
    if not is_dns_label(name) and len(name) <= LONGEST_LABEL:
        yield Problem(
            f"{name!r} cannot name a CronJob: it must be {IS_DNS_LABEL}",
            called(as_dns_label(name)),
            ("name",),
        )


@schedule_rule(
    "name-too-long",
    title="A schedule's name fits into a label",
    why="Runs and objects carry it as a label's value, which cannot be shortened without losing "
    "which schedule is meant.",
    instead=f"write a name of {LONGEST_LABEL} characters at most, better of {LONGEST_NAME}",
    waivable=False,
)
def _name_too_long(schedule: ResolvedSchedule) -> Iterator[Problem]:
    if len(schedule.name) > LONGEST_LABEL:
        yield Problem(
            f"the name {schedule.name[:LONGEST_LABEL]!r}… has {len(schedule.name)} characters; "
            f"{LONGEST_LABEL} are the most",
            field=("name",),
        )


@schedule_rule(
    "name-shortened",
    title="A schedule's name is the CronJob's name",
    why=f"A CronJob's name has {LONGEST_NAME} characters at most; a longer one is cut and ends in "
    "a hash, and is hard to find.",
    instead="write a shorter name or namePrefix",
    severity=Severity.NOTE,
)
def _name_shortened(schedule: ResolvedSchedule) -> Iterator[Problem]:
    # The name stands in every shortened name but where it was cut.
    if not schedule.cronjob.endswith(schedule.name) and is_dns_label(schedule.name):
        yield Problem(
            f"the CronJob of {schedule.name!r} will be called {schedule.cronjob!r}", field=("name",)
        )


@environment_rule(
    "name-prefix",
    title="The prefix of all objects' names leaves room for a name",
    why=f"A CronJob's name has {LONGEST_NAME} characters with its prefix, and begins with it.",
    instead=f"write {LONGEST_NAME - _SHORTEST_LEFT} lower-case letters, digits and hyphens at most",
    waivable=False,
)
def _name_prefix(environment: ResolvedEnvironment) -> Iterator[Problem]:
    prefix = environment.said.name_prefix
    path = ("environments", environment.name, "namePrefix")
    left = LONGEST_NAME - len(prefix)
    if left < _SHORTEST_LEFT:
        yield Problem(
            f"the prefix has {len(prefix)} characters and leaves {max(left, 0)} of {LONGEST_NAME} "
            f"for the schedule's name; at least {_SHORTEST_LEFT} must be left",
            path=path,
        )
    elif prefix and not is_dns_label(f"{prefix}x"):
        meant = as_dns_label(prefix)
        yield Problem(
            f"{prefix!r} cannot begin an object's name: it must be lower-case letters, digits and "
            "hyphens, a letter or digit first",
            f"write {meant}-" if meant else "",
            path=path,
        )


@environment_rule(
    "environment-name",
    title="An environment's name can be a label and a directory",
    why="Every object carries it as a label's value, and its manifests lie in k8s/<name>.",
    instead="write lower-case letters, digits and hyphens",
    waivable=False,
)
def _environment_name(environment: ResolvedEnvironment) -> Iterator[Problem]:
    path = ("environments", environment.name)
    return _unless_label(environment.name, "an environment", path)


@environment_rule(
    "namespace",
    title="The namespace has a name the API takes",
    why="The API rejects any other.",
    instead="write lower-case letters, digits and hyphens",
    waivable=False,
)
def _namespace(environment: ResolvedEnvironment) -> Iterator[Problem]:
    path = ("environments", environment.name, "namespace")
    return _unless_label(environment.namespace, "a namespace", path)


@environment_rule(
    "namespace-shared",
    title="The jobs have a namespace of their own",
    why="The manifests bring the namespace along, with its labels and a policy that denies all "
    "traffic; 'default' and the cluster's own belong to others.",
    instead="write a namespace that only these jobs use",
)
def _namespace_shared(environment: ResolvedEnvironment) -> Iterator[Problem]:
    if environment.namespace == "default" or environment.namespace.startswith("kube-"):
        yield Problem(
            f"the namespace {environment.namespace!r} belongs to others",
            path=("environments", environment.name, "namespace"),
        )


def _unless_label(name: str, what: str, path: Path) -> Iterator[Problem]:
    if not is_dns_label(name):
        yield Problem(
            f"{name[:LONGEST_LABEL]!r} cannot name {what}: it must be {IS_DNS_LABEL}, "
            f"{LONGEST_LABEL} characters at most",
            called(as_dns_label(name)),
            path=path,
        )


RULES: tuple[Rule[ResolvedSchedule] | Rule[ResolvedEnvironment], ...] = (
    _schedule_name,
    _name_too_long,
    _name_shortened,
    _environment_name,
    _name_prefix,
    _namespace,
    _namespace_shared,
    *metadata.RULES,
    *placement.RULES,
)
