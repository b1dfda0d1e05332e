"""Rules about environment variables, and the files of secrets whose paths they give."""

import re
from collections.abc import Iterator, Mapping
from functools import cache

from cronops.config.load import CONFIG_FILE_VARIABLE, PREFIX, leaves
from cronops.schedules.model import Template
from cronops.schedules.nearest import did_you_mean
from cronops.schedules.parts import SecretFile
from cronops.schedules.resolve import ResolvedEnvironment, variables
from cronops.schedules.rules.inline_secrets import MOUNTED_AT
from cronops.schedules.rules.rule import Problem, environment_rule
from cronops.schedules.rules.template import template_rule

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BY_THE_RENDERER = frozenset(
    {
        "CRONOPS_ENVIRONMENT",
        "CRONOPS_IN_CLUSTER",
        "CRONOPS_POD__BACKOFF_LIMIT",
        "CRONOPS_POD__CRONJOB",
        "CRONOPS_POD__NAME",
        "CRONOPS_RUN_ID",
        "CRONOPS_SCHEDULE",
        "CRONOPS_SCHEDULED_AT",
        "CRONOPS_TERMINATION_LOG",
        "HOME",
    }
)
_BY_THE_CLUSTER = frozenset({"CRONOPS_COMPLETION_INDEX", "JOB_COMPLETION_INDEX", "HOSTNAME"})
_FILE = "_FILE"
_READABLE = 0o440
_LONGEST_VARIABLE = 128 << 10
# Names, quotes and the object around them count too.
_MOST_VARIABLES = 900 << 10

Env = Mapping[str, str | None]
Secrets = Mapping[str, SecretFile | None]


@template_rule(
    "env-name",
    "env",
    "secrets",
    title="Environment variables have names that every program can read",
    why="Shells and programs know letters, digits and '_' only; the API rejects blanks and '='.",
    instead="write letters, digits and '_', no digit first",
    waivable=False,
)
def _env_name(env: Env, secrets: Secrets) -> Iterator[Problem]:
    for name, field in _named(env, secrets):
        if not _NAME.fullmatch(name):
            meant = re.sub(r"[^A-Za-z0-9_]+", "_", name[:100]).strip("_")
            yield Problem(
                f"{name[:100]!r} is no variable's name",
                f"write {meant}" if _NAME.fullmatch(meant) else "",
                field,
            )


@template_rule(
    "env-reserved",
    "env",
    "secrets",
    title="What each pod is told about itself is not overridden",
    why="The manifests set these variables; a second value would make runs name the wrong "
    "schedule, slot or pod.",
    instead="leave it out",
    waivable=False,
)
def _env_reserved(env: Env, secrets: Secrets) -> Iterator[Problem]:
    for name, field in _named(env, secrets):
        if name in _BY_THE_RENDERER:
            yield Problem(f"{name} is set by the manifests", field=field)
        elif name in _BY_THE_CLUSTER or name.startswith("KUBERNETES_"):
            yield Problem(f"{name} is set by the cluster", field=field)


@template_rule(
    "env-twice",
    "env",
    "secrets",
    title="Each variable, and each setting, is given once",
    why="Which of two values holds is nobody's intention; a setting given both directly and by a "
    "file is refused when a run starts.",
    instead="leave one of the two out",
    waivable=False,
)
def _env_twice(env: Env, secrets: Secrets) -> Iterator[Problem]:
    by: dict[str, str] = {}
    for key, secret in secrets.items():
        if secret is None or secret.env is None:
            continue
        field = ("secrets", key, "env")
        if secret.env in by:
            yield Problem(
                f"{secret.env} is given by the secrets {by[secret.env]!r} and {key!r}", field=field
            )
        elif secret.env in env:
            yield Problem(f"{secret.env} is given by the secret {key!r} and under env", field=field)
        by[secret.env] = key
    given = env.keys() | by.keys()
    for name in sorted(given):
        if f"{name}{_FILE}" in given:
            yield Problem(
                f"{name} and {name}{_FILE} are both given, and are the same setting",
                field=("env", name) if name in env else ("secrets", by[name], "env"),
            )


@template_rule(
    "env-size",
    "env",
    title="Environment variables are small enough to be handed over",
    why="Linux starts no program with a variable of 128 KiB or more; a ConfigMap holds 1 MiB.",
    instead="put it into a file, and mount that",
    waivable=False,
)
def _env_size(env: Env) -> Iterator[Problem]:
    total = 0
    for name, value in env.items():
        size = len(f"{name}={value or ''}".encode())
        total += size
        if size >= _LONGEST_VARIABLE:
            yield Problem(f"{name[:100]} has {size >> 10} KiB", field=("env", name))
    if total > _MOST_VARIABLES:
        yield Problem(f"all variables together have {total >> 10} KiB", field=("env",))


@template_rule(
    "secret-file",
    "secrets",
    title="A secret's file is named to the program, and read by nobody else",
    why="A pod is given secrets as files; our settings take a file's path under their name and "
    "_FILE.",
    instead="write the setting's variable and _FILE, and leave defaultMode out",
)
def _secret_file(secrets: Secrets) -> Iterator[Problem]:
    for key, secret in secrets.items():
        if secret is None:
            continue
        if secret.env is not None and secret.env.startswith(PREFIX):
            yield from _unless_setting(secret.env, ("secrets", key, "env"))
        mode = secret.default_mode
        if mode is not None and mode & ~_READABLE:
            yield Problem(
                f"defaultMode {mode} is {mode:04o} in octal, which allows more than reading by "
                "the pod's user and group",
                "leave it out, or write 288, which is 0440",
                ("secrets", key, "defaultMode"),
            )
        elif mode == 0:
            yield Problem(
                "defaultMode 0 lets nobody read the file",
                "leave it out, or write 288, which is 0440",
                ("secrets", key, "defaultMode"),
            )


@environment_rule(
    "env-setting",
    title="Variables of cronops are settings it knows, with values it takes",
    why="A misspelt one is ignored, and a bad value ends every run at its start.",
    instead="see docs/configuration.md",
    waivable=False,
)
def _env_setting(environment: ResolvedEnvironment) -> Iterator[Problem]:
    ask = environment.declarations.setting_problems
    told: dict[frozenset[tuple[str, str]], tuple[tuple[str, str, str], ...]] = {}

    def problems(template: Template) -> tuple[tuple[str, str, str], ...]:
        ours = _ours(template)
        key = frozenset(ours.items())
        if key not in told:
            told[key] = tuple(ask(ours))
        return told[key]

    common = environment.common
    everywhere = problems(common)
    for name, wrong, instead in everywhere:
        yield Problem(f"{name}: {wrong}", instead, ("env", name))
    for schedule in environment.schedules:
        template = schedule.template
        if template.env is common.env and template.secrets is common.secrets:
            continue
        for problem in problems(template):
            if problem not in everywhere:
                name, wrong, instead = problem
                yield Problem(f"{name}: {wrong}", instead, ("env", name), schedule=schedule.name)


def _ours(template: Template) -> dict[str, str]:
    """What our settings are given; without what other rules refuse."""
    files = {
        secret.env: f"{MOUNTED_AT}{key}/{secret.key}"
        for key, secret in template.secrets.items()
        if secret and secret.env and secret.env.removesuffix(_FILE) in _settings()
    }
    said = {
        name: value
        for name, value in variables(template).items()
        if name.startswith(PREFIX)
        and name not in _BY_THE_RENDERER
        and f"{name}{_FILE}" not in files
    }
    return files | said


def _named(env: Env, secrets: Secrets) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name in env:
        yield name, ("env", name)
    for key, secret in secrets.items():
        if secret is not None and secret.env is not None:
            yield secret.env, ("secrets", key, "env")


def _unless_setting(variable: str, field: tuple[str, ...]) -> Iterator[Problem]:
    if variable == CONFIG_FILE_VARIABLE:
        return
    if variable in _settings():
        yield Problem(
            f"{variable} would be given the file's path as its value",
            f"write {variable}{_FILE}",
            field,
        )
    elif not variable.endswith(_FILE) or variable.removesuffix(_FILE) not in _settings():
        known = (f"{setting}{_FILE}" for setting in _settings())
        yield Problem(f"{variable[:100]!r} names no setting", did_you_mean(variable, known), field)


@cache
def _settings() -> frozenset[str]:
    return frozenset(leaf.variable for leaf in leaves())


RULES = (_env_name, _env_reserved, _env_size, _env_twice, _env_setting, _secret_file)
