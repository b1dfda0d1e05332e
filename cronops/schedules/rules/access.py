"""Rules about what a job runs, reads, writes, authenticates with and answers to."""

from collections.abc import Iterator
from posixpath import commonpath, normpath

from cronops.schedules.declarations import Resource
from cronops.schedules.resolve import ResolvedEnvironment, ResolvedSchedule, variables
from cronops.schedules.rules import commands, inline_secrets, mounts, network
from cronops.schedules.rules import variables as of_variables
from cronops.schedules.rules.rule import Problem, Rule, environment_rule, schedule_rule


@schedule_rule(
    "needs",
    title="An entry gives its job everything it cannot work without",
    why="Mounts and network policy follow from the entry: what is missing there cannot be reached "
    "by the run.",
    instead="write the volume, secret or egress under the name the message gives",
)
def _needs(schedule: ResolvedSchedule) -> Iterator[Problem]:
    if schedule.declaration is None:
        return
    # What is missing is told of the entry, not of the defaults that grant something else.
    for resource in schedule.declaration.needs:
        if resource.access == "connect":
            if not schedule.template.egress.get(resource.name):
                yield Problem(
                    f"{schedule.declaration.job!r} talks to {resource.name!r} ("
                    f"{resource.variable}), and its entry does not let it",
                    f"add egress.{resource.name} with the peer and its port",
                )
        elif resource.access == "secret":
            yield from _lacking_secret(schedule, resource)
        else:
            yield from _lacking_volume(schedule, resource)


def _lacking_secret(schedule: ResolvedSchedule, resource: Resource) -> Iterator[Problem]:
    secret = schedule.template.secrets.get(resource.name)
    variable = f"{resource.variable}_FILE"
    if secret is None:
        yield Problem(
            f"the command needs the secret {resource.name!r}, and its entry has none",
            f"add 'secrets: {{{resource.name}: {{secretName: …, key: …, env: {variable}}}}}'",
        )
    elif secret.env != variable:
        yield Problem(
            f"the secret {resource.name!r} must be named to the command by {variable}",
            f"write 'env: {variable}'",
            ("secrets", resource.name, "env"),
        )


def _lacking_volume(schedule: ResolvedSchedule, resource: Resource) -> Iterator[Problem]:
    volume = schedule.template.volumes.get(resource.name)
    verb = "writes" if resource.access == "write" else "reads"
    if volume is None:
        yield Problem(
            f"the command {verb} files under {resource.variable}, and its entry mounts no volume "
            f"{resource.name!r}",
            f"add volumes.{resource.name} with its mountPath, around the path in "
            f"{resource.variable}",
        )
        return
    path = schedule.template.env.get(resource.variable)
    if path is None:
        yield Problem(
            f"the command {verb} files under {resource.variable}, which is not given",
            f"add 'env: {{{resource.variable}: {volume.mount_path or '/…'}}}'",
        )
    elif volume.mount_path is not None and not _lies_in(path, volume.mount_path):
        yield Problem(
            f"{resource.variable} is {path[:100]!r}, outside the volume {resource.name!r} at "
            f"{volume.mount_path[:100]!r}",
            "make the one lie in the other",
            ("env", resource.variable),
        )
    if resource.access == "write" and volume.read_only is not False:
        yield Problem(
            f"the command writes into the volume {resource.name!r}, which is mounted read-only",
            "write readOnly: false",
            ("volumes", resource.name, "readOnly"),
        )
    elif volume.read_only is False and not _is_written(schedule, resource.name):
        yield Problem(
            f"the command only reads the volume {resource.name!r}, which is mounted writable",
            "leave readOnly out",
            ("volumes", resource.name, "readOnly"),
        )


def _is_written(schedule: ResolvedSchedule, name: str) -> bool:
    return schedule.declaration is not None and any(
        resource.name == name and resource.access == "write"
        for resource in schedule.declaration.needs
    )


def _lies_in(path: str, directory: str) -> bool:
    if not path.startswith("/") or not directory.startswith("/"):
        return False
    return commonpath((normpath(path), normpath(directory))) == normpath(directory)


@environment_rule(
    "owner-unknown",
    title="Everybody a job names as its owner exists",
    why="An alert to an unknown team reaches nobody.",
    instead="correct the job's declaration, or add the team to CRONOPS_OWNERS under env",
)
def _owner_unknown(environment: ResolvedEnvironment) -> Iterator[Problem]:
    known_to_all = environment.declarations.owners(environment.settings)
    for schedule in environment.schedules:
        declared = schedule.declaration
        if declared is None:
            continue
        named = {*declared.accountable, declared.responsible, *declared.consulted}
        unknown = named - known_to_all
        if unknown and schedule.template.env is not environment.common.env:
            unknown -= environment.declarations.owners(variables(schedule.template))
        for owner in sorted(unknown):
            yield Problem(
                f"{declared.job!r} names {owner!r}, and no team is called so",
                path=schedule.path_of("command"),
                schedule=schedule.name,
            )


RULES: tuple[Rule[ResolvedSchedule] | Rule[ResolvedEnvironment], ...] = (
    *commands.RULES,
    *inline_secrets.RULES,
    *of_variables.RULES,
    *mounts.RULES,
    *network.RULES,
    _needs,
    _owner_unknown,
)
