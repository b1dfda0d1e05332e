"""Platforms that really answer, and what a test wants to know of the database afterwards."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cronops.samples.order_server import OrderServer
from cronops.samples.orders import orders
from tests.commands import CommandLine
from tests.databases import Database

SALES = """
SELECT external_id, status, total, version, (
    SELECT count(*) FROM sales_order_line WHERE order_id = sales_order.id
) FROM sales_order ORDER BY external_id
"""


class Market:
    """The platforms' side of the database, and the commands that work on it."""

    def __init__(self, database: Database, cli: CommandLine, root: Path) -> None:
        self.database = database
        self.cli = cli
        self.root = root
        # A network that fails fails at once: the tests are not about waiting.
        database.env |= {
            "CRONOPS_PLATFORM__ROOT": str(root),
            "CRONOPS_CLIENTS__ATTEMPTS": "1",
            "CRONOPS_CLIENTS__READ_TIMEOUT": "1",
            "CRONOPS_LOG_FORMAT": "json",
        }

    def add(self, code: str, adapter: str, config: Mapping[str, Any], **columns: Any) -> None:
        self.database.query(
            "INSERT INTO platform (code, name, adapter, config, credential, article_id_column,"
            " active) VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (
                code,
                code.title(),
                adapter,
                json.dumps(config),
                columns.get("credential"),
                columns.get("article_id_column"),
                columns.get("active", True),
            ),
        )

    def add_rest(self, code: str, server: OrderServer, **more: Any) -> None:
        self.add(code, "rest", rest(server, **more))

    def pull(self, *arguments: str, code: int = 0) -> str:
        done = self.cli("platform", "pull-orders", *arguments)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def work(self) -> None:
        done = self.cli("queue", "process", "--queue=general")
        assert done.returncode == 0, done.stdout + done.stderr

    def sales(self) -> list[tuple[Any, ...]]:
        return self.database.query(SALES)

    def pulled(self) -> list[tuple[Any, ...]]:
        return self.database.query(
            "SELECT external_id, kind, acknowledged_at IS NOT NULL FROM platform_order ORDER BY id"
        )

    def messages(self) -> int:
        ((count,),) = self.database.query("SELECT count(*) FROM queue_message")
        return int(count)

    def fetches(self) -> list[tuple[Any, ...]]:
        return self.database.query("SELECT source, state FROM platform_fetch ORDER BY id")


def rest(server: OrderServer, **more: Any) -> dict[str, Any]:
    """The configuration of a `rest` platform that is `server`."""
    return {
        "url": f"{server.url}/orders",
        "allow_http": True,
        "first_look_back": "3650d",
        "acknowledge": {"url": f"{server.url}/orders/{{id}}/ack"},
        **more,
    }


@pytest.fixture
def market(shop: Database, cli: CommandLine, tmp_path: Path) -> Market:
    """The database with a shop, and no platform yet."""
    root = tmp_path / "platforms"
    root.mkdir()
    return Market(shop, cli, root)


@pytest.fixture
def server() -> Iterator[OrderServer]:
    """A platform with five orders."""
    with OrderServer(list(orders(5))) as running:
        yield running
