"""Crontabs taken apart: as cron does it, and as they are found."""

import pytest

from cronops.schedules.crontab.lines import (
    Blank,
    Entry,
    Unread,
    Variable,
    is_crontab,
    read_crontab,
)


def only(text: str, kind=None):
    [line] = read_crontab(text, kind)
    return line


@pytest.mark.parametrize(
    ("text", "when", "command", "stdin"),
    [
        ("* * * * * true", "* * * * *", "true", None),
        ("\t*/5\t0  1,2 jan-Mar\tMON  a  b ", "*/5 0 1,2 jan-Mar MON", "a  b", None),
        ("-0 3 * * * quiet", "0 3 * * *", "quiet", None),
        ("@Daily run", "@daily", "run", None),
        ("@reboot run me", "@reboot", "run me", None),
        ("0 0 * * * date +\\%F", "0 0 * * *", "date +%F", None),
        ("0 0 * * * mail me%Hello%you\\%", "0 0 * * *", "mail me", "Hello\nyou%"),
        ("0 0 * * * run\r", "0 0 * * *", "run", None),
        ("0 0 * * * a = b", "0 0 * * *", "a = b", None),
    ],
)
def test_entries(text, when, command, stdin):
    line = only(text, "user")
    assert isinstance(line, Entry)
    assert (line.when, line.command, line.stdin, line.user) == (when, command, stdin, None)


@pytest.mark.parametrize("text", ["", "   ", "# 0 0 * * * run", "\t#"])
def test_what_says_nothing(text):
    lines = read_crontab(f"{text}\n")
    assert [type(line) for line in lines] == [Blank]


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("MAILTO=a@b", "MAILTO", "a@b"),
        ('MAILTO = ""', "MAILTO", ""),
        (" PATH='/a:/b' ", "PATH", "/a:/b"),
        ('"X"=1 2', "X", "1 2"),
    ],
)
def test_variables(text, name, value):
    line = only(text)
    assert isinstance(line, Variable)
    assert (line.name, line.value) == (name, value)


@pytest.mark.parametrize(
    "text", ["run", "0 0 * * *", "@daily", "a b c d! e f", "<?php echo 1;", "0 0 * * "]
)
def test_what_cron_does_not_take(text):
    assert isinstance(only(text, "user"), Unread)


def test_variables_hold_for_what_stands_below_them():
    lines = read_crontab("0 0 * * * a\nCRON_TZ=UTC\n0 0 * * * b\nCRON_TZ=Asia/Tokyo\n0 0 * * * c\n")
    assert [dict(line.variables) for line in lines if isinstance(line, Entry)] == [
        {},
        {"CRON_TZ": "UTC"},
        {"CRON_TZ": "Asia/Tokyo"},
    ]


@pytest.mark.parametrize(
    ("text", "user"),
    [
        ("0 0 * * * root php a.php", "root"),
        ("0 0 * * *\twww-data\t/usr/bin/php a.php", "www-data"),
        ("@daily deploy /srv/run", "deploy"),
        ("0 0 * * * php a.php", None),
        ("0 0 * * * /usr/bin/php a.php", None),
        ("0 0 * * * backup now", None),
        ("0 0 * * * cd /srv && php a.php", None),
        ("0 0 * * * root php a\n0 0 * * * php b", None),
    ],
)
def test_whether_users_are_named_is_seen_from_all_entries(text, user):
    first = read_crontab(text)[0]
    assert isinstance(first, Entry)
    assert first.user == user


def test_a_system_crontab_wants_a_user():
    assert isinstance(only("0 0 * * * run", "system"), Unread)
    line = only("0 0 * * * root  run  it", "system")
    assert isinstance(line, Entry)
    assert (line.user, line.command) == ("root", "run  it")


def test_what_is_a_crontab():
    assert is_crontab(read_crontab(""))
    assert is_crontab(read_crontab("# nothing\n"))
    assert is_crontab(read_crontab("X=1\n0 0 * * * run\nrubbish\n"))
    assert not is_crontab(read_crontab("<?php\necho 1;\nexit;\n"))
