"""Which channels lead to an owner, and whether the configured routes make sense."""

from collections.abc import Iterable
from difflib import get_close_matches

from cronops.config import Settings
from cronops.contract.alerts.channels import (
    AlertmanagerChannel,
    AppriseChannel,
    Channel,
    import_apprise,
)
from cronops.owners import KNOWN_OWNERS


def is_configured(settings: Settings) -> bool:
    """Whether any channel is configured at all; where none is, alerts go to the log only."""
    return settings.alertmanager_url is not None or any(settings.alerts.routes.values())


def channels_for(settings: Settings, owner: str) -> list[Channel]:
    """The channels to `owner`: the Alertmanager, which routes by label itself, and their URLs.

    An owner without a URL is not given to somebody else's: their alert stays undelivered, and
    says so, until a route is configured.
    """
    channels: list[Channel] = []
    if settings.alertmanager_url is not None:
        channels.append(AlertmanagerChannel(settings.alertmanager_url.get_secret_value()))
    urls = dict.fromkeys(url.get_secret_value() for url in settings.alerts.routes.get(owner, []))
    return [*channels, *(AppriseChannel(url) for url in urls)]


def check_routes(settings: Settings, owners_in_use: Iterable[str] = ()) -> list[str]:
    """What is wrong with the alert routes, a line each; empty where all is well.

    `owners_in_use` are those that jobs and handlers name; each needs a channel once any is
    configured.
    """
    if not is_configured(settings):
        if not settings.is_production:
            return []
        return [
            "no alert route is configured, so a failure is only logged; set "
            "CRONOPS_ALERTS__ROUTES_FILE or CRONOPS_ALERTMANAGER_URL"
        ]
    known = KNOWN_OWNERS | set(settings.owners)
    problems = []
    for owner, urls in settings.alerts.routes.items():
        if owner not in known:
            near = get_close_matches(owner, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "add it to CRONOPS_OWNERS"
            problems.append(f"the alert routes name {owner!r}, which is no known owner; {hint}")
        for number, url in enumerate(urls, start=1):
            if not _is_understood(url.get_secret_value()):
                # The URL is a secret: it is told by its place only.
                problems.append(
                    f"alert route {number} of {owner!r} is not a URL that Apprise understands; "
                    "see https://appriseit.com/services/"
                )
    unreached = {owner for owner in owners_in_use if not channels_for(settings, owner)}
    return problems + [no_route(owner) for owner in sorted(unreached)]


def no_route(owner: str) -> str:
    """What is said where nothing leads to `owner`."""
    return f"no alert route leads to {owner!r}; add one to CRONOPS_ALERTS__ROUTES"


def _is_understood(url: str) -> bool:
    return import_apprise().Apprise.instantiate(url, suppress_exceptions=True) is not None
