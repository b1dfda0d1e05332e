"""The scripts of before, and which job each is now.

Source: the cron operating model's inventory, and the argument forms in its domain facts.
"""

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

_ATX = "_shopupdating/cronjobs/atx"
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NAMED = re.compile(r"-{0,2}(?P<name>[A-Za-z][A-Za-z0-9_-]*)=(?P<value>.*)", re.DOTALL)
_TRUE = frozenset(("1", "true", "yes", "on"))
_FALSE = frozenset(("", "0", "false", "no", "off"))
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_NUMBER = re.compile(r"[0-9]{1,18}")
_SECRET_NAME = re.compile(r"(?i)pass|pwd|token|secret|key|auth|sig|hash|user|login|username")


@dataclass(frozen=True)
class Script:
    """A script of before."""

    path: str
    """Below the shop's root."""
    cr: str
    name: str
    """What its schedule is called."""
    command: str
    description: str
    places: tuple[str, ...] = ()
    """Arguments by their place."""
    values: tuple[str, ...] = ()
    """Arguments that have a value."""
    flags: tuple[str, ...] = ()
    """Arguments that are 1 or 0, or stand there bare."""
    numbers: frozenset[str] = field(default_factory=frozenset)
    """Those whose value is a number."""
    needs: str = ""
    """An argument without which it is no command."""
    renamed: Mapping[str, str] = field(default_factory=dict)


_FORCED = {"force": "force-restart", "restart": "force-restart", "forced": "force-restart"}
SCRIPTS = (
    Script(
        f"{_ATX}/articles/editImage.php",
        "CR-001",
        "images-enqueue",
        "images enqueue-batches",
        "Enqueue the image edits that batches ask for.",
    ),
    Script(
        f"{_ATX}/articles/stock/export.php",
        "CR-002",
        "stock-export",
        "stock export",
        "Export stock levels and prices to the sales platforms.",
        values=("supplier", "customer", "export"),
        flags=("skip-generation",),
        numbers=frozenset(("supplier", "customer", "export")),
    ),
    Script(
        f"{_ATX}/customers/sendMailLicenceExpired.php",
        "CR-003",
        "customers-notify-license-expiration",
        "customers notify-license-expiration",
        "Remind customers of licences that end soon.",
    ),
    Script(
        f"{_ATX}/dwh/updateCounters.php",
        "CR-004",
        "dwh-update-counters",
        "dwh update-counters",
        "Count the shop's page hits by day.",
    ),
    Script(
        f"{_ATX}/job/cleanQueues.php",
        "CR-005",
        "queue-clean",
        "queue clean",
        "Delete finished messages, and old runs, alerts and audit rows.",
    ),
    Script(
        f"{_ATX}/job/processGeneralQueue.php",
        "CR-006",
        "queue-process-general",
        "queue process --queue=general",
        "Work the messages of the general queue.",
        flags=("force-restart",),
        renamed=_FORCED,
    ),
    Script(
        f"{_ATX}/logs/cleanLogs.php",
        "CR-007",
        "logs-clean",
        "logs clean",
        "Delete old rows of the shop's log of changes.",
    ),
    Script(
        f"{_ATX}/orders/getOrders.php",
        "CR-008",
        "platform-pull-orders",
        "platform pull-orders",
        "Pull orders from the sales platforms and enqueue them.",
        places=("platform",),
        values=("platform",),
    ),
    Script(
        f"{_ATX}/suppliers/stock/checkAllSupplierStock.php",
        "CR-009",
        "suppliers-import-all",
        "suppliers import-stock --all",
        "Import what suppliers have in stock.",
        flags=("update-anyway",),
    ),
    Script(
        f"{_ATX}/suppliers/stock/checkSupplierStock.php",
        "CR-010",
        "suppliers-import-one",
        "suppliers import-stock",
        "Import what one supplier has in stock.",
        places=("supplier", "update-anyway"),
        values=("supplier",),
        flags=("update-anyway",),
        numbers=frozenset(("supplier",)),
        needs="supplier",
        renamed={"id": "supplier", "supplier-id": "supplier"},
    ),
    Script(
        f"{_ATX}/system/cleanData.php",
        "CR-011",
        "system-clean-data",
        "system clean-data",
        "Clear the shop's caches of searches and of popular articles.",
    ),
    Script(
        f"{_ATX}/vehicles/driveright/updateDriveRight.php",
        "CR-012",
        "driveright-sync",
        "driveright sync",
        "Bring vehicles and fitments up to what DriveRight says.",
    ),
    Script(
        f"{_ATX}/vehicles/simulator/sendMakFiles.php",
        "CR-013",
        "simulator-send-mak-files",
        "simulator send-mak-files",
        "Build the simulator's files and send them to MAK.",
        flags=("force",),
    ),
    Script(
        "_shopupdating/cronjobs/system/rmsessions",
        "CR-014",
        "sessions-purge",
        "sessions purge",
        "Delete old session files.",
    ),
)
# Its name alone could be anybody's.
_WANTS_A_DIRECTORY = frozenset(("export.php",))


@dataclass(frozen=True)
class Call:
    """A call of a job, made of a call of its script."""

    script: Script
    options: tuple[str, ...]
    unclear: tuple[str, ...]
    """Arguments that stand for nothing known."""

    @property
    def command(self) -> str:
        """What follows ``cronops``."""
        return " ".join((self.script.command, *self.options))


def find_script(path: str) -> Script | None:
    """The script at `path`, which need not be complete: its last parts tell."""
    parts = posixpath.normpath(path).split("/")
    for script in SCRIPTS:
        known = script.path.split("/")
        if parts[-1] != known[-1]:
            continue
        shared = 0
        while shared < min(len(parts), len(known)) and parts[-1 - shared] == known[-1 - shared]:
            shared += 1
        if shared > 1 or parts[-1] not in _WANTS_A_DIRECTORY:
            return script
    return None


def call_of(script: Script, arguments: Sequence[str]) -> Call:
    """The call that these arguments make."""
    places = iter(script.places)
    options: list[str] = []
    unclear: list[str] = []
    for word in arguments:
        named = _NAMED.fullmatch(word)
        if named is not None:
            name = _CAPITAL.sub("-", named["name"]).replace("_", "-").lower()
            value = named["value"]
        elif word.startswith("-"):
            name, value = word.lstrip("-").lower(), "1"
        else:
            name, value = next(places, ""), word
        option = _option(script, script.renamed.get(name, name), value)
        if option is None:
            unclear.append(word)
        elif option:
            options.append(option)
    if script.needs and not any(one.startswith(f"--{script.needs}=") for one in options):
        unclear.append(f"no {script.needs} is named")
    return Call(script, tuple(options), tuple(unclear))


def call_of_url(url: str) -> Call | None:
    """The call that fetching a URL makes; what authorizes it is left out."""
    parts = urlsplit(url)
    script = find_script(unquote(parts.path))
    if script is None:
        return None
    asked = parse_qsl(parts.query, keep_blank_values=True)
    return call_of(
        script, [f"{name}={value}" for name, value in asked if not _SECRET_NAME.search(name)]
    )


def _option(script: Script, name: str, value: str) -> str | None:
    """The option; empty where it says nothing, None where it is not known."""
    if name in script.flags:
        if value.lower() in _TRUE or value == name:
            return f"--{name}"
        return "" if value.lower() in _FALSE else None
    if name not in script.values:
        return None
    if value in ("", "0") and name in script.numbers:
        return ""
    fits = _NUMBER if name in script.numbers else _CODE
    return f"--{name}={value}" if fits.fullmatch(value) else None
