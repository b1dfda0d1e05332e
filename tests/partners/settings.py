"""Settings of a client that knows a server of a test, for this process and for others."""

import json
from typing import Any

from cronops.config import Settings

QUICK = {"connect_timeout": "5s", "read_timeout": "5s", "total_timeout": "30s", "attempts": 1}


def client_settings(server: Any = None, **clients: Any) -> Settings:
    """Settings whose `clients` are quick to give up, trust the server's authority and know it.

    `clients` are set besides; a server that has a login gets a credential called ``partner``.
    """
    return Settings(clients=_known(server, clients))


def client_environment(server: Any = None, **clients: Any) -> dict[str, str]:
    """The same for the command line in a process of its own: variables of the environment."""
    return {
        f"CRONOPS_CLIENTS__{name.upper()}": json.dumps(value)
        if isinstance(value, dict)
        else str(value)
        for name, value in _known(server, clients).items()
    }


def _known(server: Any, clients: dict[str, Any]) -> dict[str, Any]:
    known: dict[str, Any] = dict(QUICK)
    if getattr(server, "ca_file", None) is not None:
        known["ca_file"] = server.ca_file
    if getattr(server, "credential", None) is not None:
        known["credentials"] = {"partner": server.credential}
    return {**known, **clients}
