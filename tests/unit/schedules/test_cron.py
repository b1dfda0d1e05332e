"""The cluster's cron dialect: what is read, what is refused, and when it runs."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from itertools import islice, pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cronops.schedules.cron import Cron, CronSyntaxError, parse_cron

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
VECTORS = [
    tuple(line.split(" | "))
    for line in Path(__file__).with_name("cron_vectors.txt").read_text().splitlines()
    if line and not line.startswith("#")
]


def _field(low: int, high: int) -> st.SearchStrategy[str]:
    value = st.integers(low, high)
    ordered = st.tuples(value, value).map(sorted)
    item = st.one_of(
        value.map(str),
        ordered.map(lambda pair: f"{pair[0]}-{pair[1]}"),
        st.tuples(ordered, st.integers(1, 5)).map(lambda it: f"{it[0][0]}-{it[0][1]}/{it[1]}"),
        st.integers(1, (high - low) // 2).map(lambda step: f"*/{step}"),
        st.tuples(value, st.integers(1, 5)).map(lambda it: f"{it[0]}/{it[1]}"),
    )
    return st.one_of(st.sampled_from("*?"), st.lists(item, min_size=1, max_size=3).map(",".join))


def _taken(text: str) -> bool:
    try:
        return not parse_cron(text).never
    except CronSyntaxError:
        return False


FIELDS = st.tuples(_field(0, 59), _field(0, 23), _field(1, 31), _field(1, 12), _field(0, 6))
CRONS = FIELDS.map(" ".join).filter(_taken).map(parse_cron)
SPARSE = st.tuples(
    st.integers(0, 59).map(str), _field(0, 23), _field(1, 31), _field(1, 12), _field(0, 6)
)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))


@pytest.mark.parametrize(("zone", "expression", "after", "runs"), VECTORS)
def test_it_runs_when_the_cluster_does(zone: str, expression: str, after: str, runs: str) -> None:
    moment = datetime.fromisoformat(after).replace(tzinfo=ZoneInfo(zone))
    expected = runs.split(", ")

    found = []
    for _ in expected:
        run = parse_cron(expression).next(moment)
        found.append(run.isoformat(" ", "minutes") if run else "never")
        moment = run or moment

    assert found == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0 0 1 JAN,dec MON", "0 0 1 1,12 1"),
        ("\t0  0\u00a01 * *\n", "0 0 1 * *"),
        ("5/15 * * * *", "5-59/15 * * * *"),
        ("+5 007 * * *", "5 7 * * *"),
        ("? ? ? ? ?", "* * * * *"),
        ("*/1 */1 ?/1 */1 */1", "* * * * *"),
        ("@midnight", "@daily"),
        ("@annually", "0 0 1 1 *"),
    ],
)
def test_two_ways_to_write_the_same(one: str, other: str) -> None:
    assert _bits(parse_cron(one)) == _bits(parse_cron(other))


@pytest.mark.parametrize(
    ("expression", "either"),
    [
        ("0 0 1 * 1", True),
        ("0 0 */2 * 1", True),
        ("0 0 1-31 * 1", True),
        ("0 0 */1 * 1", False),
        ("0 0 1,* * 1", False),
        ("0 0 1 * ?", False),
    ],
)
def test_a_star_without_a_step_leaves_the_day_to_the_other_field(
    expression: str, either: bool
) -> None:
    assert parse_cron(expression).either_day is either


@pytest.mark.parametrize(
    ("expression", "shortest", "longest"),
    [
        ("* * * * *", MINUTE, MINUTE),
        ("*/7 * * * *", 4 * MINUTE, 7 * MINUTE),
        ("0 9-17 * * 1-5", timedelta(hours=1), timedelta(days=2, hours=16)),
        ("0 3 * * 1-5", DAY, 3 * DAY),
        ("0 23,0 * * *", timedelta(hours=1), timedelta(hours=23)),
        ("0 3 1 * *", 28 * DAY, 31 * DAY),
        ("0 3 31 * *", 31 * DAY, 61 * DAY),
        ("0 3 1 1 *", 365 * DAY, 366 * DAY),
        ("0 3 29 2 *", 1461 * DAY, 2921 * DAY),
        ("0 3 28,29 2 *", DAY, 365 * DAY),
        ("0 3 * 2 MON", 7 * DAY, 350 * DAY),
        ("0 3 13 * FRI", DAY, 7 * DAY),
        ("0 0 31 2 *", timedelta.max, timedelta.max),
    ],
)
def test_how_far_runs_lie_apart(expression: str, shortest: timedelta, longest: timedelta) -> None:
    cron = parse_cron(expression)

    assert (cron.shortest_gap(), cron.longest_gap()) == (shortest, longest)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("* * * * *", "every minute"),
        ("*/15 * * * *", "every 15 minutes"),
        ("0 * * * *", "every hour"),
        ("5 * * * *", "minute 5 of every hour"),
        ("0 */2 * * *", "every 2 hours"),
        ("*/20 */6 * * *", "every 20 minutes of hours 0, 6, 12 and 18"),
        ("0 1-23/2 * * *", "minute 0 of hours 1 to 23 in steps of 2"),
        ("30 2 * * *", "at 02:30 every day"),
        ("30 2 * * 1", "at 02:30 on Monday"),
        ("30 2,14 * * MON-FRI", "at 02:30 and 14:30 on Monday to Friday"),
        ("*/5 8-17 * * 0,6", "every 5 minutes of hours 8 to 17 on Sunday and Saturday"),
        ("0 0 1,15 * *", "at 00:00 on days 1 and 15 of the month"),
        ("0 0 1 1,7 *", "at 00:00 on day 1 of the month in January and July"),
        ("0 0 13 * 5", "at 00:00 on day 13 of the month and also on every Friday"),
        ("0 0 1 * 0-6", "at 00:00 every day"),
        ("* * * 1 *", "every minute in January"),
        ("0 0 31 2 *", "at 00:00 on day 31 of the month in February, which never comes"),
    ],
)
def test_it_reads_as_english(expression: str, words: str) -> None:
    assert parse_cron(expression).describe() == words


def test_the_same_words_mean_the_same_times() -> None:
    chance = random.Random(20260329)
    parts = [
        ("*", "0", "5", "0-59/2", "1-59/2", "0,30", "*/15", "*/7", "0-29"),
        ("*", "0", "3", "*/2", "1-23/2", "*/6", "8-17", "0,12", "23"),
        ("*", "1", "1-31", "*/2", "1,15", "2-31/2"),
        ("*", "1", "2", "6-8", "*/3"),
        ("*", "0", "1-5", "0-6", "*/2", "6"),
    ]
    read: dict[str, set[tuple[object, ...]]] = {}
    for _ in range(4_000):
        cron = parse_cron(" ".join(chance.choice(part) for part in parts))
        read.setdefault(cron.describe(), set()).add(_meaning(cron))

    assert len(read) > 1_000
    assert [words for words, meanings in read.items() if len(meanings) > 1] == []


def test_a_date_that_never_comes_and_one_that_is_rare() -> None:
    assert parse_cron("0 0 30 2 *").never
    assert not parse_cron("0 0 29 2 *").never
    assert not parse_cron("0 0 31 2 1").never
    assert list(parse_cron("0 0 30 2 *").upcoming(datetime(2026, 1, 1, tzinfo=UTC))) == []


def test_what_runs_at_most_daily() -> None:
    assert parse_cron("30 2 * * *").at_most_daily
    assert parse_cron("@yearly").at_most_daily
    assert not parse_cron("30 2,3 * * *").at_most_daily
    assert not parse_cron("@hourly").at_most_daily


def test_where_a_whole_day_was_skipped_the_walk_goes_on() -> None:
    before = datetime(2011, 12, 29, 9, tzinfo=ZoneInfo("Pacific/Apia"))

    assert parse_cron("0 8 30 12 *").next(before) == before.replace(year=2012, day=30, hour=8)


def test_a_fixed_offset_is_a_zone_too() -> None:
    zone = timezone(timedelta(hours=5, minutes=30))

    run = parse_cron("14 14 * * *").next(datetime(2026, 1, 3, 13, 9, 3, tzinfo=zone))

    assert run == datetime(2026, 1, 3, 14, 14, tzinfo=zone)
    assert run is not None
    assert run.tzinfo is zone


@pytest.mark.parametrize("moment", [datetime(2026, 1, 1), datetime.min, datetime.max])
def test_a_moment_that_cannot_be_told_from_is_an_error_in_words(moment: datetime) -> None:
    with pytest.raises(ValueError, match="time zone"):
        parse_cron("* * * * *").next(moment)
    if moment.year != 2026:
        with pytest.raises(ValueError, match="1900 to 9900"):
            parse_cron("* * * * *").next(moment.replace(tzinfo=ZoneInfo("Europe/Berlin")))


@given(CRONS, MOMENTS)
def test_the_next_run_is_the_first_minute_that_matches(cron: Cron, moment: datetime) -> None:
    run = cron.next(moment)

    assert run is not None
    assert moment < run
    assert _matches(cron, run)
    minute = moment.replace(second=0, microsecond=0) + MINUTE
    for _ in range(1_500):
        if minute >= run:
            break
        assert not _matches(cron, minute)
        minute += MINUTE


@given(CRONS, MOMENTS, st.sampled_from(["UTC", "Europe/Berlin", "Africa/Cairo", "America/Havana"]))
def test_runs_only_go_forward(cron: Cron, moment: datetime, zone: str) -> None:
    runs = list(islice(cron.upcoming(moment.astimezone(ZoneInfo(zone))), 20))

    assert all(one.timestamp() < next_.timestamp() for one, next_ in pairwise(runs))


@settings(max_examples=25)
@given(SPARSE.map(" ".join).filter(_taken).map(parse_cron))
def test_gaps_are_those_that_runs_have(cron: Cron) -> None:
    # A tour of every way in which years follow each other takes 28 years.
    begin, end = datetime(2001, 1, 1), datetime(2030, 1, 1)
    days = [day for n in range((end - begin).days) if cron.names((day := begin + n * DAY).date())]
    clock = [timedelta(hours=hour, minutes=minute) for hour, minute in cron.of_day()]
    gaps = {later - sooner for sooner, later in pairwise(clock)}
    gaps |= {later - sooner + clock[0] - clock[-1] for sooner, later in pairwise(days)}

    assert cron.shortest_gap() == min(gaps)
    if len(days) > 8:
        assert cron.longest_gap() == max(gaps)


def _bits(cron: Cron) -> tuple[object, ...]:
    return cron.minutes, cron.hours, cron.days, cron.months, cron.weekdays, cron.either_day


def _meaning(cron: Cron) -> tuple[object, ...]:
    return cron.minutes, cron.hours, _days(replace(cron, minutes=1, hours=1, expression=""))


@lru_cache
def _days(cron: Cron) -> tuple[bool, ...]:
    start = datetime(2026, 1, 1).date()
    return tuple(cron.names(start + n * DAY) for n in range(366))


def _matches(cron: Cron, moment: datetime) -> bool:
    on_time = cron.hours >> moment.hour & cron.minutes >> moment.minute & 1
    return bool(on_time) and not moment.second and cron.names(moment.date())
