"""Configurations to begin with, a platform each: `cronops platform set CODE --preset NAME`.

The addresses are examples, and the names of fields what such interfaces usually have: hold them
against the contract with the platform before the first pull. Whatever differs is an ``--option``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Preset:
    """What `platform set` begins with."""

    name: str
    adapter: str
    config: Mapping[str, Any] = field(default_factory=dict)
    article_id_column: str | None = None


PRESETS: dict[str, Preset] = {
    "tyre24": Preset(
        "Tyre24",
        "rest",
        {
            "url": "https://api.tyre24.example.com/v1/orders",
            "token_header": "X-AUTH-TOKEN",
            "params": {"sort": "updated_at,id"},
            "acknowledge": {"url": "https://api.tyre24.example.com/v1/orders/{id}/acknowledge"},
            "per_second": 5,
        },
        article_id_column="tyre24_id",
    ),
    "check24": Preset(
        "Check24, tyres",
        "files",
        {
            "location": "sftp://partner.check24.example.com/outbound",
            "format": "opentrans",
            "pattern": "*-ORDER*.xml",
            "backup": "../backup",
        },
    ),
    "check24-sets": Preset(
        "Check24, sets of tyre and wheel",
        "rest",
        {
            "url": "https://sets.check24.example.com/api/orders",
            "params": {"sort": "updated_at,id"},
            "fields": {"line": {"components": "components"}},
            "acknowledge": {"url": "https://sets.check24.example.com/api/orders/{id}/ack"},
        },
    ),
    "euromaster": Preset(
        "Euromaster",
        "xml-feed",
        {"url": "https://b2b.euromaster.example.com/orders/new", "format": "opentrans"},
    ),
    "roadzila": Preset(
        "Roadzila",
        "files",
        {"location": "sftp://ftp.roadzila.example.com/inbound", "backup": "../backup"},
    ),
    "easy4d": Preset(
        "Easy4D",
        "xml-feed",
        {
            "url": "https://www.easy4d.example.com/export/orders.xml",
            "time_zone": "Europe/Berlin",
            "fields": {"external_id": "@number", "lines": "positions.position"},
        },
    ),
    "adtyres": Preset(
        "AdTyres",
        "rest",
        {
            "url": "https://api.adtyres.example.com/orders",
            "since_param": "modified_after",
            "since_format": "seconds",
            "cursor_param": "page_token",
            "fields": {"next_cursor": "paging.next", "updated_at": "modified"},
        },
    ),
    "zeroseven": Preset(
        "ZeroSeven",
        "files",
        {
            "location": "ftps://ftp.zeroseven.example.com/inbound",
            "format": "json",
            "pattern": "*.json",
            "backup": "../backup",
        },
    ),
    "directory": Preset(
        "A directory",
        "files",
        {"location": "inbound", "format": "opentrans", "pattern": "*.xml"},
    ),
}

PUSHES = {
    "autodoc": "Autodoc pushes its orders to the shop, which enqueues them itself; it is not "
    "polled, so there is nothing to set here",
}
"""Platforms that nobody asks, and what to say of them."""
