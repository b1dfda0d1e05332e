"""The rules that a file which everybody may read holds no secret. Its messages never show one."""

import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from itertools import zip_longest
from urllib.parse import urlsplit

from cronops.config.load import leaves
from cronops.schedules.findings import Path
from cronops.schedules.model import Suspension
from cronops.schedules.resolve import ResolvedSchedule
from cronops.schedules.rules.rule import Problem, schedule_rule
from cronops.schedules.rules.template import template_rule
from cronops.schedules.words import words_of

_WHY = (
    "The file, the manifests and the CronJob's description are read by many, and kept for ever by "
    "the version control."
)
_SECRET_NAME = re.compile(
    r"(?:PASSWORD|PASSWD|PASSPHRASE|SECRETS?|TOKEN"
    r"|(?:^|[_.\-/])(?:PASS|PWD|PW|API_?KEY|ACCESS_?KEY"
    r"|SECRET_?KEY|PRIVATE_?KEY|SIGNING_?KEY|ACCOUNT_?KEY|CREDENTIALS?|BEARER|COOKIE|DSN"
    r"|CONNECTION_?STRING|WEBHOOK(?:_?URL)?|AUTHORIZATION|BASIC_?AUTH))(?:_?[0-9]+)?$"
)
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[.\-/]")
MOUNTED_AT = "/run/secrets/"
_HARMLESS = frozenset({"", "true", "false", "yes", "no", "on", "off", "null", "none"})
_PLACEHOLDER = re.compile(r"\{[A-Za-z_][A-Za-z0-9_-]*\}")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,20}://")
KNOWN = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"), "a private key"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.eyJ[A-Za-z0-9_-]{5,}\."), "a signed token (JWT)"),
    (re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), "an AWS access key"),
    (re.compile(r"\b(?:gh[pousr]_|github_pat_|glpat-)[A-Za-z0-9_-]{16,}"), "a Git host's token"),
    (re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"), "a Slack token"),
    (re.compile(r"\b[sr]k_live_[A-Za-z0-9]{10,}"), "a payment provider's key"),
    (re.compile(r"\bAIza[0-9A-Za-z_-]{35}"), "a Google API key"),
    (re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,20}://[^\s/?#@]*:[^\s/?#@]+@"), "a URL with a password"),
    (re.compile(r"(?i)\bhttps?://[^\s/?#@]+@"), "a URL with a user's name, or a token"),
    (re.compile(r"(?i)\b(?:bearer|basic) [A-Za-z0-9._~+/-]{8,}"), "what authorizes a request"),
    (re.compile(r"(?i)\bhooks\.slack\.com/services/\w"), "a webhook's address"),
    (re.compile(r"(?i)\b(?:password|passwd|pwd|secret|token|api_?key)=[^\s{&]"), "a password"),
)
_DIGEST = re.compile(r"\bsha(?:1|256|384|512)[:-][0-9A-Za-z+/=]+")
_RUN = re.compile(r"[A-Za-z0-9]{20,}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_KINDS = re.compile(r"[A-Z]+|[a-z]+|[0-9]+")
_MOST_READ = 8192
# In random text the kind of character changes every second time or so; in words, seldom.
_CHANGES_OF_RANDOM = 0.28


@template_rule(
    "secret-inline",
    "env",
    "labels",
    "annotations",
    title="No secret stands in the file",
    why=_WHY,
    instead="put it into a Secret, and name that under secrets",
)
def _secret_inline(
    env: Mapping[str, str | None],
    labels: Mapping[str, str | None],
    annotations: Mapping[str, str | None],
) -> Iterator[Problem]:
    for name, value in env.items():
        if value and (what := _in_variable(name, value)):
            yield Problem(
                f"the variable {name} holds {what}", _instead_of(name), field=("env", name)
            )
    for field, texts in (("labels", labels), ("annotations", annotations)):
        for key, value in texts.items():
            what = _secret_name(key, value or "") or secret_in(value or "")
            if what:
                yield Problem(
                    f"the {field[:-1]} {key[:100]!r} holds {what}",
                    "leave it out: everybody who may see the object can read it",
                    (field, key),
                )


@schedule_rule(
    "secret-in-command",
    title="No secret stands in a command",
    why=_WHY,
    instead="put it into a Secret, and give the job's setting its file under secrets",
)
def _secret_in_command(schedule: ResolvedSchedule) -> Iterator[Problem]:
    return iter(_in_command(schedule.entry.command))


@lru_cache(maxsize=16_384)
def _in_command(command: str) -> tuple[Problem, ...]:
    try:
        words = words_of(command)
    except ValueError:
        words = tuple(command.split())
    found: list[Problem] = []
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        option, _, value = word.partition("=")
        named = option if option.startswith("--") else ""
        if named and not value and not following.startswith("-"):
            value = following
        what = _secret_name(named, value) or secret_in(word)
        if what:
            where = f"the option {named}" if named else "the command"
            found.append(Problem(f"{where} holds {what}", "", ("command",)))
    return tuple(found)


@schedule_rule(
    "secret-in-text",
    title="No secret stands in what is written for people",
    why=_WHY,
    instead="leave it out",
)
def _secret_in_text(schedule: ResolvedSchedule) -> Iterator[Problem]:
    texts: dict[Path, str | None] = {("description",): schedule.entry.description}
    if isinstance(suspended := schedule.template.suspend, Suspension):
        texts |= {("suspend", "why"): suspended.why, ("suspend", "by"): suspended.by}
    for place, text in texts.items():
        if text and (what := secret_in(text)):
            yield Problem(f"the field {place[-1]} holds {what}", field=place)


RULES = (_secret_inline, _secret_in_command, _secret_in_text)


@cache
def _secret_settings() -> frozenset[str]:
    """Variables whose whole value is a secret, or may hold one."""
    return frozenset(
        leaf.variable
        for leaf in leaves()
        if "secret" in leaf.setting.kind or leaf.setting.kind == "JSON object of lists"
    )


@lru_cache(maxsize=16_384)
def _in_variable(name: str, value: str) -> str | None:
    if found := secret_in(value):
        return found
    if name in _secret_settings():
        return None if _is_plain_url(value) else "what our settings keep secret"
    return _secret_name(name, value)


def _secret_name(name: str, value: str) -> str | None:
    if not _SECRET_NAME.search(_WORDS.sub("_", name.lstrip("-")).upper()):
        return None
    if value.lower() in _HARMLESS or value.startswith(MOUNTED_AT):
        return None
    if _PLACEHOLDER.fullmatch(value) or _is_plain_url(value):
        return None
    return "what its name calls a secret"


def _is_plain_url(value: str) -> bool:
    """Whether it only says where something is: no user, password, query or fragment."""
    if not _URL.match(value):
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return bool(parts.hostname) and not ("@" in parts.netloc or parts.query or parts.fragment)


@lru_cache(maxsize=16_384)
def secret_in(value: str) -> str | None:
    """What kind of secret a text seems to hold; None for none."""
    if len(value) < 8:
        return None
    value = value[:_MOST_READ]
    for pattern, what in KNOWN:
        if pattern.search(value):
            return what
    if len(value) < 20:
        return None
    for run in _RUN.findall(_DIGEST.sub("", value)):
        if _COMMIT.fullmatch(run) or run.isdigit():
            continue
        if (len(_KINDS.findall(run)) - 1) / len(run) >= _CHANGES_OF_RANDOM:
            return "what looks like a key: long, and random"
    return None


def secret_at(path: tuple[str | int, ...], text: str) -> str | None:
    """What kind of secret the text at that place of the file seems to hold; None for none.

    For whoever would show the text: asked of any place, while the rules look at some.
    """
    match path:
        case (*_, "env", str(name)) if "secrets" not in path:
            return _in_variable(name, text)
        case (*_, "labels" | "annotations", str(key)):
            return _secret_name(key, text) or secret_in(text)
        case (*_, "command"):
            found = next((problem.message for problem in _in_command(text)), None)
            return found and found.partition(" holds ")[2]
    return secret_in(text)


def _instead_of(name: str) -> str:
    if name not in _secret_settings():
        return ""
    return (
        f"put it into a Secret, and write 'secrets: {{…: {{secretName: …, key: …, "
        f"env: {name}_FILE}}}}'"
    )
