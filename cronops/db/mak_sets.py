"""The sets of files that MAK was sent, for people."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

_LIST = """
SELECT id, left(sha256, 16) AS set, destination, state, files, problem, run_id, generated_at, at
FROM mak_set ORDER BY id DESC LIMIT %(limit)s
"""


def list_sets(connection: "psycopg.Connection[Any]", *, limit: int = 20) -> list[dict[str, Any]]:
    """The sets, the latest first."""
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_LIST, {"limit": limit}).fetchall()
