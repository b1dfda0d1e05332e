"""``cronops customers notify-license-expiration``: who is reminded, when, and how often."""

import json

import pytest

from tests.integration.jobs.customers.conftest import Reminders
from tests.partners import mail_server
from tests.partners.smtp import AFTER_DATA, AT_DATA, AT_RCPT


def test_each_gets_the_tightest_offset_that_is_due_and_gets_it_once(reminders: Reminders) -> None:
    due = {14: 14, 13: 14, 8: 14, 7: 7, 2: 7, 1: 1, 0: 1}
    expected = {(reminders.license(left), offset): "sent" for left, offset in due.items()}
    for left in (15, 100, -1):
        reminders.license(left)

    done = reminders.run()

    assert "7 sent" in done.stdout
    assert reminders.states() == expected
    assert reminders.server.recipients == [f"{number}@example.org" for number in range(1, 8)]
    assert reminders.server.connections == 1
    reminders.run()
    assert len(reminders.server.envelopes) == 7
    mail = reminders.server.mails[3]
    assert mail["From"] == "nord@shop.example"
    assert mail["Message-ID"].startswith("<license.4.")
    assert mail["Message-ID"].endswith(".7.nord@shop.example>")
    assert mail["List-Unsubscribe"] == "<mailto:nord@shop.example?subject=unsubscribe>"
    plain, html = mail.iter_parts()
    assert "Guten Tag Anna Räder," in plain.get_content()
    assert "<p>Guten Tag Anna Räder,</p>" in html.get_content()


def test_only_active_licences_of_approved_customers_that_do_not_renew_themselves(
    reminders: Reminders,
) -> None:
    sent = reminders.license(7)
    for facts in (
        {"status": "cancelled"},
        {"status": "expired"},
        {"approved": "pending"},
        {"approved": "suspended"},
        {"auto_renew": True},
    ):
        reminders.license(7, **facts)

    reminders.run()

    assert reminders.states() == {(sent, 7): "sent"}
    reminders.run(env={"CRONOPS_CUSTOMERS__RENEWING_TOO": "true"})
    assert len(reminders.server.envelopes) == 2


def test_a_renewal_arms_anew_and_other_offsets_follow(reminders: Reminders) -> None:
    license_id = reminders.license(7)
    reminders.run()
    reminders.database.query("UPDATE license SET valid_until = valid_until - 6")
    reminders.run()
    assert reminders.states() == {(license_id, 7): "sent", (license_id, 1): "sent"}
    reminders.database.query("UPDATE license SET valid_until = valid_until + 366")
    reminders.run()
    assert len(reminders.server.envelopes) == 2
    reminders.database.query("UPDATE license SET valid_until = valid_until - 361")
    reminders.run()
    assert len(reminders.server.envelopes) == 3


def test_a_day_begins_in_the_tenants_zone(reminders: Reminders) -> None:
    # They are 26 hours apart: there is always one of them in another day.
    east = reminders.tenant("east", zone="Pacific/Kiritimati")
    west = reminders.tenant("west", zone="Etc/GMT+12")
    for tenant in (east, west):
        for days in (15, 14, -1):
            reminders.license(days, tenant=tenant)
    reminders.run()
    assert reminders.states() == {(2, 14): "sent", (5, 14): "sent"}


def test_an_address_that_is_none_is_reported_and_the_rest_goes_on(reminders: Reminders) -> None:
    reminders.license(7, email=None)
    reminders.license(7, email="anna@")
    reminders.license(7, email="a@example.org\r\nBcc: all@example.org")
    reminders.license(7)
    done = reminders.run()
    assert reminders.server.recipients == ["4@example.org"]
    assert reminders.counts() == {"sent": 1, "unaddressed": 3}
    assert "licences 1, 2, 3" in done.stdout + done.stderr
    assert "Bcc" not in done.stderr


def test_a_server_that_refuses_one_is_reported_and_asked_again_the_next_time(
    reminders: Reminders,
) -> None:
    reminders.license(7)
    reminders.license(7)
    mood = reminders.server.mood
    mood.answers, mood.to = {AT_RCPT: "550 1@example.org is nobody"}, "1@"
    done = reminders.run()
    assert reminders.states() == {(1, 7): "refused", (2, 7): "sent"}
    assert "the mail server refused licence 1" in done.stdout + done.stderr
    mood.answers = {}
    reminders.run()
    assert reminders.states() == {(1, 7): "sent", (2, 7): "sent"}
    [refused] = [row for row in reminders.listed() if row["license_id"] == 1]
    assert refused["tries"] == 2


def test_a_server_that_fails_half_way_gets_the_rest_the_next_time(reminders: Reminders) -> None:
    for _ in range(3):
        reminders.license(7)
    mood = reminders.server.mood
    mood.answers, mood.to = {AT_RCPT: "451 later"}, "2@"
    reminders.run(code=1)
    assert reminders.states() == {(1, 7): "sent", (2, 7): "deferred", (3, 7): "sent"}
    # Each attempt asked for the one again, and for no other.
    assert reminders.counts() == {"sent": 2, "deferred": 1}
    mood.answers = {}
    reminders.run()
    assert sorted(reminders.server.recipients) == [f"{n}@example.org" for n in (1, 2, 3)]


def test_those_that_are_put_off_each_time_do_not_keep_others_from_being_asked(
    reminders: Reminders,
) -> None:
    for number in range(25):
        reminders.license(7, email=f"{number}@slow.example")
    reminders.license(7)
    mood = reminders.server.mood
    mood.answers, mood.to = {AT_RCPT: "451 later"}, "@slow.example"
    # Each attempt leaves off after twenty of them.
    reminders.run(code=1)
    assert reminders.server.recipients == ["26@example.org"]
    mood.answers = {}
    reminders.run()
    assert len(reminders.server.envelopes) == 26


@pytest.mark.parametrize("how", ["cut", "hang"])
def test_an_answer_that_is_lost_leaves_unknown_which_only_an_option_sends_again(
    reminders: Reminders, how: str
) -> None:
    reminders.license(7)
    reminders.license(7)
    mood = reminders.server.mood
    mood.answers, mood.to, mood.times = {AFTER_DATA: how}, "1@", 1
    failed = reminders.run(env={"CRONOPS_CLIENTS__READ_TIMEOUT": "1s"}, code=1)
    assert "cronops customers reminders --state unknown" in failed.stdout + failed.stderr
    assert reminders.states() == {(1, 7): "unknown", (2, 7): "sent"}
    done = reminders.run()
    assert "1 earlier reminders are unknown" in done.stdout + done.stderr
    assert [row["license_id"] for row in reminders.listed("--state", "unknown")] == [1]
    assert reminders.server.recipients == ["1@example.org", "2@example.org"]

    reminders.run("--resend-unknown", "--license", "1")

    assert reminders.server.recipients[2:] == ["1@example.org"]
    first, _, again = reminders.server.mails
    assert first["Message-ID"] == again["Message-ID"]
    assert reminders.listed("--state", "unknown") == []


def test_what_became_unknown_is_neither_sent_nor_forgotten_by_the_next_attempt(
    reminders: Reminders,
) -> None:
    reminders.license(7)
    mood = reminders.server.mood
    mood.answers, mood.to = {AFTER_DATA: "cut"}, "1@"
    reminders.run(code=1)
    # The first attempt ends because too many are put off one after the other; the second is well.
    for number in range(20):
        reminders.license(7, email=f"slow{number}@example.org")
    late = iter(["451 later"] * 20)
    mood.strikes = lambda point, recipient="": (  # type: ignore[method-assign]
        ("cut" if point == AFTER_DATA else "")
        if recipient.startswith("1@")
        else (next(late, "") if point == AT_RCPT else "")
    )
    failed = reminders.run("--resend-unknown", code=1)
    assert "no answer came for licence 1:" in failed.stdout + failed.stderr
    assert reminders.counts() == {"sent": 20, "unknown": 1}
    assert reminders.server.recipients.count("1@example.org") == 2


def test_a_mail_lost_before_its_end_is_sent_by_the_next_attempt(reminders: Reminders) -> None:
    reminders.license(7)
    mood = reminders.server.mood
    mood.answers, mood.times = {AT_DATA: "451 not now"}, 1
    reminders.run()
    assert reminders.states() == {(1, 7): "sent"}
    assert reminders.counts() == {"sent": 1}


def test_a_dry_run_makes_every_mail_and_sends_none(reminders: Reminders) -> None:
    reminders.license(7)
    done = reminders.run("--dry-run")
    assert "dry run: nothing was sent or recorded" in done.stdout + done.stderr
    assert reminders.counts() == {"sent": 1}
    assert reminders.states() == {}
    assert reminders.server.connections == 0


def test_a_preview_prints_the_mail_and_sends_none(reminders: Reminders) -> None:
    number = reminders.license(200, language="fr-BE")
    done = reminders.run("--preview", str(number))
    assert "From: nord@shop.example\n" in done.stdout
    assert "Subject: Votre licence chez Reifen nord expire le" in done.stdout
    assert "<p>Bonjour Anna Räder,</p>" in done.stdout
    assert reminders.server.connections == 0
    assert reminders.states() == {}
    assert "there is no licence 99" in reminders.run("--preview", "99", code=64).stderr
    reminders.run("--preview", "1", "--dry-run", code=2)


def test_one_tenants_wording_and_zone_are_its_own_trouble(
    reminders: Reminders, template_dir
) -> None:
    broken = reminders.tenant("broken")
    lost = reminders.tenant("lost", zone="Europe/Atlantis")
    mute = reminders.tenant("mute", sender=None)
    for tenant in (1, broken, lost, mute):
        reminders.database.query("UPDATE tenant SET zone = 'UTC' WHERE id = %s", (tenant,))
        reminders.license(7, tenant=tenant)
    reminders.database.query("UPDATE tenant SET zone = 'Europe/Atlantis' WHERE code = 'lost'")
    (template_dir / "broken" / "de").mkdir(parents=True)
    (template_dir / "broken" / "de" / "content.txt").write_text(
        "Subject: Hallo {surname}\n\nHallo\n"
    )

    done = reminders.run(code=1)

    assert reminders.server.recipients == ["1@example.org"]
    for said in (
        "it asks for {surname}",
        "no time zone is called 'Europe/Atlantis'",
        "CRONOPS_CUSTOMERS__SENDER is not set",
    ):
        assert said in done.stdout + done.stderr
    assert reminders.counts() == {"sent": 1, "failed": 3}


def test_wording_of_ones_own_by_tenant_and_language(reminders: Reminders, template_dir) -> None:
    (template_dir / "nord" / "nl").mkdir(parents=True)
    (template_dir / "nord" / "nl" / "content.txt").write_text(
        "Subject: Hoi {firstname} <{lastname}>\n\nTot {valid_until}, nog {days} dagen.\n"
    )
    (template_dir / "layout.html").write_text("<b>{{ subject }}</b>{{ paragraphs[0] }}")
    reminders.license(7, language="nl_BE", firstname="A & B\r\nX: y", lastname="C")
    reminders.license(7, language="xx")
    reminders.run(env={"CRONOPS_CUSTOMERS__UNSUBSCRIBE": "https://x.example/{tenant}/{license}"})
    dutch, german = reminders.server.mails
    assert dutch["Subject"] == "Hoi A & B X: y <C>"
    _, html = dutch.iter_parts()
    assert html.get_content().startswith("<b>Hoi A &amp; B X: y &lt;C&gt;</b>Tot ")
    assert dutch["List-Unsubscribe"] == "<https://x.example/nord/1>"
    assert dutch["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert german["Subject"].startswith("Ihre Lizenz")


def test_only_the_tenants_and_licences_that_are_asked_for(reminders: Reminders) -> None:
    sud = reminders.tenant("sud")
    reminders.license(7)
    reminders.license(7, tenant=sud)
    reminders.license(7, tenant=sud)
    reminders.run("--tenant", "sud", "--license", "3", "--license", "1")
    assert reminders.states() == {(3, 7): "sent"}
    assert "no tenant has the code west" in reminders.run("--tenant", "west", code=64).stderr


def test_the_password_and_addresses_are_in_no_log(reminders: Reminders) -> None:
    reminders.license(7)
    with mail_server() as server:
        done = reminders.run(env=server.environment | {"CRONOPS_LOG_LEVEL": "debug"})
        assert server.recipients == ["1@example.org"]
        assert server.logins == 1
        wrong = server.environment | {"CRONOPS_MAIL__PASSWORD": "quite wrong"}
        reminders.license(7)
        refused = reminders.run(env=wrong, code=78)
    for text in (done.stdout, done.stderr, refused.stdout, refused.stderr):
        assert "pass word" not in text
        assert "quite wrong" not in text
        assert "@example.org" not in text
    assert reminders.states() == {(1, 7): "sent", (2, 7): "deferred"}
    assert json.dumps(reminders.database.query("SELECT answer FROM reminder")).count("quite") == 0
