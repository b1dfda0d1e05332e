"""What could still start a job over HTTP: in crontabs, manifests, and web servers' configuration.

Text is looked at, line by line; nothing is asked for. Three things are found: a URL of a legacy
script or of where they lie, wherever it stands; a crontab or CronJob that fetches any URL; and a
web server, ingress or route that leads to the scripts and does not refuse.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cronops.schedules.crontab.legacy import SCRIPTS
from cronops.schedules.crontab.secrets import masked

ALLOWED = "cronops: http-ok"
"""In a line, or the one above it: a person has looked, and says why behind it."""

_NAMES = "|".join(re.escape(posixpath.basename(script.path)) for script in SCRIPTS)
_PLACE = rf"_shopupdating|cronjobs/(?:atx|system)|\b(?:{_NAMES})\b"
_URL_OF_OURS = re.compile(rf"(?i)\bhttps?://[^\s'\"<>]*(?:{_PLACE})[^\s'\"<>]*")
_URL = r"https?://[^\s'\"<>]+"
_FETCHER = (
    r"\b(?:curl|wget|lynx|links|w3m|fetch|httpie|GET|POST|lwp-request|Invoke-WebRequest|"
    r"file_get_contents|urlopen|requests\.(?:get|post)|curlimages/curl)\b"
)
_FETCHES = re.compile(rf"(?i){_FETCHER}.*?{_URL}")
_TELLS_ONLY = re.compile(
    r"(?i)https?://(?:[^/\s'\"]*\.)?(?:hc-ping\.com|healthchecks\.io|cronitor\.(?:link|io)|"
    r"heartbeat\.uptimerobot\.com|uptime\.betterstack\.com|deadmanssnitch\.com|nosnch\.in)"
)
_CRON_LINE = re.compile(r"\s*-?(?:@[a-z]+|(?:[-*0-9A-Za-z,/?~#]+\s+){4}[-*0-9A-Za-z,/?~#]+)\s+\S")
_KIND = re.compile(r"(?m)^\s*(?:- )?kind:\s*['\"]?(\w+)")
_COMMENT = re.compile(r"\s*(?:#|;|//|--\s)")
_ROUTE = re.compile(
    rf"(?i)^\s*(?:location\b|<\s*(?:Location|Directory|Files|LocationMatch|FilesMatch|"
    rf"DirectoryMatch)\b|(?:Script)?Alias(?:Match)?\b|Rewrite(?:Rule|Cond)\b|ProxyPass(?:Match)?\b|"
    rf"rewrite\b|try_files\b|handle(?:_path)?\b|route\b|reverse_proxy\b|-?\s*(?:path|match|rule|"
    rf"prefix|regex|url)\s*[:=]|acl\b|use_backend\b|traefik\.|\$HTTP\[).*?(?:{_PLACE}|/cron\b|"
    rf"/cronjobs?\b)"
)
_REFUSES = re.compile(
    r"(?i)\bdeny\s+all\b|\breturn\s+4\d\d\b|Require\s+all\s+denied|Deny\s+from\s+all|^\s*internal\s*;"
    r"|\brespond\s+4\d\d\b|\[(?:[^\]]*,)?(?:F|G)(?:,[^\]]*)?\]|url\.access-deny|http-request\s+deny"
)
_LONGEST_BLOCK = 30
_LONGEST_LINE = 20_000


@dataclass(frozen=True)
class Trigger:
    """Something that could start a job over HTTP."""

    line: int
    """From 1."""
    text: str
    """Without what looks secret."""
    why: str


def find_triggers(text: str) -> list[Trigger]:
    """All of them in one file, whatever kind of file it is."""
    lines = [line[:_LONGEST_LINE] for line in text.splitlines()]
    kinds = set(_KIND.findall(text))
    found = []
    for place, line in enumerate(lines):
        if _COMMENT.match(line) or _is_allowed(lines, place):
            continue
        why = next(_reasons(lines, place, kinds), None)
        if why is not None:
            found.append(Trigger(place + 1, masked(line.strip()), why))
    return found


def _reasons(lines: Sequence[str], place: int, kinds: set[str]) -> Iterator[str]:
    line = lines[place]
    if _URL_OF_OURS.search(line):
        yield "it asks a legacy script for its work over HTTP: a CronJob runs the command instead"
    if _ROUTE.search(line) and not _refuses(lines, place):
        yield "it leads requests to the scripts that start jobs: take it out, or refuse them"
    if _FETCHES.search(line) and not _TELLS_ONLY.search(line):
        if _CRON_LINE.match(line):
            yield "a crontab fetches a URL: what it starts there, a CronJob runs as a command"
        elif kinds & {"CronJob", "Job"}:
            yield "a CronJob fetches a URL: what it starts there, it can run as a command"


def _refuses(lines: Sequence[str], place: int) -> bool:
    """Whether the block that begins here turns requests away."""
    depth = 0
    for line in lines[place : place + _LONGEST_BLOCK]:
        if not _COMMENT.match(line) and _REFUSES.search(line):
            return True
        depth += line.count("{") - line.count("}")
        depth += len(re.findall(r"<\s*[A-Z]", line)) - line.count("</")
        if depth <= 0:
            return False
    return False


def _is_allowed(lines: Sequence[str], place: int) -> bool:
    above = lines[place - 1] if place else ""
    return _reason_in(lines[place]) or (bool(_COMMENT.match(above)) and _reason_in(above))


def _reason_in(line: str) -> bool:
    _, found, reason = line.partition(ALLOWED)
    return bool(found) and bool(reason.strip(" :-"))
