"""What must not be repeated: passwords and tokens in old command lines."""

import re

from cronops.schedules.rules.inline_secrets import KNOWN

MASK = "***"
_WORDS = "pass|pwd|token|secret|key|auth|sig|hash|credential"
_CALLED_SO = rf"[A-Za-z0-9_-]*(?:{_WORDS})[A-Za-z0-9_-]*"
_MYSQL = "mysql|mysqldump|mysqladmin|lftp|sshpass"
_HEADER = r"authorization:\s*(?:basic|bearer|digest|token)?\s*"
_PATTERNS = (
    # Of a URL: user and password, and what is called like a secret.
    (re.compile(r"(?i)(\b[a-z][a-z0-9+.-]*://)[^/\s'\"@]+@"), rf"\1{MASK}@"),
    (re.compile(rf"(?i)([?&;]{_CALLED_SO}=)[^&\s'\"#]+"), rf"\1{MASK}"),
    # Of options and assignments: --password=…, -u user:…, DB_PASSWORD=…
    (re.compile(rf"(?i)(\B--?{_CALLED_SO}[= ])(\"[^\"]*\"|'[^']*'|\S+)"), rf"\1{MASK}"),
    (re.compile(r"((?:^|\s)(?:-u|--user|--proxy-user)[= ]?)([^\s:'\"]+):\S+"), rf"\1\2:{MASK}"),
    (re.compile(rf"(?i)(\b{_CALLED_SO}\s*=\s*)(\"[^\"]*\"|'[^']*'|[^\s&;'\"]+)"), rf"\1{MASK}"),
    # Of headers.
    (
        re.compile(rf"(?i)({_HEADER})[^\s'\"]+"),
        rf"\1{MASK}",
    ),
    (re.compile(rf"(?i)(['\"\s]{_CALLED_SO}:\s*)[^\s'\"]+"), rf"\1{MASK}"),
    # mysql -psecret
    (
        re.compile(rf"(\b(?:{_MYSQL})\b.*?\s-p)[^\s'\"]+"),
        rf"\1{MASK}",
    ),
)


def masked(text: str) -> str:
    """The text, with what looks secret replaced: by its name, or by its own shape."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    for shape, _ in KNOWN:
        text = shape.sub(lambda found: found[0] if MASK in found[0] else MASK, text)
    return text
