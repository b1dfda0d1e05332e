"""``cronops queue enqueue``: one message, and JSON lines."""

import json
import subprocess

import pytest

ECHO = ("queue", "enqueue", "--handler", "sample.echo")


def rows(database, columns="payload"):
    return database.query(f"SELECT {columns} FROM queue_message ORDER BY id")


def test_one_message_with_everything_that_can_be_said_of_it(operator, database):
    made = operator.json(
        *ECHO,
        *("--payload", '{"order": 7}', "--queue", "orders", "--direction", "outgoing"),
        *("--priority", "-5", "--available-at", "2030-01-01T00:00:00+01:00"),
        *("--dedupe-key", "order-7", "--max-attempts", "2", "--correlation-id", "c-7"),
    )
    assert made == {"id": 1, "enqueued": 1, "queue": "orders"}
    columns = "queue, direction, handler, payload, priority, max_attempts, dedupe_key"
    assert rows(database, f"{columns}, correlation_id") == [
        ("orders", "outgoing", "sample.echo", {"order": 7}, -5, 2, "order-7", "c-7")
    ]
    assert rows(database, "(available_at AT TIME ZONE 'UTC')::text") == [("2029-12-31 23:00:00",)]
    assert operator.audited() == [("queue enqueue", "message 1", None)]


def test_a_delayed_message_waits_by_the_databases_clock(operator, database):
    operator.do(*ECHO, "--payload", "null", "--delay", "1h")
    due = "available_at BETWEEN now() + interval '50 min' AND now() + interval '61 min'"
    assert rows(database, f"payload, {due}") == [(None, True)]


def test_a_payload_from_a_file(operator, database, tmp_path):
    file = tmp_path / "order.json"
    file.write_text('\ufeff{"größe": "18\\"", "n": 1e3}', encoding="utf-8")
    operator.do(*ECHO, "--payload", f"@{file}")
    assert rows(database) == [({"größe": '18"', "n": 1000.0},)]


def test_a_message_with_an_unfinished_ones_key_is_left_out(operator, database):
    words = (*ECHO, "--payload", "1", "--dedupe-key", "k")
    assert operator.do(*words).startswith("Enqueued message 1 ")
    assert "has the dedupe key 'k' already" in operator.do(*words)
    assert operator.json(*words) == {"id": None, "enqueued": 0, "queue": "general"}
    assert len(rows(database)) == 1


def test_json_lines_are_payloads(operator, database):
    values = [{"a": [1, None]}, "text\twith\ttabs\\", 3, None, True, {"nul": "\\u0000"}, "ü\u2028"]
    lines = "\n\n".join(json.dumps(value) for value in values)
    assert operator.json(*ECHO, "--payload", "-", input=lines) == {
        "enqueued": len(values),
        "left_out": 0,
    }
    assert [row[0] for row in rows(database)] == values
    assert operator.audited() == [("queue enqueue", f"{len(values)} messages", None)]


def test_json_lines_are_whole_messages_with_options_as_defaults(operator, database):
    lines = (
        {"payload": 1},
        {"handler": "sample.fail", "queue": "other", "priority": 7, "dedupe_key": "k"},
        {"handler": "sample.fail", "queue": "other", "dedupe_key": "k"},
        {"available_at": "2030-01-01T00:00:00Z", "direction": "outgoing", "max_attempts": 1},
    )
    text = "".join(json.dumps(line) + "\n" for line in lines)
    made = operator.do(*ECHO, "--messages", "--payload", "-", "--priority", "3", input=text)
    assert (
        made == "Enqueued 3 messages.\nLeft out 1: unfinished messages have the same dedupe keys.\n"
    )
    assert rows(database, "handler, queue, priority, direction, max_attempts") == [
        ("sample.echo", "general", 3, "incoming", None),
        ("sample.fail", "other", 7, "incoming", None),
        ("sample.echo", "general", 3, "outgoing", 1),
    ]


def test_many_lines_in_one_go(operator, database):
    lines = "".join(f"{number}\n" for number in range(12_000))
    assert operator.json(*ECHO, "--payload", "-", input=lines)["enqueued"] == 12_000
    assert database.query("SELECT sum(payload::int) FROM queue_message") == [(71_994_000,)]


def test_nothing_on_stdin_is_no_message(operator, database):
    assert operator.do(*ECHO, "--payload", "-", input="\n") == "Enqueued 0 messages.\n"
    assert operator.audited() == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 6002 is not JSON"),
        ("NaN", "NaN is no JSON number"),
        ("1e999", "too large a number"),
        ('"\\u0000"', "no NUL character"),
        ('"\\ud800"', "half of a surrogate pair"),
        ("[" * 100_000, "nested too deeply"),
        ("9" * 5_000, "line 6002"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_enqueued(operator, database, line, said):
    lines = "1\n" * 6_001 + f"{line}\n2\n"
    code, complaint = operator.fail(*ECHO, "--payload", "-", input=lines)
    assert code == 65
    assert "line 6002" in complaint
    assert said in complaint
    assert "nothing was enqueued" in complaint
    assert rows(database) == []
    assert operator.audited() == []


def test_bytes_that_are_not_utf8_are_named(cli, database, tmp_path):
    done = subprocess.run(
        cli.command(*ECHO, "--payload", "-"),
        env=cli._environment(None),
        input=b'1\n"\xff"\n',
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 65
    assert b"line 2 is not UTF-8" in done.stderr
    assert rows(database) == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[]", "line 2 is not an object"),
        ('{"prority": 1}', "line 2: prority"),
        ('{"priority": 1001}', "line 2: priority"),
        ('{"priority": "1"}', "line 2: priority"),
        ('{"queue": ""}', "line 2: queue"),
        ('{"direction": "up"}', "line 2: direction"),
        ('{"available_at": "2030-01-01T00:00:00"}', "line 2: available_at"),
        ('{"max_attempts": 0}', "line 2: max_attempts"),
        ('{"handler": "sample.eco"}', "did you mean 'sample.echo'"),
    ],
)
def test_a_bad_message_is_named_and_nothing_is_enqueued(operator, database, line, said):
    words = (*ECHO, "--messages", "--payload", "-")
    code, complaint = operator.fail(*words, input=f"{{}}\n{line}\n")
    assert (code, said in complaint) == (65, True), complaint
    assert rows(database) == []


def test_a_handler_nobody_knows_needs_force(cli, operator, database):
    words = ("queue", "enqueue", "--handler", "sample.eco", "--payload", "1")
    code, said = operator.fail(*words)
    assert (code, "did you mean 'sample.echo'" in said) == (65, True)
    forced = cli(*words, "--force")
    assert forced.returncode == 0
    assert "warning: no handler is called 'sample.eco' here" in forced.stderr
    assert rows(database, "handler") == [("sample.eco",)]


def test_rubbish_is_refused(operator, database):
    for words, code, expected in (
        (("--payload", "{"), 65, "--payload is not JSON"),
        (("--payload", "@/no/such/file"), 65, "cannot read /no/such/file"),
        (("--payload", "1", "--messages"), 64, "--messages is for JSON lines"),
        (("--payload", "1", "--delay", "1h", "--available-at", "2030-01-01T00:00:00Z"), 64, "both"),
        (("--payload", "-", "--dedupe-key", "k"), 64, "use --messages"),
        (("--payload", "1", "--delay", "999999999d"), 64, "further than the calendar"),
        (("--payload", "1", "--delay", "-1"), 2, "negative"),
        (("--payload", "1", "--priority", "5000"), 2, "--priority"),
        (("--payload", "1", "--max-attempts", "0"), 2, "--max-attempts"),
        (("--payload", "1", "--max-attempts", "99999999999"), 65, "max_attempts"),
        (("--payload", "1", "--direction", "up"), 2, "--direction"),
        (("--payload", "1", "--queue", ""), 65, "queue"),
        (("--payload", "1", "--available-at", "2030-01-01"), 2, "has no zone"),
        ((), 2, "--payload"),
    ):
        found, said = operator.fail(*ECHO, *words)
        assert (found, expected in said) == (code, True), (words, said)
    code, said = operator.fail("queue", "enqueue", "--payload", "1")
    assert (code, "--handler" in said) == (64, True)
    assert rows(database) == []
