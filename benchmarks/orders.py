"""Pulling orders from a platform that is 50 ms away, against the loop that people would write."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from benchmarks.database import ROOT, Database
from benchmarks.harness import Goal, Section, Unmeasurable, alternate
from cronops.samples.order_server import OrderServer
from cronops.samples.orders import orders

PAGE = 100
AWAY = 0.05
OURS, PLAIN = "cronops platform pull-orders", "httpx and psycopg, one after another"
EMPTY = """
TRUNCATE platform_order, platform_fetch, queue_message;
DELETE FROM sales_order; DELETE FROM platform;
INSERT INTO platform (code, name, adapter, config) VALUES ('bench', 'Bench', 'rest', %s)
"""


def run(database: Database, quick: bool) -> Sequence[Section]:
    """With the network's latency, and without any."""
    rounds = 2 if quick else 5
    return [
        _section(database, 100 if quick else 300, rounds, AWAY, Goal(4)),
        _section(database, 200 if quick else 1_000, rounds, 0.0, None),
    ]


def _section(
    database: Database, count: int, rounds: int, latency: float, goal: Goal | None
) -> Section:
    some = list(orders(count))
    section = Section(
        f"Pulling {count:,} orders, the platform {latency * 1000:.0f} ms away",
        "orders/s",
        f"REST, {PAGE} a page, each order acknowledged; whole processes. Both store each answer "
        "before they read it, then orders, messages and cursor in one transaction, and "
        "acknowledge afterwards. The loop has no lease, no retries, no limits.",
        digits=1,
    )

    def measured(pull: Callable[[OrderServer], None]) -> Callable[[], float]:
        def measure() -> float:
            with OrderServer(some, latency=latency) as server:
                _prepare(database, server)
                began = time.perf_counter()
                pull(server)
                seconds = time.perf_counter() - began
                if len(set(server.acknowledged)) != count:
                    raise Unmeasurable(f"{len(server.acknowledged)} of {count} acknowledged")
            with database.connect() as connection:
                row = connection.execute("SELECT count(*) FROM queue_message").fetchone()
                if row != (count,):
                    raise Unmeasurable(f"{row} messages for {count} orders")
            return count / seconds

        return measure

    subjects = {
        OURS: measured(lambda _: _run(database, "-m", "cronops", "platform", "pull-orders")),
        PLAIN: measured(
            lambda server: _run(database, "-m", "benchmarks.plain_orders", server.url, str(PAGE))
        ),
    }
    section.add(alternate(subjects, rounds))
    section.compare("pull-orders / the loop", OURS, PLAIN, goal)
    return section


def _prepare(database: Database, server: OrderServer) -> None:
    config = {
        "url": f"{server.url}/orders",
        "allow_http": True,
        "page_size": PAGE,
        "first_look_back": "3650d",
        "acknowledge": {"url": f"{server.url}/orders/{{id}}/ack"},
    }
    with database.connect() as connection:
        for statement in EMPTY.strip().split(";"):
            values = (json.dumps(config),) if "%s" in statement else None
            connection.execute(statement, values)


def _run(database: Database, *words: str) -> None:
    done = subprocess.run(
        [sys.executable, *words], env=database.env, cwd=ROOT, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise Unmeasurable(done.stderr[-300:])
