"""Command lines taken apart: what they run, behind what only wraps it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronops.schedules.crontab.secrets import masked
from cronops.schedules.crontab.shell import Fetch, Program, Unclear, programs

SCRIPT = Program("/srv/a.php", ("23", "x=1"))


@pytest.mark.parametrize(
    "command",
    [
        "php /srv/a.php 23 x=1",
        "/usr/bin/php8.2 -q -d memory_limit=1G -c /etc/php.ini /srv/a.php 23 x=1",
        "php -f /srv/a.php 23 x=1",
        "cd /srv && php a.php 23 x=1",
        "cd /srv; php a.php 23 x=1",
        "cd / && cd srv && /usr/bin/env php a.php 23 x=1",
        "nice -n 19 ionice -c2 -n 7 php /srv/a.php 23 x=1",
        "nice -19 php /srv/a.php 23 x=1",
        "flock -n /tmp/l php /srv/a.php 23 x=1",
        "flock -w 5 -E 0 /tmp/l -c 'php /srv/a.php 23 x=1'",
        "timeout -k 5 10m php /srv/a.php 23 x=1",
        "sudo -u www-data -E A=b php /srv/a.php 23 x=1",
        "su - shop -s /bin/sh -c 'php /srv/a.php 23 x=1'",
        'bash -lc "cd /srv && php a.php 23 x=1"',
        "/bin/sh -c 'exec nohup php /srv/a.php 23 x=1 &'",
        "A=b C='d e' php /srv/a.php 23 x=1",
        "env -i A=b php /srv/a.php 23 x=1",
        "php /srv/a.php 23 x=1 >/dev/null 2>&1",
        "php /srv/a.php 23 x=1 >> /var/log/a.log 2>> /var/log/b.log",
        "php /srv/a.php 23 x=1 &> /dev/null",
        "php /srv/a.php 23 x=1 &>/dev/null &",
        "php /srv/a.php 23 x=1 2>&1 | logger -t shop",
        "php /srv/a.php 23 x=1 < /dev/null > /tmp/x 2>&1 || echo failed",
        "[ -f /srv/a.php ] && php /srv/a.php 23 x=1",
        "test -x /usr/bin/php && (cd /srv && php a.php 23 x=1)",
        "sleep 30; php /srv/a.php 23 x=1",
        "chronic php /srv/a.php 23 x=1",
        "lockrun --lockfile=/tmp/l -- php /srv/a.php 23 x=1",
        "systemd-cat -t shop php /srv/a.php 23 x=1",
        "time php /srv/a.php '23' \"x=1\"",
    ],
)
def test_one_script_behind_everything(command):
    assert programs(command) == [SCRIPT]


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("curl -fsS 'https://a.b/c?d=1&e=2' > /dev/null", [Fetch("https://a.b/c?d=1&e=2")]),
        ("wget -q -O - http://a.b/c", [Fetch("http://a.b/c")]),
        ("curl -s $URL", [Unclear("curl -s '$URL'")]),
        ("$PHP a.php", [Unclear("'$PHP' a.php")]),
        ("php -r 'echo 1;'", [Unclear("php -r 'echo 1;'")]),
        ("php 'unclosed", [Unclear("php 'unclosed")]),
        ("/a/run.sh; /b/run", [Program("/a/run.sh", ()), Program("/b/run", ())]),
        (
            "php a.php && curl https://hc-ping.com/1",
            [Program("a.php", ()), Fetch("https://hc-ping.com/1")],
        ),
        ("cd /a", []),
        ("", []),
    ],
)
def test_what_else_is_run(command, found):
    assert programs(command) == found


def test_a_shell_in_a_shell_in_a_shell_ends_somewhere():
    command = "true"
    for _ in range(12):
        command = f"sh -c {command!r}" if "'" not in command else f'sh -c "{command}"'
    assert isinstance(programs(command), list)


@given(st.text(alphabet=st.sampled_from(" abc'\"\\$`();|&<>=-/%{}[]\n\t0"), max_size=40))
def test_nothing_is_too_odd(command):
    assert all(isinstance(one, Program | Fetch | Unclear) for one in programs(command))


@pytest.mark.parametrize(
    "text",
    [
        "curl https://user:hush@a.b/",
        "curl 'https://a.b/?x=1&token=hush&y=2'",
        "curl https://a.b/?key=hush",
        "curl -u me:hush https://a.b/",
        "curl --user me:hush https://a.b/",
        "curl -H 'Authorization: Bearer hush' https://a.b",
        "curl -H 'X-Api-Key: hush' https://a.b",
        "wget --http-password=hush https://a.b",
        "wget --password hush https://a.b",
        "mysqldump -u me -phush shop",
        "DB_PASSWORD=hush php a.php",
        "DB_PASSWORD='hush' php a.php",
        "php a.php password=hush",
        "PGPASSWORD = hush",
        "curl https://hooks.slack.com/services/hush",
        "run ghp_hushhushhushhushhush",
    ],
)
def test_secrets_are_not_repeated(text):
    assert "hush" not in masked(text)
    assert "***" in masked(text)


@pytest.mark.parametrize(
    "text",
    ["*/5 * * * * php /srv/a.php 23 x=1 >> /var/log/a 2>&1", "MAILTO=a@b.c", "cd /a && b -u c"],
)
def test_what_is_no_secret_stays(text):
    assert masked(text) == text
