"""A crontab turned into schedules: what becomes of each line, and when it runs."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cronops.jobs import JOBS
from cronops.schedules.crontab.legacy import SCRIPTS, call_of, call_of_url, find_script
from cronops.schedules.crontab.lines import read_crontab
from cronops.schedules.crontab.propose import named_apart, propose
from cronops.schedules.crontab.times import timing
from cronops.schedules.crontab.written import written

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
ROOT = "/var/www/_shopupdating/cronjobs/atx"


def proposed(text: str, kind=None):
    return named_apart(propose("old", read_crontab(text, kind), zone=BERLIN, now=NOW))


def only(text: str):
    [one] = proposed(text)
    return one


def test_every_change_request_has_its_script():
    crs = {cr for job in JOBS.values() for cr in job.cr.split(", ")}
    assert {script.cr for script in SCRIPTS} == crs
    for script in SCRIPTS:
        assert find_script(f"/srv/shop/{script.path}") is script
        assert any(script.command.startswith(job) for job in JOBS)
    assert find_script("/home/me/export.php") is None
    assert find_script("stock/export.php") is not None
    assert find_script("cleanLogs.php") is not None
    assert find_script("/x/cleanLogs.php.bak") is None


@pytest.mark.parametrize(
    ("command", "call"),
    [
        (f"php {ROOT}/articles/stock/export.php", "stock export"),
        (
            f"php {ROOT}/articles/stock/export.php supplier=12 customer=3 export=7"
            " skipGeneration=1",
            "stock export --supplier=12 --customer=3 --export=7 --skip-generation",
        ),
        (f"php {ROOT}/articles/stock/export.php skipGeneration=0 supplier=", "stock export"),
        (f"php {ROOT}/orders/getOrders.php tyre24", "platform pull-orders --platform=tyre24"),
        (
            f"php {ROOT}/orders/getOrders.php platform=tyre24",
            "platform pull-orders --platform=tyre24",
        ),
        (
            f"php {ROOT}/suppliers/stock/checkSupplierStock.php 23 updateAnyway=1",
            "suppliers import-stock --supplier=23 --update-anyway",
        ),
        (
            f"php {ROOT}/suppliers/stock/checkSupplierStock.php 23 1",
            "suppliers import-stock --supplier=23 --update-anyway",
        ),
        (
            f"php {ROOT}/suppliers/stock/checkAllSupplierStock.php",
            "suppliers import-stock --all",
        ),
        (
            f"php {ROOT}/job/processGeneralQueue.php force=1",
            "queue process --queue=general --force-restart",
        ),
    ],
)
def test_arguments_are_carried_over(command, call):
    one = only(f"*/5 * * * * {command}")
    assert (one.fate, one.command, one.look) == ("schedule", call, ())


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (f"php {ROOT}/orders/getOrders.php tyre24 now", "'now'"),
        (f"php {ROOT}/logs/cleanLogs.php days=7", "'days=7'"),
        (f"php {ROOT}/suppliers/stock/checkSupplierStock.php", "no supplier is named"),
        (f"php {ROOT}/suppliers/stock/checkSupplierStock.php '$ID'", "'$ID'"),
        (f"php {ROOT}/logs/cleanLogs.php && /srv/other.sh", "it also runs: /srv/other.sh"),
        (f"php {ROOT}/logs/cleanLogs.php%input", "input behind a %"),
    ],
)
def test_what_is_not_sure_is_said(command, said):
    one = only(f"*/5 * * * * {command}")
    assert one.fate == "schedule"
    assert any(said in told for told in one.look)


def test_urls_are_the_command_and_to_be_removed():
    one = only(
        "15 * * * * curl -s 'https://u:hush@shop.example/_shopupdating/cronjobs/atx/articles/stock/"
        "export.php?supplier=12&skipGeneration=1&token=hush' >/dev/null"
    )
    assert one.command == "stock export --supplier=12 --skip-generation"
    assert any("over HTTP" in told for told in one.look)
    assert "hush" not in one.text
    assert call_of_url("https://shop.example/index.php") is None


def test_what_is_not_known_is_kept():
    for text in (
        "0 0 * * * /usr/local/bin/backup.sh",
        f"0 0 * * * php {ROOT}/logs/cleanLogs.php; php {ROOT}/job/cleanQueues.php",
        f"@reboot php {ROOT}/logs/cleanLogs.php",
        f"0 0 * * 8 php {ROOT}/logs/cleanLogs.php",
        "rubbish",
    ):
        one = only(text)
        assert (one.fate, one.schedule) == ("kept", None), text
        assert one.look


def test_zones_users_and_names():
    first, second, third = proposed(
        f"0 0 * * * root php {ROOT}/logs/cleanLogs.php\nCRON_TZ=Asia/Tokyo\n"
        f"0 1 * * * root php {ROOT}/logs/cleanLogs.php\n"
    )
    assert (first.name, first.time_zone) == ("logs-clean", None)
    assert any("ran as root" in told for told in first.remarks)
    assert second.fate == "variable"
    assert (third.name, third.time_zone) == ("logs-clean-2", "Asia/Tokyo")


@pytest.mark.parametrize(
    ("when", "expression"),
    [
        ("0 3 * * 7", "0 3 * * 0"),
        ("0 3 * * sun", "0 3 * * sun"),
        ("@daily", "0 0 * * *"),
        ("*/5 * * * *", "*/5 * * * *"),
        ("0 0 1-7 * 1", "0 0 1-7 * 1"),
        ("0 0 * jan-mar mon-fri", "0 0 * jan-mar mon-fri"),
        ("0 4 1 JUL *", "0 4 1 JUL *"),
        ("0 4 * * wed,Sat", "0 4 * * wed,Sat"),
    ],
)
def test_times_that_both_have(when, expression):
    found = timing(when, BERLIN, NOW)
    assert (found.expression, found.differences) == (expression, ())


def test_times_that_only_one_has():
    night = timing("30 2 * * *", BERLIN, NOW)
    assert [(f"{one.at:%Y-%m-%d %H:%M}", one.by_cron) for one in night.differences] == [
        ("2027-03-28 03:00", True),
        ("2027-10-31 02:30", False),
        ("2028-03-26 03:00", True),
        ("2028-10-29 02:30", False),
    ]
    # Both restricted, the first by a star: cron wants both, the cluster either.
    days = timing("0 0 */2 * 1", BERLIN, NOW)
    assert len(days.differences) > 300
    assert not any(one.by_cron for one in days.differences)
    assert timing("30 2 * * *", ZoneInfo("UTC"), NOW).differences == ()
    for when in (
        "0 0 * * 8",
        "0 0 L * *",
        "0 0 15W * *",
        "0 0 * * 1#3",
        "61 * * * *",
        "@fortnightly",
    ):
        with pytest.raises(ValueError, match="cron"):
            timing(when, BERLIN, NOW)


def test_the_proposal_is_yaml_with_every_line_in_it():
    text = '# by hand\nMAILTO=a@b.c\n0 3 * * 7 php cleanLogs.php\n0 0 * * * \x07odd {{x}} "y" # z\n'
    made = written(proposed(text))
    loaded = yaml.safe_load(made)
    assert loaded == {
        "schedules": [
            {
                "name": "logs-clean",
                "cr": "CR-007",
                "command": "logs clean",
                "description": "Delete old rows of the shop's log of changes.",
                "schedule": "0 3 * * 0",
                "provisional": True,
            }
        ]
    }
    for number, kept in enumerate(text.splitlines()[1:], 2):
        assert f"# old:{number}: {kept.replace(chr(7), ' ')}" in made
    assert "# by hand" in made
    assert yaml.safe_load(written(proposed(""))) == {"schedules": []}


LINE = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        (
            f"*/5 * * * * php {ROOT}/logs/cleanLogs.php",
            f"0 3 * * 7 cd /a && php {ROOT}/orders/getOrders.php 'x y'",
            "CRON_TZ=Nowhere/Land",
            "0 0 29 2 * x",
            "@reboot y",
        )
    ),
)


@given(st.lists(LINE, max_size=6))
@settings(max_examples=40, deadline=None)
def test_no_line_is_lost_whatever_it_is(lines):
    text = "\n".join(lines)
    found = proposed(text)
    assert [one.line for one in found] == list(range(1, len(found) + 1))
    assert len(found) == len(text.split("\n")) - (text.endswith("\n") or not text)
    loaded = yaml.safe_load(written(found))
    names = [one["name"] for one in loaded["schedules"]]
    assert len(names) == len(set(names)) == sum(one.fate == "schedule" for one in found)


def test_call_of_ignores_what_says_nothing():
    script = find_script("checkSupplierStock.php")
    assert script is not None
    assert call_of(script, ["23", "updateAnyway=0"]).options == ("--supplier=23",)
