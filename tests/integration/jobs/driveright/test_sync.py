"""``cronops driveright sync``: what is pulled, compared, told and changed, and what is refused."""

import pytest

from tests.integration.jobs.driveright.conftest import JOB, Vehicles
from tests.partners import Reply
from tests.partners.driveright import tyre, vehicle, wheel
from tests.partners.smtp import AFTER_DATA, AT_RCPT
from tests.stepping import run_to_step


def test_vehicles_come_page_by_page_and_are_told_before_they_are_there(vehicles: Vehicles) -> None:
    done = vehicles.sync()
    assert "10 pulled, 0 malformed, 10 added, 0 changed, 0 retired" in done.stdout
    assert vehicles.there.asked == 3
    assert vehicles.ours() == {f"V{number}": True for number in range(1, 11)}
    assert vehicles.fitments("V1") == [
        ("tyre", "205", "driveright"),
        ("wheel", "6.5", "driveright"),
    ]
    [mail] = vehicles.mails.mails
    assert mail["Subject"] == "[test] DriveRight: 10 added, 0 changed, 0 retired, 0 malformed"
    assert "added    Aurora Model 1 II 1.4 (V1): +2 fitments" in mail.get_content()
    status = vehicles.status()
    assert (status["status"], status["report"], status["pulled"]) == ("done", "sent", 10)
    # Nothing new: nothing to tell, and nothing is written.
    before = vehicles.database.query("SELECT id, updated_at FROM vehicle ORDER BY id")
    assert "10 pulled, 0 malformed, 0 added, 0 changed, 0 retired" in vehicles.sync().stdout
    assert len(vehicles.mails.envelopes) == 1
    assert vehicles.database.query("SELECT id, updated_at FROM vehicle ORDER BY id") == before
    assert vehicles.database.query("SELECT count(*) FROM driveright_vehicle") == [(0,)]


def test_changes_of_every_kind(vehicles: Vehicles) -> None:
    vehicles.sync()
    theirs = vehicles.there.vehicles
    theirs[0] |= {"builtUntil": 2020}
    theirs[1] |= {"fitments": [tyre(), tyre(tyreWidth=215, oe=False)]}
    theirs[2] |= {"fitments": [tyre(oe=False), wheel(offsetMax=45)]}
    theirs[3] |= {"id": "V4b"}
    gone = theirs.pop()
    theirs.append(vehicle(11))
    vehicles.sync()
    told = {row["external_id"]: (row["kind"], row["what"]) for row in vehicles.changes()}
    assert told == {
        "V1": ("changed", "names or years"),
        "V2": ("changed", "+1 fitments, -1 fitments"),
        "V3": ("changed", "2 fitments altered"),
        "V4b": ("changed", "names or years"),
        "V10": ("retired", "set inactive"),
        "V11": ("added", "+2 fitments"),
    }
    ours = vehicles.ours()
    assert ours["V10"] is False
    assert ours["V4b"] is True
    assert "V4" not in ours
    assert [width for _, width, _ in vehicles.fitments("V2")] == ["205", "215"]
    assert vehicles.changes("--kind", "retired")[0]["external_id"] == "V10"
    # It comes back.
    theirs.append(gone)
    vehicles.sync()
    assert vehicles.ours()["V10"] is True


def test_what_people_have_entered_wins(vehicles: Vehicles) -> None:
    query = vehicles.database.query
    query(
        "INSERT INTO vehicle (make, model, generation, variant, built_until, source)"
        " VALUES ('Aurora', 'Model 1', 'II', '1.4', 1999, 'manual'),"
        " ('Own', 'Own', '', '', 1, 'manual')"
    )
    # The same tyre, with another opinion of it; and one that DriveRight does not know.
    query(
        "INSERT INTO fitment (vehicle_id, product_type, position, is_oe, tyre_width, tyre_aspect,"
        " tyre_diameter, source) VALUES (1, 'tyre', 'both', false, 205, 55, 16, 'manual'),"
        " (1, 'tyre', 'both', false, 295, 55, 16, 'manual')"
    )
    vehicles.sync()
    assert query("SELECT built_until, source, external_id, active FROM vehicle WHERE id = 1") == [
        (1999, "manual", None, True)
    ]
    assert vehicles.fitments("Model 1") == [
        ("tyre", "205", "manual"),
        ("tyre", "295", "manual"),
        ("wheel", "6.5", "driveright"),
    ]
    assert query("SELECT is_oe FROM fitment WHERE tyre_width = 205 AND vehicle_id = 1") == [
        (False,)
    ]
    # Somebody takes V2 over, and edits a fitment of V3.
    query("UPDATE vehicle SET source = 'manual', built_until = 2099 WHERE external_id = 'V2'")
    query(
        "UPDATE fitment SET source = 'manual', pcd = '4x100' FROM vehicle"
        " WHERE vehicle.id = vehicle_id AND external_id = 'V3' AND product_type = 'wheel'"
    )
    vehicles.there.vehicles.pop(1)
    vehicles.sync()
    assert query("SELECT built_until, active FROM vehicle WHERE external_id = 'V2'") == [
        (2099, True)
    ]
    assert query("SELECT active FROM vehicle WHERE model = 'Own'") == [(True,)]
    assert query("SELECT count(*) FROM fitment WHERE pcd = '4x100'") == [(1,)]


def test_malformed_ones_are_named_and_change_nothing(vehicles: Vehicles) -> None:
    theirs = vehicles.there.vehicles
    theirs += [vehicle(number) for number in range(11, 61)]
    vehicles.sync(env={"CRONOPS_DRIVERIGHT__PAGE_SIZE": "100"})
    theirs[0] |= {"make": ""}
    theirs[1] |= {"fitments": [wheel(pcd="112x5x1"), tyre(tyreWidth=225)]}
    theirs[2] |= {"fitments": [wheel(offsetMin=60)]}
    done = vehicles.sync(env={"CRONOPS_DRIVERIGHT__PAGE_SIZE": "100"})
    assert "3 malformed" in done.stdout
    problems = {row["external_id"]: row["problem"] for row in vehicles.changes("--malformed")}
    assert problems == {
        "V1": "it has no make or no model",
        "V2": "fitment 1: its pcd is '112x5x1'; 5x112 is one",
        "V3": "fitment 1: its offset goes from 60.0 to 50.0, which is less",
    }
    assert vehicles.ours()["V1"] is True
    assert len(vehicles.fitments("V3")) == 2
    assert [width for _, width, _ in vehicles.fitments("V2")] == ["205", "225", "6.5"]
    theirs[:] = [vehicle(number, make=None) for number in range(1, 61)]
    held = vehicles.sync(env={"CRONOPS_DRIVERIGHT__PAGE_SIZE": "100"}, code=1)
    assert "60 of 60 vehicles are malformed" in held.stderr


@pytest.mark.parametrize("how", ["cut", "short", "stall"])
def test_an_answer_that_is_not_whole_is_asked_for_again(vehicles: Vehicles, how: str) -> None:
    body = b'{"total": 10, "vehicles": [{"id": "V1", "make"'
    replies = {
        "cut": Reply(body * 100, cut_after=200),
        "short": Reply(body, length=2000, cut_after=len(body)),
        "stall": Reply(body, length=2000, stall_after=10),
    }
    vehicles.there.trouble = lambda nth: replies[how] if nth == 2 else None
    vehicles.sync()
    assert len(vehicles.ours()) == 10
    assert vehicles.there.asked == 4


def test_a_server_that_is_busy_is_left_alone_for_as_long_as_it_says(vehicles: Vehicles) -> None:
    vehicles.there.trouble = lambda nth: (
        Reply(b"", status=429, headers={"Retry-After": "1"}) if nth == 2 else None
    )
    vehicles.sync()
    assert len(vehicles.ours()) == 10


def test_a_pull_that_is_truncated_changes_nothing_and_is_pulled_anew(vehicles: Vehicles) -> None:
    vehicles.sync()
    there = vehicles.there
    kept = list(there.vehicles)
    there.total = 10
    del there.vehicles[6:]
    failed = vehicles.sync(code=65)
    assert "it said 10 vehicles, and gave 6" in failed.stderr
    assert all(vehicles.ours().values())
    there.vehicles[:] = []
    there.total = 0
    assert "no vehicle at all" in vehicles.sync("--accept-changes", code=65).stderr
    there.total = None
    there.vehicles[:] = [*kept, vehicle(11)]
    vehicles.sync()
    assert len(vehicles.ours()) == 11


@pytest.mark.parametrize("status", [400, 410])
def test_a_cursor_that_is_refused_is_forgotten(vehicles: Vehicles, status: int) -> None:
    """As after a night: the service keeps its cursors for an hour."""
    vehicles.there.trouble = lambda nth: Reply(b"", status=403) if nth > 2 else None
    vehicles.sync(code=78)
    assert vehicles.status()["pulled"] == 8
    vehicles.there.trouble = lambda _: Reply(b"{}", status=status)
    failed = vehicles.sync(code=65)
    assert f"answered {status} to the cursor" in failed.stderr
    assert "the next run pulls anew" in failed.stderr
    vehicles.there.trouble = lambda _: None
    vehicles.sync()
    assert len(vehicles.ours()) == 10


@pytest.mark.parametrize(
    ("reply", "said", "code"),
    [
        (Reply(b'{"total": 10, "vehicles": [', status=200), "did not answer with JSON", 65),
        (Reply(b"[]"), "without a list of vehicles", 65),
        (Reply(b'{"vehicles": [], "next": null}'), "how many vehicles", 65),
        (Reply(b'{"total": 10, "vehicles": [], "next": "4"}'), "same page once more", 65),
        (Reply(b"{}", status=403), "403", 78),
    ],
)
def test_what_is_no_page(vehicles: Vehicles, reply: Reply, said: str, code: int) -> None:
    vehicles.there.trouble = lambda nth: reply if nth == 2 else None
    failed = vehicles.sync(code=code)
    assert said in failed.stderr
    assert vehicles.ours() == {}
    assert vehicles.status()["status"] == "failed"
    vehicles.sync()
    assert len(vehicles.ours()) == 10


def test_each_vehicle_without_an_id_counts_as_malformed(vehicles: Vehicles) -> None:
    vehicles.there.vehicles += [vehicle(number) for number in range(11, 31)]
    for one in vehicles.there.vehicles[:3]:
        del one["id"]
    held = vehicles.sync(code=1)
    assert "3 of 30 vehicles are malformed" in held.stderr
    assert vehicles.ours() == {}


def test_many_changes_at_once_are_held_until_a_person_accepts_them(vehicles: Vehicles) -> None:
    vehicles.sync()
    del vehicles.there.vehicles[5:]
    for _ in range(2):
        held = vehicles.sync(code=1)
        assert "5 of 10 vehicles would be retired" in held.stderr
        assert vehicles.status()["status"] == "held"
    assert all(vehicles.ours().values())
    assert len(vehicles.mails.envelopes) == 1
    assert len(vehicles.changes("--kind", "retired")) == 5
    vehicles.sync("--accept-changes")
    assert sum(vehicles.ours().values()) == 5
    assert len(vehicles.mails.envelopes) == 2

    for one in vehicles.there.vehicles:
        one["variant"] = "2.0"
    assert "5 of 5 vehicles would be changed" in vehicles.sync(code=1).stderr
    for one in vehicles.there.vehicles:
        one["variant"] = "1.4"
    vehicles.sync("--restart")
    assert len(vehicles.mails.envelopes) == 2


def test_a_held_sync_that_is_pulled_anew_fails_and_goes_on_as_any_other(vehicles: Vehicles) -> None:
    vehicles.sync()
    there = vehicles.there
    kept = list(there.vehicles)
    del there.vehicles[5:]
    vehicles.sync(code=1)
    there.vehicles[:] = kept
    second = there.asked + 2
    there.trouble = lambda nth: Reply(b"[]") if nth == second else None
    vehicles.sync("--from-stage", "pull", code=65)
    assert vehicles.status()["status"] == "failed"
    there.vehicles.append(vehicle(11))
    assert "it had 10 vehicles, and has 11 now" in vehicles.sync(code=65).stderr
    vehicles.sync()
    assert len(vehicles.ours()) == 11


def test_the_report_that_nobody_takes_stops_the_sync(vehicles: Vehicles) -> None:
    vehicles.mails.mood.answers = {AT_RCPT: "550 nobody"}
    failed = vehicles.sync(code=1)
    assert "refused the recipient" in failed.stderr
    assert vehicles.ours() == {}
    assert vehicles.status()["stage"] == "email"
    assert "email" in vehicles.sync("--status").stdout
    vehicles.mails.mood.answers = {}
    asked = vehicles.there.asked
    vehicles.sync("--from-stage", "email")
    assert vehicles.there.asked == asked
    assert len(vehicles.ours()) == 10


def test_a_report_whose_answer_is_lost_is_not_sent_again(vehicles: Vehicles) -> None:
    mood = vehicles.mails.mood
    mood.answers, mood.times = {AFTER_DATA: "cut"}, 1
    done = vehicles.sync()
    assert "nobody can tell whether the report" in done.stdout + done.stderr
    assert vehicles.status()["report"] == "unknown"
    assert len(vehicles.mails.envelopes) == 1
    assert len(vehicles.ours()) == 10


def test_without_somebody_to_tell_nothing_is_mailed(vehicles: Vehicles) -> None:
    del vehicles.env["CRONOPS_DRIVERIGHT__REPORT_TO"]
    vehicles.sync()
    assert vehicles.mails.envelopes == []
    assert vehicles.status()["report"] == "skipped"


def test_stages_are_not_left_out(vehicles: Vehicles) -> None:
    assert "no sync is on its way" in vehicles.sync("--from-stage", "update", code=64).stderr
    vehicles.sync("--from-stage", "pull", "--restart", code=2)
    vehicles.sync("--status", "--restart", code=2)
    vehicles.there.trouble = lambda nth: Reply(b"", status=404) if nth == 1 else None
    vehicles.sync(code=65)
    refused = vehicles.sync("--from-stage", "email", code=64)
    assert "the sync is at pull, which comes before email" in refused.stderr


def test_the_key_is_not_recorded_where_the_answer_repeats_it(vehicles: Vehicles) -> None:
    vehicles.there.trouble = lambda nth: Reply(b"no such key: drive key", status=403)
    vehicles.sync(code=78)
    assert "no such key: ***" in vehicles.status()["problem"]


def test_it_is_not_set_up(vehicles: Vehicles) -> None:
    refused = vehicles.sync(env={"CRONOPS_DRIVERIGHT__API_KEY": ""}, code=78)
    assert "CRONOPS_DRIVERIGHT__API_KEY" in refused.stderr
    assert "No sync was made" not in vehicles.sync("--status").stdout


STEPS = [
    *("pull", "pulled", "pulled", "pulled"),
    *("sync", "compared", "email", "mail", "mailed", "update", "updated"),
]


@pytest.mark.timeout(180)
def test_a_run_killed_at_any_step(vehicles: Vehicles, tmp_path) -> None:
    """It goes on where it came to: the end is the same, and the report is mailed once at most."""
    vehicles.sync()
    vehicles.there.vehicles[0] |= {"builtUntil": 2021}
    vehicles.there.vehicles.append(vehicle(11))
    expected = None
    for number in range(len(STEPS) + 1):
        for table in ("vehicle", "driveright_run"):
            vehicles.database.query(f"TRUNCATE {table} CASCADE")
        vehicles.mails.envelopes.clear()
        command = (*JOB, "--wait", "10s")
        steps = run_to_step(vehicles.database, tmp_path, number, *command, env=vehicles.env)
        if number == 0:
            assert steps == STEPS
            expected = vehicles.everything()
            assert len(expected) == 22
            assert len(vehicles.mails.envelopes) == 1
            continue
        assert steps == STEPS[:number]
        asked = vehicles.there.asked
        run_to_step(vehicles.database, tmp_path, 0, *command, env=vehicles.env)
        assert vehicles.everything() == expected, STEPS[number - 1]
        at = STEPS[number - 1]
        # Killed between its record and the mail: nobody can tell, and it is not sent.
        assert len(vehicles.mails.envelopes) == (0 if at == "mail" else 1), at
        if number in (2, 3):
            assert vehicles.there.asked - asked == 3 - (number - 1)
