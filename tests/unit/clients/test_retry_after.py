"""What a server may say of when to come again."""

from datetime import UTC, datetime

import pytest

from cronops.clients.http.status import retry_after

NOW = datetime(2026, 3, 29, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("5", 5),
        ("Sun, 29 Mar 2026 01:00:30 GMT", 30),
        ("Sun, 29 Mar 2026 00:00:00 GMT", 0),
        ("-5", None),
        ("inf", None),
        ("", None),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None),
        ("Mon, 01 Jan 2026 00:00:00 +99999999999", None),
    ],
)
def test_a_number_a_date_or_neither(value, seconds):
    assert retry_after(value, NOW) == seconds
