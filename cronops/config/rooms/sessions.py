"""Settings of `sessions purge`."""

from datetime import timedelta
from pathlib import Path

from cronops.config.kinds import directories, duration, integer, path, text
from cronops.config.setting import Section


class SessionsSettings(Section):
    """`sessions purge`."""

    directory = path(
        Path("/var/lib/cronops/sessions"),
        "Where the session files lie; absolute, inside of what is allowed, no part of it a link.",
    )
    allowed = directories(
        [Path("/var/lib/cronops/sessions")],
        "Directories that may be purged, with those below them: nothing is deleted elsewhere.",
    )
    pattern = text(
        "sess_*",
        "What session files are called: a shell pattern. Other files are never looked at.",
        pattern=r"[A-Za-z0-9_][^/\x00]{0,199}",
        must="must be a shell pattern without / that begins with a letter, digit or _, as sess_*",
    )
    max_age = duration(
        timedelta(days=1),
        "Age at which a session is deleted, counted from when its file was last written.",
        at_least=timedelta(minutes=1),
        why="those who are at work would be logged out",
    )
    max_files = integer(
        1_000_000, "Most files that one run deletes; the next run goes on.", at_least=1
    )
    depth = integer(
        0,
        "Levels of one-character directories to look into: the N of PHP's `N;/path`.",
        at_least=0,
        at_most=8,
    )
