"""Finds the credential that a row of the database names."""

from base64 import b64encode
from difflib import get_close_matches
from typing import TYPE_CHECKING

from cronops.errors import ConfigurationError

if TYPE_CHECKING:
    from cronops.config import Settings
    from cronops.config.outside import Credential
    from cronops.secret import SecretStr


def find_credential(settings: "Settings", name: str) -> "Credential":
    """The credential called `name`. Raises `ConfigurationError` that names the nearest."""
    known = settings.clients.credentials
    if name in known:
        return known[name]
    near = get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ConfigurationError(
        f"no credential is called {name!r} in CRONOPS_CLIENTS__CREDENTIALS{hint}"
    )


def plain(secret: "SecretStr | None") -> str:
    """A secret's text; empty where there is none."""
    return secret.get_secret_value() if secret is not None else ""


def authorization(name: str, credential: "Credential") -> str:
    """The HTTP header of the credential called `name`: its token, or else its login."""
    if credential.token is not None:
        value = f"Bearer {plain(credential.token)}"
    elif credential.username:
        pair = f"{credential.username}:{plain(credential.password)}"
        value = f"Basic {b64encode(pair.encode()).decode()}"
    else:
        raise ConfigurationError(f"the credential {name!r} has neither a token nor a username")
    if not value.isascii() or not value.isprintable():
        raise ConfigurationError(f"the token of the credential {name!r} is no token: check it")
    return value
