"""What the doctor looks at. Each check yields its findings and knows what to do about them."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from cronops.cli.checks.database import clock, pauses, pooling, reachable, schema
from cronops.cli.checks.declarations import alert_routes, loadable
from cronops.cli.checks.finding import Finding
from cronops.cli.checks.outside import gateways, metrics_file
from cronops.cli.checks.places import directories, shop
from cronops.cli.checks.settings import secret_files, sound_settings

if TYPE_CHECKING:
    from cronops.config import Settings

__all__ = [
    "DATABASE_CHECKS",
    "OTHER_CHECKS",
    "Finding",
    "reachable",
    "secret_files",
    "sound_settings",
]

DATABASE_CHECKS: Mapping[str, Callable[["Settings"], Iterable[Finding]]] = {
    "schema": schema,
    "clock": clock,
    "pooling": pooling,
    "pauses": pauses,
    "shop": shop,
}
OTHER_CHECKS: Mapping[str, Callable[["Settings"], Iterable[Finding]]] = {
    "declarations": loadable,
    "alert routes": alert_routes,
    "gateways": gateways,
    "metrics file": metrics_file,
    "directories": directories,
}
