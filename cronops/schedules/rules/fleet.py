"""Rules about all schedules of an environment together: names, and jobs without a schedule."""

from collections.abc import Iterator

from cronops.schedules.findings import Path
from cronops.schedules.nearest import did_you_mean
from cronops.schedules.resolve import ResolvedEnvironment
from cronops.schedules.rules.rule import Problem, environment_rule


@environment_rule(
    "name-duplicate",
    waivable=False,
    title="No two schedules have one name",
    why="Runs are recorded under it, and the second would replace the first in the cluster.",
    instead="give one of the two another name",
)
def _name_duplicate(environment: ResolvedEnvironment) -> Iterator[Problem]:
    first: dict[str, Path] = {}
    for schedule in environment.schedules:
        path = (*schedule.path, "name")
        if schedule.name in first:
            message = f"another schedule is called {schedule.name!r}"
            yield Problem(message, path=path, beside=first[schedule.name])
        first.setdefault(schedule.name, path)


@environment_rule(
    "cronjob-duplicate",
    waivable=False,
    title="No two schedules become one CronJob",
    why="The second would replace the first in the cluster.",
    instead="give one of the two another, shorter name",
)
def _cronjob_duplicate(environment: ResolvedEnvironment) -> Iterator[Problem]:
    first: dict[str, tuple[str, Path]] = {}
    for schedule in environment.schedules:
        path = (*schedule.path, "name")
        name, place = first.setdefault(schedule.cronjob, (schedule.name, path))
        if name != schedule.name:
            message = f"{name!r} and {schedule.name!r} both become the CronJob {schedule.cronjob!r}"
            yield Problem(message, path=path, beside=place)


@environment_rule(
    "override-unknown",
    waivable=False,
    title="Schedules speak only of environments that the file has",
    why="What is said of another would be passed over without a word.",
    instead="correct the name, or add the environment",
)
def _override_unknown(environment: ResolvedEnvironment) -> Iterator[Problem]:
    known = environment.document.environments
    for schedule in environment.schedules:
        for name in schedule.entry.environments:
            if name not in known:
                yield Problem(
                    f"the file has no environment {name!r}",
                    did_you_mean(name, known, f"it has: {', '.join(known)}"),
                    path=(*schedule.path, "environments", name),
                )


@environment_rule(
    "cr-unknown",
    waivable=False,
    title="Every CR is that of a job",
    why="Labels, alerts and reports lead by it to who answers for the job.",
    instead="write the CR that 'cronops jobs list' shows for the command",
)
def _cr_unknown(environment: ResolvedEnvironment) -> Iterator[Problem]:
    known = _known_crs(environment)
    for schedule in environment.schedules:
        cr, declared = schedule.entry.cr, schedule.declaration
        if cr not in known:
            own = declared.crs if declared else ()
            instead = f"write cr: {' or '.join(own)}" if own else did_you_mean(cr, known)
            yield Problem(f"no job has the CR {cr!r}", instead, path=(*schedule.path, "cr"))


@environment_rule(
    "cr-mismatch",
    waivable=False,
    title="A schedule's CR is that of its command",
    why="One of the two is a slip, and the wrong people would be called.",
    instead="write the command's own CR, or the command that was meant",
)
def _cr_mismatch(environment: ResolvedEnvironment) -> Iterator[Problem]:
    known = _known_crs(environment)
    for schedule in environment.schedules:
        declared, cr = schedule.declaration, schedule.entry.cr
        if declared is not None and cr in known and cr not in declared.crs:
            own = " or ".join(declared.crs)
            yield Problem(
                f"{declared.job!r} has the CR {own}, not {cr}",
                f"write cr: {own}" if own else "",
                path=(*schedule.path, "cr"),
            )


@environment_rule(
    "job-unscheduled",
    waivable=False,
    title="Every CR of every job is scheduled, or says why not",
    why="A job that nobody scheduled is found when its work is missed.",
    instead="add a schedule, or list its CR under unscheduled with why",
)
def _job_unscheduled(environment: ResolvedEnvironment) -> Iterator[Problem]:
    scheduled = set[str]()
    for schedule in environment.schedules:
        scheduled.add(schedule.entry.cr)
        # Of a job whose schedule has a wrong CR, that is what is told.
        if schedule.declaration is not None and schedule.entry.cr not in schedule.declaration.crs:
            scheduled.update(schedule.declaration.crs)
    explained = {one.cr for one in environment.document.unscheduled}
    for job, crs in sorted(environment.declarations.jobs.items()):
        for cr in crs:
            if cr not in scheduled | explained:
                yield Problem(
                    f"nothing schedules {job!r} ({cr})",
                    f"add a schedule with cr: {cr}, or unscheduled: [{{cr: {cr}, why: …}}]",
                    path=("schedules",),
                )


@environment_rule(
    "unscheduled-needless",
    waivable=False,
    title="What is listed under unscheduled is the CR of a job that nothing schedules",
    why="An explanation that explains nothing hides the next gap.",
    instead="take it out, or correct the CR",
)
def _unscheduled_needless(environment: ResolvedEnvironment) -> Iterator[Problem]:
    known = _known_crs(environment)
    scheduled = {schedule.entry.cr: schedule.path for schedule in reversed(environment.schedules)}
    listed: dict[str, Path] = {}
    for index, one in enumerate(environment.document.unscheduled):
        path = ("unscheduled", index, "cr")
        if one.cr not in known:
            yield Problem(f"no job has the CR {one.cr!r}", did_you_mean(one.cr, known), path=path)
        elif one.cr in scheduled:
            yield Problem(f"{one.cr} is scheduled", path=path, beside=scheduled[one.cr])
        elif one.cr in listed:
            yield Problem(f"{one.cr} is listed twice", path=path, beside=listed[one.cr])
        listed.setdefault(one.cr, path)


def _known_crs(environment: ResolvedEnvironment) -> set[str]:
    known = {cr for crs in environment.declarations.jobs.values() for cr in crs}
    for schedule in environment.schedules:
        if schedule.declaration is not None:
            known.update(schedule.declaration.crs)
    return known


RULES = (
    _name_duplicate,
    _cronjob_duplicate,
    _override_unknown,
    _cr_unknown,
    _cr_mismatch,
    _job_unscheduled,
    _unscheduled_needless,
)
