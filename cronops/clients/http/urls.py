"""URLs: which are refused, where a redirect may lead, and how one is shown."""

import re
from collections.abc import Callable, Iterator
from urllib.parse import SplitResult, parse_qsl, urlencode, urljoin, urlsplit

from cronops.errors import BadInput, ConfigurationError, PermanentError

_SECRET_PARAMETERS = re.compile(r"pass|pwd|token|secret|key|auth|sig|session|credential", re.I)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_THIS_MACHINE = {"localhost", "127.0.0.1", "::1"}

Content = bytes | Callable[[], Iterator[bytes]] | None
"""What is sent; of something long, a function that begins it anew for each try."""


def shown(url: str) -> str:
    """`url` for people: no user, and no value of a parameter that looks secret."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "a URL that cannot be read"
    query = urlencode(
        [
            (name, "***" if _SECRET_PARAMETERS.search(name) else value)
            for name, value in parse_qsl(parts.query, keep_blank_values=True)
        ],
        safe="*:/,",
    )
    location = parts.netloc.rpartition("@")[2]
    text = f"{parts.scheme}://{location}{parts.path}" + (f"?{query}" if query else "")
    return "".join(c if c.isprintable() else "?" for c in text)


def checked(url: str, *, allow_http: bool, with_credential: bool) -> SplitResult:
    """The parts of `url`. Raises `BadInput`, `ConfigurationError` where it may not be asked."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadInput(f"{shown(url)} is no URL: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise BadInput(f"{shown(url)} is no URL of a web server: https://host/path is")
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(
            f"{shown(url)}: a user or password inside a URL is refused; name a credential instead"
        )
    if parts.scheme == "http" and not allow_http:
        raise ConfigurationError(f"{shown(url)}: only https is taken; everybody could read http")
    if parts.scheme == "http" and with_credential and parts.hostname not in _THIS_MACHINE:
        raise ConfigurationError(
            f"{shown(url)}: a credential is not sent over http, where everybody could read it; "
            "use https"
        )
    return parts


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port: what a credential is meant for."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)


def redirected(url: str, location: str) -> str:
    """Where a redirect from `url` leads; raises `PermanentError` where it leaves its server."""
    target = urljoin(url, location)
    try:
        here, there = origin(url), origin(target)
    except ValueError:
        raise PermanentError(f"{shown(url)} redirects to what is no URL") from None
    to_tls = (here[0], there[0]) == ("http", "https") and here[1] == there[1]
    if here != there and not to_tls:
        raise PermanentError(
            f"{shown(url)} redirects to {there[0]}://{there[1]}:{there[2]}, another server; that "
            "is not followed. If it has moved, give its new address"
        )
    return target


def method_after(status: int, method: str, content: Content, where: str) -> tuple[str, Content]:
    """What is sent to where a redirect leads."""
    if status in (307, 308) or method in ("GET", "HEAD"):
        return method, content
    if status == 303:
        return "GET", None
    raise PermanentError(
        f"{where} redirects a {method}, and it would arrive as a GET; give its new address"
    )
