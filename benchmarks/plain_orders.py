"""The pull as one would write it in an afternoon: the same order of work, nothing at once.

``python -m benchmarks.plain_orders URL PAGE_SIZE`` against ``CRONOPS_DATABASE_URL``.
"""

import hashlib
import json
import os
import sys

import httpx
import psycopg

FETCH = """
INSERT INTO platform_fetch (platform_id, source, state, content, sha256)
VALUES (%s, %s, 'raw', %s, %s) RETURNING id
"""
ORDER = """
INSERT INTO platform_order (platform_id, external_id, sha256, kind, payload, fetch_id, acknowledge)
VALUES (%s, %s, %s, 'order', %s, %s, true) ON CONFLICT DO NOTHING RETURNING id
"""
MESSAGE = """
INSERT INTO queue_message (handler, payload, dedupe_key) VALUES ('orders.process', %s, %s)
ON CONFLICT DO NOTHING
"""


def main() -> None:
    """Pull every page."""
    url, size = sys.argv[1:]
    with (
        psycopg.connect(
            os.environ["CRONOPS_DATABASE_URL"], options="-c search_path=cronops,public"
        ) as connection,
        httpx.Client(timeout=30) as http,
    ):
        row = connection.execute("SELECT id FROM platform").fetchone()
        assert row is not None
        cursor: str | None = None
        while True:
            params = {"since": "1970-01-01T00:00:00Z", "limit": size}
            answer = http.get(
                f"{url}/orders", params=params | ({"cursor": cursor} if cursor else {})
            )
            answer.raise_for_status()
            cursor = pull_page(connection, http, url, row[0], answer.content)
            if cursor is None:
                return


def pull_page(
    connection: psycopg.Connection, http: httpx.Client, url: str, platform: int, content: bytes
) -> str | None:
    """Store a page and acknowledge its orders; where the next one begins."""
    digest = hashlib.sha256(content).hexdigest()
    kept = connection.execute(FETCH, (platform, url, content, digest)).fetchone()
    connection.commit()
    assert kept is not None
    page = json.loads(content)
    for order in page["orders"]:
        text = json.dumps(order, sort_keys=True)
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        new = connection.execute(ORDER, (platform, order["id"], sha256, text, kept[0])).fetchone()
        if new is not None:
            message = json.dumps({"order": new[0]})
            connection.execute(MESSAGE, (message, f"bench/{order['id']}/{sha256}"))
    since = json.dumps({"since": max(order["updated_at"] for order in page["orders"])})
    connection.execute("UPDATE platform SET cursor = %s", (since,))
    connection.execute("UPDATE platform_fetch SET state = 'taken' WHERE id = %s", (kept[0],))
    connection.commit()
    for order in page["orders"]:
        http.post(f"{url}/orders/{order['id']}/ack").raise_for_status()
        connection.execute(
            "UPDATE platform_order SET acknowledged_at = now() WHERE external_id = %s",
            (order["id"],),
        )
        connection.commit()
    following: str | None = page["next_cursor"]
    return following


if __name__ == "__main__":
    main()
