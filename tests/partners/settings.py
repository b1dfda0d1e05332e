"""Settings of a client that knows a server of a test."""

from typing import Any

from cronops.config import Settings

QUICK = {"connect_timeout": "5s", "read_timeout": "5s", "total_timeout": "30s", "attempts": 1}


def client_settings(server: Any = None, **clients: Any) -> Settings:
    """Settings whose `clients` are quick to give up, trust the server's authority and know it.

    `credentials` are those given; a server that has a login gets one called ``partner``.
    """
    known: dict[str, Any] = dict(QUICK)
    ca_file = getattr(server, "ca_file", None)
    if ca_file is not None:
        known["ca_file"] = ca_file
    credential = getattr(server, "credential", None)
    if credential is not None:
        known["credentials"] = {"partner": credential}
    return Settings(clients={**known, **clients})
