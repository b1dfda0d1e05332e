"""The teams a job or handler may name as accountable, responsible or consulted.

Source: the RACI table of the cron operating model. Configuration may add teams
(``CRONOPS_OWNERS``), never rename these.
"""

from collections.abc import Iterable
from difflib import get_close_matches

from cronops.errors import ConfigurationError, DeclarationError

SHARED_OPS = "Shared Ops"
PLATFORM_EXPORT = "Platform Export"
STOCK_IMPORT = "Stock Import"
WEBSHOP = "Webshop"
WEBSHOP_ADMIN = "Webshop Admin"
VEHICLE_DATA = "Vehicle Data"
ERP_MIDDLEWARE = "ERP Middleware"
MARKETING_CRM = "Marketing/CRM"
ALL_ISLANDS = "All islands"

KNOWN_OWNERS = frozenset(
    {
        SHARED_OPS,
        PLATFORM_EXPORT,
        STOCK_IMPORT,
        WEBSHOP,
        WEBSHOP_ADMIN,
        VEHICLE_DATA,
        ERP_MIDDLEWARE,
        MARKETING_CRM,
        ALL_ISLANDS,
    }
)


def as_owners(value: str | Iterable[str], *, of: str, role: str) -> tuple[str, ...]:
    """A declaration's owner or owners as a tuple; a single name is taken as one.

    Raises `DeclarationError`, naming `of` and `role`, where a name is empty or not text.
    """
    names = (value,) if isinstance(value, str) else tuple(value)
    for name in names:
        if not isinstance(name, str) or not name.strip():
            raise DeclarationError(f"{of}: {role} must be owners' names, not {name!r}")
    return names


def check_owners(names: Iterable[str], *, of: str, configured: Iterable[str] = ()) -> None:
    """Raise `ConfigurationError` for a name that is neither built in nor configured."""
    known = KNOWN_OWNERS | set(configured)
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}? Otherwise add" if near else "add"
            raise ConfigurationError(
                f"{of}: no owner is called {name!r}; {hint} it to CRONOPS_OWNERS (a JSON list)"
            )
