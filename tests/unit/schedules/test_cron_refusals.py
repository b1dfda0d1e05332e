"""What is refused of cron expressions: by the cluster, and by us alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronops.schedules.cron import CronSyntaxError, parse_cron


@pytest.mark.parametrize(
    ("expression", "instead", "column", "said"),
    [
        ("0 0 * * 7", "0 0 * * 0", 8, "counts Sunday as 7"),
        ("0 0 * * 5-7", "0 0 * * 5,6,0", 8, "counts Sunday as 7"),
        ("0 0 * * 0-7", "0 0 * * *", 8, "counts Sunday as 7"),
        ("0 0 * * 1-7/2", "0 0 * * 1,3,5,0", 8, "counts Sunday as 7"),
        ("0 0 * * 1,7/2", "0 0 * * 1,0/2", 10, "'7/2' counts Sunday as 7"),
        ("0 0 * * MON-SUN", "0 0 * * *", 8, "begins after it ends"),
        ("0 0 * * sat-sun", "0 0 * * 6,0", 8, "begins after it ends"),
        ("0 0 * * FRI-MON,7", "0 0 * * 5,6,0,1,0", 8, "begins after it ends"),
        ("0 22-2 * * *", "0 22,23,0-2 * * *", 2, "hour: '22-2' begins after it ends"),
        ("0 0 1 nov-feb *", "0 0 1 11,12,1,2 *", 6, "month: 'nov-feb' begins after it ends"),
        ("0 0 * * 8", None, 8, "outside 0 to 6"),
        ("60 * * * *", None, 0, "minute: '60' is outside 0 to 59"),
        ("0 24 * * *", None, 2, "hour: '24' is outside 0 to 23"),
        ("0 0 0 * *", None, 4, "day of the month: '0' is outside 1 to 31"),
        ("0 0 * 13 *", None, 6, "month: '13' is outside 1 to 12"),
        ("0 0 L * *", None, 4, "the last such day"),
        ("0 0 LW * *", None, 4, "the last such day"),
        ("0 0 * * 5L", None, 8, "the last such day"),
        ("0 0 15W * *", None, 4, "the weekday nearest"),
        ("0 0 * * MON#2", None, 8, "the nth weekday"),
        ("H H * * *", None, 0, "made from a hash"),
        ("0 0 1 January *", "0 0 1 JAN *", 6, "three letters"),
        ("0 0 * * Monday-Friday", "0 0 * * MON-FRI", 8, "three letters"),
        ("0 0 MON * *", None, 4, "is no number from 1 to 31"),
        ("0 0 * * XYZ", None, 8, "no name from SUN to SAT"),
        ("*/0 * * * *", None, 0, "step of 0"),
        ("*/-5 * * * *", None, 0, "step that is a number"),
        ("1/2/3 * * * *", None, 0, "more than one '/'"),
        ("1-2-3 * * * *", None, 0, "more than one '-'"),
        ("5- * * * *", None, 0, "lacks a number"),
        ("\u0663 * * * *", None, 0, "is no number"),
        ("0 0 12 * * ?", "0 12 * * ?", 0, "none for seconds"),
        ("0 0 12 * * MON-SUN", "0 12 * * *", 0, "none for seconds"),
        ("*/10 0 12 * * *", None, 0, "a minute is the shortest step"),
        ("0 12 * *", None, 7, "has 4 fields, not five"),
        ("0 12 * * * * 2026", None, 11, "has 7 fields, not five"),
        ("0\x1c12 * * *", None, 9, "has 4 fields, not five"),
        ("", None, 0, "empty"),
        (" \n", None, 0, "empty"),
        ("@reboot", None, 0, "no CronJob"),
        ("@Daily", "@daily", 0, "must be written @daily"),
        (" @daily", "@daily", 0, "before the @"),
        ("@fortnightly", None, 0, "is none of @yearly"),
        ("@every soon", None, 0, "names no length of time"),
        ("TZ=Europe/Berlin 0 3 * * *", "0 3 * * *", 0, "timeZone: Europe/Berlin"),
        ("CRON_TZ=UTC @daily", "@daily", 0, "timeZone: UTC"),
        ("TZ=UTC", None, 0, "timeZone: UTC"),
    ],
)
def test_what_the_api_refuses(expression: str, instead: str | None, column: int, said: str) -> None:
    error = _refused(expression)

    assert said in error.message
    assert (error.instead, error.column, error.by_cluster) == (instead, column, True)


@pytest.mark.parametrize(
    ("expression", "instead", "column"),
    [
        ("*/61 * * * *", "0 * * * *", 0),
        ("0 */24 * * *", "0 0 * * *", 2),
        ("0 0 */31 * *", "0 0 1 * *", 4),
        ("0 0 1 */12 *", "0 0 1 1 *", 6),
        ("0 0 * * */7", "0 0 * * 0", 8),
        ("0,10-20/15 * * * *", "0,10 * * * *", 2),
        ("*-5 * * * *", "* * * * *", 0),
        ("*-5/10 * * * *", "*/10 * * * *", 0),
        ("1,,2 * * * *", "1,2 * * * *", 0),
        ("0 , * * *", None, 2),
        ("@every 1m", "* * * * *", 0),
        ("@every 5m0s", "*/5 * * * *", 0),
        ("@every 1h", "0 * * * *", 0),
        ("@every 360m", "0 */6 * * *", 0),
        ("@every 24h", "0 0 * * *", 0),
        ("@every 1.5h", None, 0),
        ("@every 30s", None, 0),
        ("@every -5m", None, 0),
    ],
)
def test_what_the_cluster_takes_and_does_not_do_as_it_reads(
    expression: str, instead: str | None, column: int
) -> None:
    error = _refused(expression)

    assert (error.instead, error.column, error.by_cluster) == (instead, column, False)


def test_what_the_api_refuses_is_told_before_what_only_we_do() -> None:
    error = _refused("*/61 0 * * 7")

    assert error.by_cluster
    assert error.instead == "0 0 * * 0"


@given(st.text() | st.text("0123456789*?/-, LW#@TZ=MONSUN", max_size=30))
def test_any_text_is_read_or_refused_with_a_reason(text: str) -> None:
    error = _error(text)
    if error is None:
        assert parse_cron(text).expression == text
    else:
        assert error.message
        assert 0 <= error.column <= len(text)
        assert error.instead is None or _error(error.instead) is None


def _error(text: str) -> CronSyntaxError | None:
    try:
        parse_cron(text)
    except CronSyntaxError as error:
        return error
    return None


def _refused(expression: str) -> CronSyntaxError:
    with pytest.raises(CronSyntaxError) as caught:
        parse_cron(expression)
    return caught.value
