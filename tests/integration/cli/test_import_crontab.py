"""``cronops schedules import-crontab``, as an operator runs it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = "/var/www/_shopupdating/cronjobs/atx"
CRONTAB = f"""\
# of the shop
MAILTO=admin@shop.example
*/5 * * * * cd /var/www && php _shopupdating/cronjobs/atx/orders/getOrders.php tyre24 >/dev/null
0 3 * * 7 root php {ROOT}/job/cleanQueues.php
"""


def run(
    *words: str, stdin: bytes = b"", directory: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        [sys.executable, "-m", "cronops", "schedules", "import-crontab", *words],
        input=stdin,
        capture_output=True,
        cwd=directory,
        check=False,
        timeout=60,
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


def test_a_crontab_that_is_understood_ends_with_0(tmp_path: Path) -> None:
    clean = CRONTAB.replace("root ", "")
    done = run("-", stdin=clean.encode())
    assert done.returncode == 0, done.stderr
    names = [one["name"] for one in yaml.safe_load(done.stdout)["schedules"]]
    assert names == ["platform-pull-orders-tyre24", "queue-clean"]
    assert "4 lines: 2 schedules, 0 kept as they are, 0 to look at" in done.stderr


def test_several_files_to_one_that_is_not_there_yet(tmp_path: Path) -> None:
    (tmp_path / "user").write_text(CRONTAB.replace("root ", ""))
    (tmp_path / "system").write_text(f"0 4 * * * root php {ROOT}/job/cleanQueues.php\n")
    done = run("user", "system", "--out", "new.yaml", directory=tmp_path)
    assert done.returncode == 0, done.stderr
    made = yaml.safe_load((tmp_path / "new.yaml").read_text())["schedules"]
    assert [one["name"] for one in made] == [
        "platform-pull-orders-tyre24",
        "queue-clean",
        "queue-clean-2",
    ]
    again = run("user", "--out", "new.yaml", directory=tmp_path)
    assert again.returncode == 64
    assert "is there already" in again.stderr


def test_where_a_person_has_to_look_it_ends_with_1() -> None:
    text = b"30 2 * * * php cleanLogs.php\n@reboot /x\n0 0 * * * /backup --password=hush\n"
    done = run("-", "--json", "--time-zone", "Europe/Berlin", stdin=text)
    assert done.returncode == 1
    first, second, third = json.loads(done.stdout)
    assert first["command"] == "logs clean"
    assert {one["runs"] for one in first["differences"]} == {"cron", "cluster"}
    assert (second["fate"], third["fate"]) == ("kept", "kept")
    assert "hush" not in done.stdout + done.stderr
    assert "<stdin>:2: look: @reboot has no time" in done.stderr


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"", 0),
        (b"\xef\xbb\xbf# only this\n", 0),
        (b"0 0 * * * php cleanLogs.php # \xe4\n", 0),
        (b"\x7fELF\x00\x00", 65),
        (b"<?php\necho 1;\n", 65),
        (b"apiVersion: v1\nkind: List\nitems: []\n", 65),
    ],
)
def test_what_is_a_crontab_and_what_is_none(text: bytes, code: int) -> None:
    done = run("-", stdin=text)
    assert done.returncode == code, done.stderr
    assert (code == 65) == ("is no crontab" in done.stderr)


@pytest.mark.parametrize(
    "words", [("nowhere",), ("-", "--kind", "x"), ("-", "--time-zone", "Mars/Base"), ()]
)
def test_bad_calls(words: tuple[str, ...]) -> None:
    assert run(*words).returncode in (2, 64)
