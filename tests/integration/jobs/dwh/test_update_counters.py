"""``cronops dwh update-counters``: what is counted, and that nothing is lost."""

from typing import Any

import psycopg
import pytest

from cronops.jobs.dwh import watermark
from tests.integration.jobs.dwh.conftest import HIT, JOB, Hits, hit
from tests.stepping import run_to_step

DAY = "2026-11-20"


def test_what_is_counted(hits: Hits) -> None:
    hits.add(f"{DAY} 10:00Z", article="A1", session="s1")
    hits.add(f"{DAY} 11:00Z", article="A1", session="s1")
    hits.add(f"{DAY} 12:00Z", article="A1", session="s2")
    hits.add(f"{DAY} 12:00Z", article="A2", session="s2")
    hits.add(f"{DAY} 12:00Z", session="s3")
    hits.add(f"{DAY} 12:00Z", article="A1", session="bot", is_bot=True)
    hits.add(f"{DAY} 12:00Z", tenant="sud")

    hits.count()

    nord = {
        ("views", ""): 5,
        ("visitors", ""): 3,
        ("bot_views", ""): 1,
        ("article_views", "A1"): 3,
        ("article_views", "A2"): 1,
        ("article_visitors", "A1"): 2,
        ("article_visitors", "A2"): 1,
    }
    sud = {("views", ""): 1, ("visitors", ""): 1}
    assert hits.counters() == {
        (DAY, tenant, *key): value
        for tenant, of in (("nord", nord), ("sud", sud))
        for key, value in of.items()
    }
    listed = hits.json("dwh", "counters", "--metric", "article_views", "--limit", "1")
    assert listed[0] | {"updated_at": ""} == {
        "period": DAY,
        "tenant": "nord",
        "metric": "article_views",
        "subject": "A1",
        "value": 3,
        "updated_at": "",
    }
    assert hits.json("dwh", "status")["last_day"] == DAY
    again = hits.count()
    assert "0 written" in again.stdout


def test_a_day_ends_at_midnight_in_its_zone(hits: Hits) -> None:
    for ts in (
        "2026-11-20 22:59:59.999999Z",
        "2026-11-20 23:00Z",
        # The day that has 23 hours, and the one that has 25.
        "2026-03-28 22:59:59Z",
        "2026-03-28 23:00Z",
        "2026-03-29 21:59:59Z",
        "2026-03-29 22:00Z",
        "2026-10-24 22:00Z",
        "2026-10-25 22:59:59Z",
        "2026-10-25 23:00Z",
    ):
        hits.add(ts)
    hits.count()
    assert hits.views() == {
        "2026-11-20": 1,
        "2026-11-21": 1,
        "2026-03-28": 1,
        "2026-03-29": 2,
        "2026-03-30": 1,
        "2026-10-25": 2,
        "2026-10-26": 1,
    }


def test_where_midnight_comes_twice(hits: Hits) -> None:
    """In the Azores the clock goes from one in the morning back to midnight."""
    hits.env["CRONOPS_DWH__ZONE"] = "Atlantic/Azores"
    hits.add("2026-10-24 12:00Z")
    hits.add("2026-10-25 00:30Z")
    hits.add("2026-10-25 01:30Z")
    hits.count()
    expected = {"2026-10-24": 1, "2026-10-25": 2}
    assert hits.views() == expected
    for day in ("2026-10-24", "2026-10-25"):
        hits.add(f"{day} 13:00Z")
        hits.count()
        expected[day] += 1
        assert hits.views() == expected


def test_odd_hits(hits: Hits) -> None:
    hits.add("2031-01-01 12:00Z")
    hits.add("infinity")
    hits.add("-infinity")
    hits.add("0001-01-01 BC")
    hits.add(f"{DAY} 12:00Z", article="")
    hits.database.query(
        "ALTER TABLE pagehit ALTER session_hash DROP NOT NULL, ALTER is_bot DROP NOT NULL"
    )
    hits.add(f"{DAY} 12:00Z", session=None, is_bot=None, article="A1")
    hits.count()
    assert hits.views() == {"2031-01-01": 1, DAY: 2}
    assert hits.counters("visitors") == {("2031-01-01",): 1, (DAY,): 1}
    assert hits.counters("article_views") == {(DAY,): 1}
    assert hits.counters("article_visitors") == {}


def test_late_hits_and_bots_found_late_change_only_their_day(hits: Hits) -> None:
    for day in ("2026-11-18", "2026-11-19", DAY):
        hits.add(f"{day} 12:00Z")
    hits.count()
    before = hits.database.query(
        "SELECT period, updated_at FROM counter WHERE period <> '2026-11-18'"
    )
    hits.add("2026-11-18 13:00Z")
    hits.count()
    assert hits.views() == {"2026-11-18": 2, "2026-11-19": 1, DAY: 1}
    after = hits.database.query(
        "SELECT period, updated_at FROM counter WHERE period <> '2026-11-18'"
    )
    assert after == before
    hits.database.query("UPDATE pagehit SET is_bot = true WHERE ts = '2026-11-19 12:00Z'")
    hits.count()
    assert hits.views() == {"2026-11-18": 2, DAY: 1}
    assert hits.counters("bot_views") == {("2026-11-19",): 1}


@pytest.mark.parametrize("order", [(2, 1, 0), (1, 2, 0)])
def test_no_hit_is_lost_to_transactions_that_commit_in_another_order(
    hits: Hits, order: tuple[int, ...]
) -> None:
    """Ids are given out in one order, and committed in another, a run after each."""
    settings = hits.database.settings()
    opened = [psycopg.connect(hits.database.url) for _ in range(3)]
    try:
        for number, connection in enumerate(opened):
            connection.execute(f"SET search_path = {settings.db.shop_schema}")
            connection.execute(HIT, hit(f"2026-11-{10 + number} 12:00Z"))
        hits.add(f"{DAY} 12:00Z")
        hits.count()
        expected = {DAY: 1}
        assert hits.views() == expected
        for number in order:
            opened[number].commit()
            expected[f"2026-11-{10 + number}"] = 1
            hits.count()
            assert hits.views() == expected
    finally:
        for connection in opened:
            connection.close()


def test_a_transaction_that_takes_its_id_long_before_it_writes(hits: Hits) -> None:
    """A cached sequence hands out low ids for hours, and who has one may write late."""
    schema = hits.database.settings().db.shop_schema
    with psycopg.connect(hits.database.url) as late:
        late.execute(f"SET search_path = {schema}")
        late.execute("SELECT nextval(pg_get_serial_sequence('pagehit', 'id'))")
        hits.add(f"{DAY} 12:00Z")
        hits.count()
        late.execute("SAVEPOINT inner_one")
        late.execute(
            "INSERT INTO pagehit (id, ts, tenant, path, session_hash) OVERRIDING SYSTEM VALUE"
            " VALUES (0, '2026-11-10 12:00Z', 'nord', '/', 's')"
        )
        late.execute("RELEASE inner_one")
        hits.add(f"{DAY} 13:00Z")
        hits.count()
        assert hits.views() == {DAY: 2}
        late.commit()
    hits.count()
    assert hits.views() == {DAY: 2, "2026-11-10": 1}


def test_hits_the_shop_has_deleted_stay_counted(hits: Hits) -> None:
    for hour in (10, 11, 12):
        hits.add(f"{DAY} {hour}:00Z")
    hits.add("2026-11-19 12:00Z")
    hits.count()
    hits.database.query("DELETE FROM pagehit WHERE ts < '2026-11-20 12:00Z'")
    hits.add(f"{DAY} 13:00Z")
    done = hits.count()
    assert "2026-11-20" in done.stdout + done.stderr
    assert "1 held_back" in done.stdout or "1 held back" in done.stdout
    assert hits.views() == {"2026-11-19": 1, DAY: 3}

    refused = hits.count("--rebuild", "--from", "2026-11-18", "--to", DAY, code=1)
    assert "--accept-loss" in refused.stderr + refused.stdout
    assert hits.views() == {"2026-11-19": 1, DAY: 3}
    hits.count("--rebuild", "--from", "2026-11-18", "--to", DAY, "--accept-loss")
    assert hits.views() == {DAY: 2}


def test_a_rebuild_mends_what_is_wrong_in_its_range_and_no_more(hits: Hits) -> None:
    for day in ("2026-10-01", "2026-11-18", "2026-11-19", DAY):
        hits.add(f"{day} 12:00Z")
    hits.count()
    hits.database.query("UPDATE counter SET value = 1 + value WHERE period <> '2026-11-18'")
    hits.database.query("INSERT INTO counter VALUES ('2026-11-18', 'x', 'visitors', '', 7)")
    hits.database.query("UPDATE counter SET value = 1 WHERE metric = 'views'")
    hits.count("--rebuild", "--from", "2026-11-18", "--to", "2026-11-19")
    assert hits.counters("visitors") == {
        ("2026-10-01",): 2,
        ("2026-11-18",): 1,
        ("2026-11-19",): 1,
        (DAY,): 2,
    }
    assert ("2026-11-18", "x", "visitors", "") not in hits.counters()


def test_a_hit_later_than_the_settings_allow_is_counted_by_a_rebuild(hits: Hits) -> None:
    hits.add(f"{DAY} 12:00Z")
    hits.count()
    hits.add("2025-01-01 12:00Z")
    hits.count()
    assert hits.views() == {DAY: 1}
    hits.count("--rebuild", "--from", "2025-01-01", "--to", "2025-01-31")
    assert hits.views() == {DAY: 1, "2025-01-01": 1}


def test_a_hit_that_came_in_time_is_counted_however_long_no_run_did(hits: Hits) -> None:
    hits.add(f"{DAY} 12:00Z")
    hits.count()
    hits.database.query("UPDATE counter_watermark SET read_at = read_at - interval '60 days'")
    hits.database.query(
        "INSERT INTO pagehit (ts, tenant, path, session_hash)"
        " VALUES (clock_timestamp() - interval '50 days', 'nord', '/', 's')"
    )
    hits.count()
    assert sorted(hits.views().values()) == [1, 1]


def test_another_zone_wants_all_days_anew(hits: Hits) -> None:
    hits.add("2026-11-19 23:30Z")
    hits.count()
    assert hits.views() == {"2026-11-20": 1}
    hits.env["CRONOPS_DWH__ZONE"] = "UTC"
    assert "Europe/Brussels" in hits.count(code=78).stderr
    partly = hits.count("--rebuild", "--from", "2026-11-20", "--to", "2026-11-19", code=2)
    assert "is before" in partly.stderr
    for narrow in (("2026-11-20", "2026-11-21"), ("2026-11-19", "2026-11-20")):
        refused = hits.count("--rebuild", "--from", narrow[0], "--to", narrow[1], code=78)
        assert "--from 2026-11-19 --to 2026-11-21" in refused.stderr
    hits.count("--rebuild", "--from", "2026-11-01", "--to", "2026-11-30", "--accept-loss")
    assert hits.views() == {"2026-11-19": 1}
    hits.count()


def test_hits_that_another_zone_moves_beyond_the_days_counted(hits: Hits) -> None:
    hits.add("2026-11-19 23:30Z")
    hits.add("2026-11-20 12:00Z")
    hits.add("2026-11-21 22:30Z")
    hits.count()
    assert hits.views() == {"2026-11-20": 2, "2026-11-21": 1}
    hits.env["CRONOPS_DWH__ZONE"] = "Asia/Tokyo"
    hits.count("--rebuild", "--from", "2026-11-19", "--accept-loss")
    assert hits.views() == {"2026-11-20": 2, "2026-11-22": 1}
    hits.env["CRONOPS_DWH__ZONE"] = "UTC"
    hits.count("--rebuild", "--from", "2026-11-19", "--accept-loss")
    assert hits.views() == {"2026-11-19": 1, "2026-11-20": 1, "2026-11-21": 1}


def test_half_moved_to_another_zone_no_run_goes_on_until_all_is_counted_anew(hits: Hits) -> None:
    """Days with fewer hits there are held back: the others are of the new zone by then."""
    for ts in ("2026-11-19 23:30Z", "2026-11-20 23:30Z", "2026-11-20 23:30Z"):
        hits.add(ts)
    hits.count()
    before = hits.views()
    every_day = ("--rebuild", "--from", "2026-11-01", "--to", "2026-11-30")
    hits.env["CRONOPS_DWH__ZONE"] = "UTC"
    hits.count(*every_day, code=1)
    assert "in part in UTC" in hits.count(code=78).stderr
    del hits.env["CRONOPS_DWH__ZONE"]
    assert "in part in UTC" in hits.count(code=78).stderr
    hits.count(*every_day, "--accept-loss")
    assert hits.views() == before
    hits.count()


def test_a_dry_run_says_which_days(hits: Hits) -> None:
    hits.add(f"{DAY} 12:00Z")
    done = hits.count("--dry-run")
    assert "1 days" in done.stdout
    assert hits.counters() == {}
    assert hits.json("dwh", "status") == {}


@pytest.mark.parametrize("facts", [{"system_id": "another"}, {"xid": 2**40}])
def test_on_another_server_all_is_counted_anew(hits: Hits, facts: dict[str, Any]) -> None:
    hits.add(f"{DAY} 12:00Z")
    hits.count()
    hits.database.query("TRUNCATE counter")
    for column, value in facts.items():
        hits.database.query(f"UPDATE counter_watermark SET {column} = %s", (value,))
    hits.count()
    assert hits.views() == {DAY: 1}


def test_a_view_and_a_shop_without_hits_are_refused(hits: Hits) -> None:
    schema = hits.database.settings().db.shop_schema
    hits.database.query(f"ALTER TABLE {schema}.pagehit RENAME TO hit")
    assert "docs/shop.md" in hits.count(code=78).stderr
    hits.database.query(f"CREATE VIEW {schema}.pagehit AS SELECT * FROM {schema}.hit")
    assert "no table" in hits.count(code=78).stderr


def test_a_partitioned_table_is_a_table(hits: Hits) -> None:
    schema = hits.database.settings().db.shop_schema
    hits.database.query(f"DROP TABLE {schema}.pagehit")
    hits.database.query(
        f"CREATE TABLE {schema}.pagehit (id bigint, ts timestamptz, tenant text, article text,"
        " path text, session_hash text, is_bot boolean) PARTITION BY RANGE (ts)"
    )
    hits.database.query(
        f"CREATE TABLE {schema}.pagehit_2026 PARTITION OF {schema}.pagehit"
        " FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')"
    )
    for _ in range(2):
        hits.add(f"{DAY} 12:00Z")
        hits.count()
    assert hits.views() == {DAY: 2}


def test_transactions_are_told_apart_for_half_a_round_only() -> None:
    horizon = watermark.Horizon(2**33, "one", None)  # type: ignore[arg-type]
    for xid, system_id, holds in (
        (2**33, "one", True),
        (2**33 - 1000, "one", True),
        (2**33 - 2**31, "one", False),
        (2**33 + 1, "one", False),
        (2**33, "two", False),
    ):
        mark = watermark.Watermark(xid, system_id, "UTC", None)  # type: ignore[arg-type]
        assert mark.holds(horizon) is holds


# Three months: three groups of days.
STEPS = ["replaced", "replaced", "replaced", "watermark"]


def test_a_run_killed_at_any_step(hits: Hits, tmp_path) -> None:
    days = ("2026-08-01", "2026-08-02", "2026-09-15", "2026-11-20")
    for day in days:
        hits.add(f"{day} 12:00Z")
    for number in range(1, len(STEPS) + 1):
        hits.database.query("TRUNCATE counter, counter_watermark")
        assert run_to_step(hits.database, tmp_path, number, *JOB) == STEPS[:number]
        hits.add("2026-11-19 12:00Z")
        run_to_step(hits.database, tmp_path, 0, *JOB, "--wait", "10s")
        assert hits.views() == {**dict.fromkeys(days, 1), "2026-11-19": number}
