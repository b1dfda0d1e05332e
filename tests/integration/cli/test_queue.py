"""``cronops queue``: operators' commands, through the command line."""

import json

import pytest

STATUSES = {"NEW", "IN_QUEUE", "PROCESSING", "PROCESSED", "CRASH"}


@pytest.fixture
def insert(database):
    """Insert a message as another program would; its id."""

    def insert(**values):
        values = {"handler": "sample.echo"} | values
        columns, places = ", ".join(values), ", ".join(["%s"] * len(values))
        statement = f"INSERT INTO queue_message ({columns}) VALUES ({places}) RETURNING id"
        return str(database.query(statement, list(values.values()))[0][0])

    return insert


@pytest.fixture
def crashed(insert):
    """A message in CRASH."""
    return insert(status="CRASH", attempts=5, error="no such order", finished_at="now")


def state(database, message):
    columns = "status, paused, priority, attempts"
    return database.query(f"SELECT {columns} FROM queue_message WHERE id = %s", (message,))[0]


def test_an_empty_queue_is_a_sentence(operator):
    assert operator.do("queue", "status") == "No queue has messages.\n"
    assert operator.do("queue", "list") == "There is no message.\n"
    assert operator.json("queue", "status") == []
    assert operator.json("queue", "list") == []


def test_status_counts_and_tells_age_and_throughput(operator, insert, database):
    insert()
    insert(available_at="tomorrow")
    insert(status="PROCESSED", finished_at="now")
    database.query("UPDATE queue_message SET available_at = now() - interval '1 h' WHERE id = 1")
    (general,) = operator.json("queue", "status")
    assert general["queue"] == "general"
    assert set(general["counts"]) == STATUSES
    assert (general["counts"]["NEW"], general["counts"]["PROCESSED"]) == (2, 1)
    assert general["delayed"] == 1
    assert general["oldest_new_seconds"] == pytest.approx(3600, abs=120)
    assert general["per_minute_1"] == 1
    assert general["paused"] is False
    header, line = operator.do("queue", "status", "--queue", "general").splitlines()
    assert header.split()[:6] == ["QUEUE", "NEW", "IN_QUEUE", "PROCESSING", "PROCESSED", "CRASH"]
    assert line.split()[:6] == ["general", "2", "0", "0", "1", "0"]


def test_list_filters(operator, insert, crashed):
    other = insert(queue="other", direction="outgoing", handler="sample.fail")
    for words, expected in (
        ((), [other, crashed]),
        (("--status", "crash"), [crashed]),
        (("--queue", "other"), [other]),
        (("--handler", "sample.fail"), [other]),
        (("--direction", "outgoing"), [other]),
        (("--limit", "1"), [other]),
    ):
        assert [str(row["id"]) for row in operator.json("queue", "list", *words)] == expected
    assert "no such order" in operator.do("queue", "list")
    assert operator.do("queue", "list", "--status", "PROCESSED") == "No message matches.\n"


def test_show_tells_everything(operator, insert):
    message = insert(payload=json.dumps({"größe": [1]}), dedupe_key="k-1")
    shown = operator.json("queue", "show", message)
    assert shown["payload"] == {"größe": [1]}
    assert shown["dedupe_key"] == "k-1"
    assert '"größe": [' in operator.do("queue", "show", message)
    code, said = operator.fail("queue", "show", "999")
    assert (code, "there is no message 999" in said) == (64, True)


def test_a_queue_is_paused_and_resumed(operator, insert):
    insert()
    until = ("--until", "2h", "--reason", "ERP down")
    operator.do("queue", "pause", "--queue", "general", *until)
    (general,) = operator.json("queue", "status")
    assert (general["paused"], general["paused_by"]) == (True, "ada")
    assert general["pause_reason"] == "ERP down"
    assert "by ada: ERP down" in operator.do("queue", "status")
    words = ("queue", "resume", "--queue", "general")
    assert operator.do(*words) == "Resumed queue general.\n"
    assert operator.json(*words)["was_paused"] is False
    assert operator.audited() == [
        ("queue pause", "queue general", "ERP down"),
        ("queue resume", "queue general", None),
    ]


def test_messages_are_paused_prioritized_cancelled_and_resumed(operator, insert, database):
    one, two = insert(), insert()
    operator.do("queue", "pause", one, "--reason", "wrong price")
    assert state(database, one)[1] is True
    operator.do("queue", "resume", one)
    assert state(database, one)[1] is False
    changed = operator.json("queue", "prioritize", one, two, "--priority", "-60")
    assert changed == {"changed": [int(one), int(two)], "refused": {}}
    assert state(database, two)[2] == -60
    operator.do("queue", "cancel", two, "--reason", "sent twice")
    assert state(database, two)[0] == "CRASH"
    actions = [action for action, _, _ in operator.audited()]
    assert actions == ["message pause", "message resume", "message prioritize", "message cancel"]


def test_retry_puts_crashed_messages_back_and_resolves_their_alert(operator, crashed, database):
    database.query(
        "INSERT INTO alert (kind, owner, role, state, dedup_key, title, body) VALUES"
        " ('crashed-messages', 'Shared Ops', 'both', 'firing', 'test:handler:sample.echo',"
        " 'x', 'x')"
    )
    assert operator.json("queue", "retry", crashed) == {"changed": [int(crashed)], "refused": {}}
    assert state(database, crashed) == ("NEW", False, 0, 0)
    assert database.query("SELECT state FROM alert ORDER BY id") == [("firing",), ("resolved",)]
    none = operator.do("queue", "retry", "--handler", "sample.echo")
    assert none == "No message in CRASH matches.\n"


def test_reset_takes_messages_from_their_holder(operator, insert, database):
    held = insert(status="PROCESSING", claim_token=1, claimed_at="now", started_at="now")
    operator.do("queue", "reset", "--queue", "general", "--reason", "its node is gone")
    assert state(database, held)[0] == "NEW"
    assert operator.audited() == [("message reset", "queue general", "its node is gone")]
    left = operator.do("queue", "reset", "--queue", "general")
    assert left == "No message of it is in anybody's hands.\n"


def test_a_message_that_cannot_be_changed_is_named_and_the_exit_code_says_so(cli, insert, crashed):
    new = insert()
    done = cli("queue", "cancel", new, crashed, "999", "--reason", "x", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout) == {
        "changed": [int(new)],
        "refused": {crashed: "it is CRASH", "999": "no such message"},
    }
    assert f"error: message {crashed} was left alone: it is CRASH" in done.stderr


def test_rubbish_is_refused(operator, insert):
    insert()
    for words, code, expected in (
        (("list", "--queue", "genral"), 64, "did you mean 'general'"),
        (("status", "--queue", "genral"), 64, "did you mean 'general'"),
        (("pause", "--queue", "genral", "--reason", "x"), 64, "did you mean 'general'"),
        (("list", "--handler", "sample.eco"), 64, "did you mean 'sample.echo'"),
        (("retry", "--handler", "sample.eco"), 64, "did you mean 'sample.echo'"),
        (("pause", "--queue", "general"), 64, "--reason"),
        (("pause", "--reason", "x"), 64, "by their ids, or a queue"),
        (("pause", "1", "--queue", "general", "--reason", "x"), 64, "by their ids, or a queue"),
        (("pause", "1", "--reason", "x", "--until", "1h"), 64, "--until is for a queue"),
        (("resume",), 64, "by their ids, or a queue"),
        (("reset",), 64, "by their ids, or a queue"),
        (("retry",), 64, "which messages"),
        (("prioritize", "1", "--priority", "2000"), 64, "between -1000 and 1000"),
        (("prioritize", "1"), 2, "--priority"),
        (("cancel", "--reason", "x"), 2, "ID"),
        (("cancel", "1"), 2, "--reason"),
        (("cancel", "1", "--reason", " "), 2, "it is empty"),
        (("status", "--queue", ""), 2, "it is empty"),
        (("status", "--queue", "\udcff"), 2, "not UTF-8"),
        (("list", "--limit", "9" * 30), 2, "--limit"),
        (("show", "0"), 2, "no message's id"),
        (("show", "9" * 30), 2, "no message's id"),
        (("show", "--", "-1"), 2, "no message's id"),
        (("list", "--status", "LOST"), 2, "LOST"),
    ):
        found, said = operator.fail("queue", *words)
        assert (found, expected in said) == (code, True), (words, said)
    assert operator.audited() == []
