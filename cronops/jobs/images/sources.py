"""What a batch may name as a source: a path below the root, or a URL; pure, no I/O."""

from posixpath import normpath
from urllib.parse import urlsplit

_LONGEST = 2_000


def normal_source(text: str, root: str) -> str:
    """A path relative to `root` (absolute, normal), or a URL as it is. Raises `ValueError`."""
    if not text:
        raise ValueError("no source")
    if len(text) > _LONGEST:
        raise ValueError(f"the source is longer than {_LONGEST} characters")
    if not text.isprintable():
        raise ValueError("the source has characters that cannot be printed")
    if is_url(text):
        _check_url(text)
        return text
    return _relative(text, root)


def is_url(source: str) -> bool:
    """Whether a source names a server and not a file."""
    return "://" in source


def host_of(url: str) -> str:
    """The host and port that a URL names."""
    return urlsplit(url).netloc.lower()


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"the source is no URL: {error}") from None
    if parts.scheme.lower() not in ("http", "https"):
        raise ValueError(f"sources are files, http or https, not {parts.scheme[:20]}")
    if not host:
        raise ValueError("the source's URL names no host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("the source's URL has a login in it: batches are kept, and shown")
    if " " in url:
        raise ValueError("the source's URL has a blank in it; write %20")


def _relative(path: str, root: str) -> str:
    # Judged by its parts, before they are made normal: `a/../b` is nothing anybody means.
    if ".." in path.split("/"):
        raise ValueError("the source's path has .. in it")
    normal = normpath(path)
    if normal.startswith("/"):
        inside = f"{root.rstrip('/')}/"
        if not normal.startswith(inside):
            raise ValueError(f"the source lies outside of {root}")
        normal = normal.removeprefix(inside)
    if normal in (".", ""):
        raise ValueError("the source is a directory")
    return normal
