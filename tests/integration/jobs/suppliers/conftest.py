"""A shop, and suppliers whose files a test puts where they arrive."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from cronops.contract.channel import SharedPage
from cronops.contract.child import exit_code_of
from cronops.contract.context import JobContext, RunFacts
from cronops.contract.lock import Claimant, Held, acquire, release_all
from cronops.contract.stop import StopRequest
from cronops.db.connect import connect
from cronops.errors import CronopsError
from cronops.jobs.suppliers.import_stock import import_stock
from cronops.jobs.wiring import WIRING
from tests.commands import CommandLine
from tests.databases import Database

MAP = {
    "sku": "Item",
    "ean": "EAN",
    "mpn": "MPN",
    "qty": "Stock",
    "price": "Price",
    "delivery_days": "Days",
}
HEADER = "Item;EAN;MPN;Stock;Price;Days\n"


DEFAULTS = {"all": False, "update_anyway": False, "parallel": 1, "dry_run": False}


@dataclass(frozen=True)
class Done:
    """How a run in this process ended."""

    returncode: int
    counts: dict[str, int]
    told: str
    """Its warnings, or why it failed."""


class Suppliers:
    """Settings, files that arrive, and what became of them."""

    def __init__(self, database: Database, cli: CommandLine, root: Path) -> None:
        self.database, self.cli, self.root = database, cli, root
        database.env["CRONOPS_SUPPLIERS__ROOT"] = str(root)
        self._clock = 0

    def add(self, supplier: int, **fields: Any) -> int:
        """Set one up, as its table takes it; the guards against small files are off."""
        values = {
            "supplier_id": supplier,
            "name": f"Supplier {supplier}",
            "column_map": json.dumps(fields.pop("column_map", MAP)),
            "quiet": "0 seconds",
            "max_drop_pct": 100,
            "max_reject_pct": 100,
        } | fields
        names = ", ".join(values)
        places = ", ".join(f"%({name})s" for name in values)
        self.database.query(
            f"INSERT INTO supplier_import_setting ({names}) VALUES ({places})", values
        )
        return supplier

    def change(self, supplier: int, **fields: Any) -> None:
        for name, value in fields.items():
            self.database.query(
                f"UPDATE supplier_import_setting SET {name} = %s WHERE supplier_id = %s",
                (value, supplier),
            )

    def arrive(
        self, supplier: int, name: str, *rows: str, age: float | None = None, header: str = HEADER
    ) -> Path:
        """Put a file into ``incoming``; a later one is newer, unless `age` says how old it is."""
        return self.arrive_bytes(
            supplier, name, (header + "".join(f"{row}\n" for row in rows)).encode(), age=age
        )

    def arrive_bytes(
        self, supplier: int, name: str, content: bytes, *, age: float | None = None
    ) -> Path:
        path = self.home(supplier) / "incoming" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self._clock += 1
        moment = time.time() - (1000 - self._clock if age is None else age)
        os.utime(path, (moment, moment))
        return path

    def run(self, *arguments: str, code: int | None = 0) -> "Done":
        """The job as its worker process does it, in this process, under a real lease."""
        given = [one.removeprefix("--").replace("-", "_").partition("=") for one in arguments]
        values: dict[str, Any] = dict.fromkeys(import_stock.parameters) | DEFAULTS
        values |= {name: int(value) if value else True for name, _, value in given}
        done = self._work(values)
        assert code is None or done.returncode == code, done
        return done

    def take_over(self) -> None:
        """Let the lease of a run that was killed end: its time to live is a second in tests."""
        self.database.query("UPDATE lease SET expires_at = clock_timestamp()")

    def command(self, *arguments: str, code: int | None = 0, **options: Any) -> Any:
        """The whole command, in a process of its own, with its supervisor."""
        done = self.cli("suppliers", "import-stock", *arguments, **options)
        assert code is None or done.returncode == code, done.stdout + done.stderr
        return done

    def _work(self, values: dict[str, Any]) -> "Done":
        settings = self.database.settings(suppliers={"root": self.root})
        (lock,) = import_stock.locks_for(values)
        claimant = Claimant("run", import_stock.name, "test", timedelta(minutes=5))
        with connect(settings, "test") as connection, connection.transaction():
            held = acquire(connection, lock, claimant)
        assert isinstance(held, Held)
        facts = RunFacts("run", "correlation", None, None, (held.token,), "test", values)
        ctx = JobContext(
            import_stock,
            facts,
            settings,
            WIRING,
            page=SharedPage.create(),
            stop=StopRequest(),
            log=structlog.get_logger(),
        )
        try:
            outcome = import_stock.function(ctx, **values)
            return Done(0, dict(ctx.counts), "\n".join(outcome.warnings) if outcome else "")
        except CronopsError as error:
            return Done(int(exit_code_of(error, import_stock)), dict(ctx.counts), str(error))
        finally:
            ctx.close()
            with connect(settings, "test") as connection:
                release_all(connection, held.token)

    def home(self, supplier: int) -> Path:
        return self.root / str(supplier)

    def files(self, supplier: int, folder: str) -> list[str]:
        """Names in a folder, those beside the files left out."""
        found = [path.name for path in (self.home(supplier) / folder).iterdir()]
        return sorted(one for one in found if not one.endswith((".result.json", ".rejects.csv")))

    def result(self, supplier: int, kept_as: str) -> dict[str, Any]:
        path = self.home(supplier) / f"{kept_as}.result.json"
        found: dict[str, Any] = json.loads(path.read_text())
        return found

    def stock(self, supplier: int) -> dict[str, int]:
        return dict(
            self.database.query(
                "SELECT sku, qty FROM supplier_stock WHERE supplier_id = %s ORDER BY sku",
                (supplier,),
            )
        )

    def articles(self, supplier: int) -> dict[str, int | None]:
        return dict(
            self.database.query(
                "SELECT sku, article_id FROM supplier_stock WHERE supplier_id = %s ORDER BY sku",
                (supplier,),
            )
        )

    def results(self, supplier: int) -> list[tuple[str, str]]:
        return self.database.query(
            "SELECT name, result FROM import_file WHERE supplier_id = %s ORDER BY id", (supplier,)
        )


@pytest.fixture
def suppliers(shop: Database, cli: CommandLine, tmp_path: Path) -> Suppliers:
    return Suppliers(shop, cli, tmp_path / "suppliers")


@pytest.fixture
def article(shop: Database) -> Callable[..., int]:
    """Adds an article of the shop; its id."""

    def add(number: str, **fields: Any) -> int:
        values = {"article_number": number, "type": "tyre"} | fields
        names = ", ".join(values)
        places = ", ".join(f"%({name})s" for name in values)
        ((made,),) = shop.query(
            f"INSERT INTO article ({names}) VALUES ({places}) RETURNING id", values
        )
        return int(made)

    return add
