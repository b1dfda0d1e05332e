"""Where files lie at a partner's, as an operator writes it."""

import posixpath
import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

DEFAULT_PORTS = {"sftp": 22, "ftp": 21, "ftps": 21, "https": 443}
_SCHEMES = ("file", *DEFAULT_PORTS)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://", re.ASCII)
_SECRET_PARAMETERS = re.compile(r"pass|pwd|token|secret|key|auth|sig|credential", re.I)


@dataclass(frozen=True, slots=True)
class Location:
    """A place, read from a URL or a path."""

    scheme: str
    """``file``, ``sftp``, ``ftp``, ``ftps`` or ``https``."""
    host: str
    port: int
    path: str
    """As given of a file location, and as written in the URL of HTTPS; else absolute, or ``.`` and
    below for the login's home."""
    query: str = ""
    """Only of HTTPS."""

    @property
    def shown(self) -> str:
        """The place for people."""
        if self.scheme == "file":
            return self.path
        at = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        path = f"/~/{self.path}" if not self.path.startswith("/") else self.path
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}{at}{path.removesuffix('/.')}"


def read_location(text: str) -> Location:
    """The place that `text` names. Raises `ValueError` in words for whoever typed it."""
    if not text or not text.strip():
        raise ValueError("give a directory, or a URL such as sftp://files.example.com/inbound")
    if text != text.strip() or not text.isprintable():
        raise ValueError("blanks at its ends, line breaks and control characters are refused")
    scheme = _SCHEME.match(text)
    if scheme is None:
        return Location("file", "", 0, text)
    name = scheme[1].lower()
    if name not in _SCHEMES:
        raise ValueError(_about_scheme(name))
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"it is no URL: {error}") from None
    if parts.username is not None or parts.password is not None:
        raise ValueError(
            "a user or password inside the URL is refused: put them into a credential "
            "(CRONOPS_CLIENTS__CREDENTIALS), and name that"
        )
    if port == 0:
        raise ValueError("0 is no port")
    if name == "file":
        return _file(parts)
    if not parts.hostname:
        raise ValueError(f"it names no host: {name}://files.example.com/inbound does")
    if parts.fragment or (parts.query and name != "https"):
        raise ValueError("a ? or # in a path is written %3F, %23")
    _refuse_secrets(parts.query)
    path = unquote(parts.path, errors="strict") or "/"
    if "\0" in path or not path.isprintable():
        raise ValueError("control characters in a path are refused")
    path = (parts.path or "/") if name == "https" else _remote_path(path)
    return Location(name, parts.hostname, port or DEFAULT_PORTS[name], path, parts.query)


def check_location(url: str, *, root: Path) -> None:
    """Check a URL or directory that somebody typed; nothing is opened or connected to.

    Raises `ValueError` in words for that person: an unknown scheme, a password inside the URL,
    a directory outside `root`.
    """
    location = read_location(url)
    if location.scheme == "file":
        confined(location.path, root)


def confined(path: str, root: Path) -> Path:
    """`path`, relative to `root` or absolute, with every symbolic link followed.

    Raises `ValueError` where that is not `root` or below it.
    """
    try:
        base = root.resolve()
        found = (base / path).resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from None
    if found != base and base not in found.parents:
        raise ValueError(f"{path} lies outside of {root}, where all directories have to be")
    return found


def _file(parts: SplitResult) -> Location:
    if parts.netloc not in ("", "localhost"):
        raise ValueError(
            f"file://{parts.netloc}/… names a host; a directory of this machine has three "
            "slashes: file:///var/…"
        )
    if parts.query or parts.fragment:
        raise ValueError("a ? or # in a file URL is written %3F, %23")
    path = unquote(parts.path, errors="strict")
    if not path or not path.isprintable():
        raise ValueError("it names no directory: file:///var/lib/cronops/… does")
    return Location("file", "", 0, path)


def _remote_path(path: str) -> str:
    in_home = path == "/~" or path.startswith("/~/")
    normal = posixpath.normpath(path[2:].lstrip("/") or "." if in_home else "/" + path.lstrip("/"))
    if normal == ".." or normal.startswith("../"):
        raise ValueError("a path may not leave the login's home directory by ..")
    return normal


def _refuse_secrets(query: str) -> None:
    for name, value in parse_qsl(query):
        if _SECRET_PARAMETERS.search(name) and value != "{token}":
            raise ValueError(
                f"what looks like a secret in the URL is refused: put the value of {name} into a "
                f"credential as its token, and write {name}={{token}} in its place"
            )


def _about_scheme(name: str) -> str:
    if name == "http":
        return "only https is taken; everybody could read http"
    near = get_close_matches(name, _SCHEMES, n=1)
    hint = f"; did you mean {near[0]}://?" if near else ""
    return f"{name}:// is not known here: file, sftp, ftps, ftp and https are{hint}"
