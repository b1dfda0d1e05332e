"""One supplier's import as it is measured: the files of each case, our command, bare statements."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from benchmarks.database import ROOT, Database
from benchmarks.harness import Unmeasurable
from benchmarks.memory import peak_of
from benchmarks.workers import PeerEnvironment, command_of
from cronops.samples.articles import ean_of

ARTICLES = 200_000
NEW, CHANGED, HUNDREDTH = "all new", "all changed", "1 % changed"
SHUFFLED = "all changed, in no order"
CASES = (NEW, CHANGED, SHUFFLED, HUNDREDTH)
_STEP = 611_953
HEADER = "Item;EAN;MPN;Stock;Price;Days\n"
COLUMNS = {
    "sku": "Item",
    "ean": "EAN",
    "mpn": "MPN",
    "qty": "Stock",
    "price": "Price",
    "delivery_days": "Days",
}
SETTING = """
    INSERT INTO supplier_import_setting (supplier_id, name, column_map, quiet)
    VALUES (1, 'bench', %s, '0')
"""
ARTICLE = """
    INSERT INTO article (article_number, type, ean, mpn)
    SELECT 'A' || n, 'tyre', ean, 'MPN-' || lpad((n * 13)::text, 8, '0')
    FROM unnest(%s::text[]) WITH ORDINALITY AS e (ean, n)
"""
KEEP_BASE = "CREATE UNLOGGED TABLE bench_base AS SELECT * FROM supplier_stock"
PUT_BASE = "INSERT INTO supplier_stock SELECT * FROM bench_base"

BARE = r"""
\set ON_ERROR_STOP on
SET search_path = cronops, shop, public;
BEGIN;
SET LOCAL work_mem = '128MB';
CREATE UNLOGGED TABLE bare_row (
    sku text, ean text, mpn text, qty integer, price numeric(12,4), delivery_days smallint
);
\copy bare_row FROM '{file}' WITH (FORMAT csv, HEADER, DELIMITER ';')
ANALYZE bare_row;
DELETE FROM bare_row AS s USING (
    SELECT sku, max(ctid) AS last FROM bare_row GROUP BY sku HAVING count(*) > 1
) AS repeated WHERE s.sku = repeated.sku AND s.ctid < repeated.last;
CREATE TEMPORARY TABLE bare_change ON COMMIT DROP AS
SELECT m.*, t.qty AS old_qty, t.sku IS NULL AS is_new FROM (
    SELECT s.sku, s.qty, s.price, s.delivery_days,
        CASE WHEN e.id IS NOT NULL THEN
                CASE WHEN e.hits = 1 AND NOT coalesce(p.hits = 1 AND p.id <> e.id, false)
                     THEN e.id END
             WHEN p.hits = 1 THEN p.id END AS article_id
    FROM bare_row AS s
    LEFT JOIN (SELECT ean, min(id) AS id, count(*) AS hits FROM article
               WHERE ean <> '' GROUP BY ean) AS e ON e.ean = s.ean
    LEFT JOIN (SELECT mpn, min(id) AS id, count(*) AS hits FROM article
               WHERE mpn <> '' GROUP BY mpn) AS p ON p.mpn = s.mpn
) AS m
LEFT JOIN supplier_stock AS t ON t.supplier_id = 1 AND t.sku = m.sku
WHERE t.sku IS NULL OR t.qty <> m.qty OR t.price IS DISTINCT FROM m.price
    OR t.delivery_days IS DISTINCT FROM m.delivery_days
    OR t.article_id IS DISTINCT FROM m.article_id;
ANALYZE bare_change;
CREATE TEMPORARY TABLE bare_absent ON COMMIT DROP AS
SELECT t.sku FROM supplier_stock AS t WHERE t.supplier_id = 1 AND t.qty > 0
    AND NOT EXISTS (SELECT FROM bare_row AS s WHERE s.sku = t.sku);
SELECT (SELECT count(*) FROM bare_absent)
     + (SELECT count(*) FROM bare_change WHERE qty = 0 AND old_qty > 0) AS fallen;
SELECT count(*) AS in_stock FROM supplier_stock WHERE supplier_id = 1 AND qty > 0;
UPDATE supplier_stock AS t SET qty = c.qty, price = c.price, delivery_days = c.delivery_days,
    article_id = c.article_id, updated_at = now()
FROM bare_change AS c WHERE t.supplier_id = 1 AND t.sku = c.sku AND NOT c.is_new;
INSERT INTO supplier_stock (supplier_id, sku, article_id, qty, price, delivery_days)
SELECT 1, sku, article_id, qty, price, delivery_days FROM bare_change WHERE is_new ORDER BY sku;
UPDATE supplier_stock AS t SET qty = 0, updated_at = now() FROM bare_absent AS a
WHERE t.supplier_id = 1 AND t.sku = a.sku;
DROP TABLE bare_row;
COMMIT;
"""


class Bench:
    """A shop, one supplier, and the files of each case."""

    def __init__(self, database: Database, rows: int, *, is_ready: bool = False) -> None:
        self._database, self._rows = database, rows
        self._root = database.scratch / "suppliers"
        self._files = {
            case: self._root / f"{rows}-{case.replace(' ', '').replace(',', '')}.csv"
            for case in CASES
        }
        if not is_ready:
            self._make_shop()
            self._make_files()
            self._keep_base()

    def sized(self, rows: int) -> "Bench":
        """The same with a file of so many rows, all new."""
        other = Bench(self._database, rows, is_ready=True)
        if not other._files[NEW].exists():
            with other._files[NEW].open("w") as file:
                file.writelines(_lines(rows, lambda _: 0))
        return other

    def ours(self, case: str) -> float:
        """Rows a second of the command."""
        with self._prepared(case):
            began = time.perf_counter()
            done = subprocess.run(self._command, env=self._env, capture_output=True, text=True)
            seconds = time.perf_counter() - began
            if done.returncode:
                raise Unmeasurable(f"exit {done.returncode}: {done.stderr.strip()[-200:]}")
        self._check(case)
        return self._rows / seconds

    def peak(self) -> float:
        """Peak memory of the command, in MB."""
        with self._prepared(NEW):
            process = subprocess.Popen(
                self._command, env=self._env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            peak = peak_of(process)
        self._check(NEW)
        return peak

    def bare(self, case: str) -> float:
        """Rows a second of psql with the bare statements."""
        psql = shutil.which("psql")
        if psql is None:
            raise Unmeasurable("psql is not on the path")
        with self._prepared(case):
            script = BARE.format(file=self._files[case])
            began = time.perf_counter()
            done = subprocess.run(
                [psql, "--no-psqlrc", "--quiet", "--dbname", self._database.url],
                input=script,
                capture_output=True,
                text=True,
            )
            seconds = time.perf_counter() - began
            if done.returncode:
                raise Unmeasurable(f"exit {done.returncode}: {done.stderr.strip()[-200:]}")
        self._check(case)
        return self._rows / seconds

    def peer(self, peers: PeerEnvironment, way: str) -> float:
        """Rows a second of a way that people write it, its start included, as ours is."""
        with self._prepared(NEW):
            began = time.perf_counter()
            done = subprocess.run(
                peers.command("bulk", way, self._database.url, self._files[NEW]),
                cwd=ROOT,
                capture_output=True,
                text=True,
            )
            seconds = time.perf_counter() - began
            if done.returncode:
                raise Unmeasurable((done.stderr.strip().splitlines() or ["no message"])[-1])
        self._check(NEW)
        return self._rows / seconds

    @property
    def _command(self) -> Sequence[str]:
        return [command_of("cronops"), "suppliers", "import-stock", "--supplier=1"]

    @property
    def _env(self) -> dict[str, str]:
        return self._database.env | {"CRONOPS_SUPPLIERS__ROOT": str(self._root)}

    @contextmanager
    def _prepared(self, case: str) -> Iterator[None]:
        """The table as it is before that case, and the file where it arrives."""
        self._database.execute("TRUNCATE supplier_stock, import_file, supplier_match_review")
        if case != NEW:
            self._database.execute(PUT_BASE)
        self._database.settle("supplier_stock")
        home = self._root / "1"
        shutil.rmtree(home, ignore_errors=True)
        arriving = home / "incoming" / "stock.csv"
        arriving.parent.mkdir(parents=True)
        os.link(self._files[case], arriving)
        yield

    def _check(self, case: str) -> None:
        with self._database.connect() as connection:
            row = connection.execute(
                "SELECT count(*), count(article_id), sum(qty) FROM supplier_stock"
            ).fetchone()
        matched = min(self._rows, ARTICLES)
        pieces = sum(_pieces(n, _shift(case, n)) for n in range(1, self._rows + 1))
        if row != (self._rows, matched, pieces):
            raise Unmeasurable(f"the table holds {row}, not {(self._rows, matched, pieces)}")

    def _make_shop(self) -> None:
        from cronops.db.shop import create_shop

        with self._database.connect() as connection:
            create_shop(connection, "shop")
            connection.execute("SET search_path = cronops, shop, public")
            connection.execute(ARTICLE, ([ean_of(n) for n in range(1, ARTICLES + 1)],))
            connection.execute(SETTING, (json.dumps(COLUMNS),))
            connection.execute("VACUUM (ANALYZE) article")

    def _make_files(self) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        for case, path in self._files.items():
            with path.open("w") as file:
                file.writelines(
                    _lines(
                        self._rows,
                        lambda n, case=case: _shift(case, n),
                        shuffled=case == SHUFFLED,
                    )
                )

    def _keep_base(self) -> None:
        self.ours(NEW)
        self._database.execute(KEEP_BASE)


def _shift(case: str, number: int) -> int:
    if case == NEW:
        return 0
    return 1 if case in (CHANGED, SHUFFLED) or number % 100 == 0 else 0


def _pieces(number: int, shift: int) -> int:
    return number % 50 + shift


def _lines(rows: int, shift: Callable[[int], int], *, shuffled: bool = False) -> Iterator[str]:
    yield HEADER
    for place in range(rows):
        # A step that shares no factor with the number of rows comes to each of them once.
        n = (place * _STEP % rows if shuffled else place) + 1
        pieces = _pieces(n, shift(n))
        price = f"{n % 400 + 1}.{n % 100:02d}"
        yield f"S{n:07d};{ean_of(n)};MPN-{n * 13:08d};{pieces};{price};{n % 9}\n"
