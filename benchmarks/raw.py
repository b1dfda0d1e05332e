"""The raw loops: what psycopg alone does on a table of the queue's shape, at the same durability.

Each runs as ``python -m benchmarks.raw LOOP URL BATCH``, in the peers' protocol.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence

import psycopg

CREATE = (
    "DROP TABLE IF EXISTS raw_message, raw_effect",
    "CREATE TABLE raw_message (LIKE queue_message INCLUDING DEFAULTS INCLUDING CONSTRAINTS "
    "INCLUDING IDENTITY INCLUDING GENERATED)",
    "ALTER TABLE raw_message ADD PRIMARY KEY (id)",
    # What a claim needs, and what finding stale messages needs; no more.
    "CREATE INDEX ON raw_message (queue, rank, id) WHERE status = 'NEW'",
    "CREATE INDEX ON raw_message (queue, claimed_at) WHERE status IN ('IN_QUEUE', 'PROCESSING')",
    "CREATE TABLE raw_effect (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
    "message bigint NOT NULL, note text NOT NULL)",
)
FILL = """
    INSERT INTO raw_message (handler, payload)
    SELECT 'bench.noop', jsonb_build_object('n', n) FROM generate_series(1, {count}) AS n
"""
NEXT = """
    SELECT id FROM raw_message
    WHERE queue = 'general' AND status = 'NEW' AND available_at <= now()
    ORDER BY rank, id LIMIT %(batch)s FOR UPDATE SKIP LOCKED
"""
CLAIM = f"""
    UPDATE raw_message SET status = %(status)s, claimed_at = clock_timestamp()
    WHERE id = ANY(ARRAY({NEXT})) RETURNING id, handler, payload
"""
COMPLETE = """
    UPDATE raw_message SET status = 'PROCESSED', finished_at = clock_timestamp()
    WHERE id = ANY(%(done)s)
"""
FUSED = f"WITH done AS ({COMPLETE}) {CLAIM}"
STEP = """
    WITH done AS (
        UPDATE raw_message SET status = 'PROCESSED', finished_at = clock_timestamp()
        WHERE id = %(done)s
    )
    UPDATE raw_message SET status = 'PROCESSING', started_at = clock_timestamp()
    WHERE id = %(next)s
"""
EFFECT = "INSERT INTO raw_effect (message, note) VALUES (%(message)s, %(note)s)"

Row = tuple[int, str, object]


def noop(message: Row) -> None:
    """What the handler does."""


def onetx(connection: psycopg.Connection, batch: int, tick: Callable[[], None]) -> None:  # noqa: ARG001
    """One message a transaction: its row locked, handled, marked, committed."""
    one = CLAIM.replace("%(batch)s", "1").replace("%(status)s", "'PROCESSING'")
    with connection.cursor(binary=True) as cursor:
        while True:
            with connection.transaction():
                row = cursor.execute(one, prepare=True).fetchone()
                if row is None:
                    return
                tick()
                noop(row)
                cursor.execute(COMPLETE, {"done": [row[0]]}, prepare=True)


def states(connection: psycopg.Connection, batch: int, tick: Callable[[], None]) -> None:
    """Claim a batch; then a commit for each status change, previous and next fused."""
    with connection.cursor(binary=True) as cursor:
        done = None
        while rows := _claim(cursor, batch):
            for row in rows:
                cursor.execute(STEP, {"done": done, "next": row[0]}, prepare=True)
                tick()
                noop(row)
                done = row[0]
        cursor.execute(STEP, {"done": done, "next": None}, prepare=True)


def fused(connection: psycopg.Connection, batch: int, tick: Callable[[], None]) -> None:
    """Completing batch k and claiming k+1 in one statement."""
    with connection.cursor(binary=True) as cursor:
        rows = _claim(cursor, batch, "PROCESSING")
        while rows:
            for row in rows:
                tick()
                noop(row)
            rows = _fused(cursor, batch, rows)


def writing(connection: psycopg.Connection, batch: int, tick: Callable[[], None]) -> None:
    """As `fused`, each handler writing a row, all in the batch's transaction."""
    with connection.cursor(binary=True) as cursor:
        rows = _claim(cursor, batch, "PROCESSING")
        while rows:
            with connection.transaction():
                for row in rows:
                    tick()
                    cursor.execute(EFFECT, {"message": row[0], "note": "done"}, prepare=True)
                rows = _fused(cursor, batch, rows)


def writing_sqlalchemy(
    connection: psycopg.Connection, batch: int, tick: Callable[[], None]
) -> None:
    """The same through a bare SQLAlchemy connection, no savepoints."""
    import sqlalchemy

    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=lambda: connection, poolclass=sqlalchemy.StaticPool
    )
    effect = sqlalchemy.text("INSERT INTO raw_effect (message, note) VALUES (:message, :note)")
    connection.autocommit = False
    with engine.connect() as bare:
        driver = bare.connection.cursor()
        rows = _claim(driver, batch, "PROCESSING")
        bare.commit()
        while rows:
            for row in rows:
                tick()
                bare.execute(effect, {"message": row[0], "note": "done"})
            rows = _fused(driver, batch, rows)
            bare.commit()


LOOPS = {loop.__name__: loop for loop in (onetx, states, fused, writing, writing_sqlalchemy)}


def _claim(cursor, batch: int, status: str = "IN_QUEUE") -> Sequence[Row]:
    return cursor.execute(CLAIM, {"batch": batch, "status": status}, prepare=True).fetchall()


def _fused(cursor, batch: int, rows: Sequence[Row]) -> Sequence[Row]:
    done = [row[0] for row in rows]
    parameters = {"batch": batch, "status": "PROCESSING", "done": done}
    return cursor.execute(FUSED, parameters, prepare=True).fetchall()


def main() -> None:
    loop, url, batch = LOOPS[sys.argv[1]], sys.argv[2], int(sys.argv[3])
    first = 0.0
    handled = 0

    def tick() -> None:
        nonlocal first, handled
        handled += 1
        first = first or time.time()

    options = "-c search_path=cronops,public"
    with psycopg.connect(url, autocommit=True, options=options) as connection:
        if "at once" not in sys.argv:
            print("ready", flush=True)
            sys.stdin.readline()
        loop(connection, batch, tick)
    print(json.dumps({"first": first, "last": time.time(), "handled": handled}), flush=True)


if __name__ == "__main__":
    main()
