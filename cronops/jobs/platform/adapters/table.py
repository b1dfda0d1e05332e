"""Which adapters there are, and the opening of one for a platform."""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any

from cronops.errors import ConfigurationError

if TYPE_CHECKING:
    from cronops.config import Settings
    from cronops.jobs.platform.adapters.protocol import Adapter
    from cronops.jobs.platform.platforms import Platform


@dataclass(frozen=True)
class AdapterEntry:
    """One adapter: its class, and the model of its configuration."""

    target: str
    """``module:class``."""
    configuration: str
    """Its model in `cronops.jobs.platform.adapters.configuration`."""
    summary: str


_HERE = "cronops.jobs.platform.adapters"

ADAPTERS: dict[str, AdapterEntry] = {
    "rest": AdapterEntry(
        f"{_HERE}.rest:RestAdapter",
        "RestConfiguration",
        "REST/JSON: changes since a time, page by page, each order acknowledged.",
    ),
    "xml-feed": AdapterEntry(
        f"{_HERE}.xml_feed:XmlFeedAdapter",
        "XmlFeedConfiguration",
        "XML (or openTRANS, JSON) over HTTPS that is marked as read when it is fetched.",
    ),
    "files": AdapterEntry(
        f"{_HERE}.files:FilesAdapter",
        "FilesConfiguration",
        "Files in a directory or behind SFTP, FTPS, FTP, moved away when they are stored.",
    ),
}


@dataclass(frozen=True)
class Caller:
    """On whose behalf a platform is asked."""

    settings: "Settings"
    correlation_id: str
    pause: Callable[[float], bool]
    """Sleeps, but wakes when the run is to stop; False then."""


def configuration_of(adapter: str, config: Any, platform: str) -> Any:
    """The checked configuration. Raises `ConfigurationError`."""
    entry = ADAPTERS.get(adapter)
    if entry is None:
        near = get_close_matches(adapter, ADAPTERS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(ADAPTERS)}"
        raise ConfigurationError(f"platform {platform!r}: no adapter is called {adapter!r}; {hint}")
    from cronops.jobs.platform.adapters import configuration

    return configuration.configured(getattr(configuration, entry.configuration), config, platform)


def adapter_for(platform: "Platform", caller: Caller) -> "Adapter":
    """The platform's adapter, not yet connected. Raises `ConfigurationError`."""
    configuration = configuration_of(platform.adapter, platform.config, platform.code)
    module, _, name = ADAPTERS[platform.adapter].target.partition(":")
    made: Adapter = getattr(import_module(module), name)(configuration, platform, caller)
    return made
