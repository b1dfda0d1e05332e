"""Masks secrets in whatever leaves the process as text: log lines, errors, alerts.

Two nets. Values known to be secret, because a setting holds them, are masked wherever they
turn up, in the spellings other programs give them (percent-encoded, quoted, Base64 of
user:password). The password of any URL is masked by its shape alone.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

from cronops.config import Settings
from cronops.config.setting import Section
from cronops.secret import SecretStr

MASK = "***"
_SHORTEST = 4
_DEEPEST = 12

_URL_PASSWORD = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*://[^\s/?#:@]*:)[^\s/?#]+@")
_CONNINFO_PASSWORD = re.compile(
    r"(\b(?:ssl)?password\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&'\"]+)", re.IGNORECASE
)
_SECRET_PARAMETERS = re.compile(r"pass|pwd|token|secret|key|auth", re.IGNORECASE)
_SCHEMES_THAT_NAME_A_HOST = frozenset(
    {"postgres", "postgresql", "http", "https", "json", "jsons", "xml", "xmls", "form", "forms"}
    | {"mailto", "mailtos"}
)


class Redactor:
    """Knows secret values and masks them in text and in nested values."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._spellings: frozenset[str] = frozenset()
        for secret in secrets:
            self.register(secret)

    def register(self, secret: str) -> None:
        """Mask `secret` from now on; of a URL, the parts of it that are secret.

        A value shorter than 4 characters is ignored: masking it would shred ordinary text.
        """
        values = set(_secrets_in_url(secret) if "://" in secret else _secrets_in_plain(secret))
        new = {
            spelling
            for value in values
            if len(value) >= _SHORTEST
            for spelling in _spellings_of(value)
        }
        # Replaced as a whole: another thread may be reading it.
        self._spellings = self._spellings | new

    def register_settings(self, settings: Settings) -> None:
        """Mask every secret that `settings` holds, however deep."""
        for secret in _secret_values(settings):
            self.register(secret)

    def redact(self, text: str) -> str:
        """`text` with every known secret and every URL's password replaced by ``***``."""
        text = self._mask_known(text)
        if "://" in text:
            text = _URL_PASSWORD.sub(rf"\g<1>{MASK}@", text)
        if "assword" in text or "ASSWORD" in text:
            text = _CONNINFO_PASSWORD.sub(rf"\g<1>{MASK}", text)
        return text

    def redact_value(self, value: Any, _depth: int = 0) -> Any:
        """`value` with its texts redacted, keys included; mappings and sequences are copied.

        Numbers, booleans, dates and None are passed on; an object of any other kind becomes
        its redacted text.
        """
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, str):
            return self.redact(value)
        if _depth < _DEEPEST:
            if isinstance(value, Mapping):
                return {
                    self.redact(str(key)): self.redact_value(inner, _depth + 1)
                    for key, inner in value.items()
                }
            if isinstance(value, list | tuple | set | frozenset):
                return [self.redact_value(inner, _depth + 1) for inner in value]
        return self.redact(_text_of(value))

    def _mask_known(self, text: str) -> str:
        # Secrets may overlap: everything that any of them covers is masked as one.
        covered: list[tuple[int, int]] = []
        for spelling in self._spellings:
            at = text.find(spelling)
            while at >= 0:
                covered.append((at, at + len(spelling)))
                at = text.find(spelling, at + 1)
        if not covered:
            return text
        covered.sort()
        parts: list[str] = []
        done = 0
        for start, end in covered:
            if start >= done:
                parts += (text[done:start], MASK)
            done = max(done, end)
        parts.append(text[done:])
        return "".join(parts)


_process_wide = Redactor()


def register_secrets(settings: Settings) -> None:
    """Have `redact` mask every secret in `settings` from now on, in the whole process."""
    _process_wide.register_settings(settings)


def redact(text: str) -> str:
    """`text` with the secrets of the registered settings, and URLs' passwords, masked."""
    return _process_wide.redact(text)


def redact_value(value: Any) -> Any:
    """`value` with all text in it redacted; see `Redactor.redact_value`."""
    return _process_wide.redact_value(value)


def mask_url(url: str) -> str:
    """`url` for people: scheme, user, host and path stay, whatever is secret does not.

    Of a service URL whose host and path are tokens (``slack://…``) only the scheme stays.
    """
    scheme, found, rest = url.partition("://")
    if not found:
        return MASK
    if scheme.lower() not in _SCHEMES_THAT_NAME_A_HOST:
        return f"{scheme}://{MASK}"
    # Cut by hand: a password may hold characters that urlsplit takes for the path's.
    userinfo, at, location = rest.rpartition("@")
    user, colon, _ = userinfo.partition(":")
    masked = Redactor(_secrets_in_url(url)).redact(location)
    return f"{scheme}://{user}{colon}{MASK if colon else ''}{at}{masked}"


def _secret_values(value: Any) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, Section):
        for _, inner in value:
            yield from _secret_values(inner)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _secret_values(inner)
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from _secret_values(inner)


def _secrets_in_plain(secret: str) -> Iterator[str]:
    yield secret
    # A traceback or a library may show one line of a key file.
    yield from (line for line in secret.splitlines() if len(line) >= 2 * _SHORTEST)


def _secrets_in_url(url: str) -> Iterator[str]:
    scheme, _, rest = url.partition("://")
    authority_and_path, _, query = rest.partition("?")
    userinfo, at, location = authority_and_path.rpartition("@")
    user, colon, password = userinfo.partition(":")
    if colon:
        yield password
        yield base64.b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode()
    for name, value in parse_qsl(query):
        if _SECRET_PARAMETERS.search(name):
            yield value
    if scheme.lower() in ("postgres", "postgresql"):
        return
    if scheme.lower() not in _SCHEMES_THAT_NAME_A_HOST:
        yield url
        yield from filter(_looks_like_a_token, [user, *re.split(r"[/:]", location)])
    else:
        if at and not colon:
            yield from filter(_looks_like_a_token, [user])
        yield from filter(_looks_like_a_token, urlsplit(url).path.split("/"))


def _looks_like_a_token(part: str) -> bool:
    letters_and_digits = re.search(r"[A-Za-z]", part) and re.search(r"\d", part)
    return "." not in part and (len(part) >= 20 or (len(part) >= 8 and bool(letters_and_digits)))


def _spellings_of(secret: str) -> Iterator[str]:
    for value in {secret, unquote(secret)}:
        if len(value) < _SHORTEST:
            continue
        yield value
        yield quote(value, safe="", errors="replace")
        yield quote(value, safe="/", errors="replace")
        yield quote_plus(value, errors="replace")
        yield json.dumps(value)[1:-1]
        yield json.dumps(value, ensure_ascii=False)[1:-1]
        yield repr(value)[1:-1]


def _text_of(value: Any) -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "replace")
    try:
        isoformat = getattr(value, "isoformat", None)
        return str(isoformat() if callable(isoformat) else value)
    except Exception:  # a broken __str__ must not cost the log line
        return f"<{type(value).__name__}>"
