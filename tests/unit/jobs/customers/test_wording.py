"""The mail of a reminder: content, layout, and what is wrong with either."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cronops.config import Settings
from cronops.jobs.customers.due import Due, Tenant
from cronops.jobs.customers.wording import Wording, WordingError

SHOP = Tenant(1, "nord", "Reifen Nord", "UTC", "de", "Nord <nord@shop.example>")


def due(**facts: Any) -> Due:
    given: dict[str, Any] = {
        "license_id": 7,
        "valid_until": date(2026, 12, 24),
        "days_before": 14,
        "days_left": 13,
        "customer_id": 8,
        "email": "anna@example.org",
        "firstname": "Anna",
        "lastname": "Räder",
        "language": None,
    }
    return Due(**{**given, **facts})


def wording(directory: Path | None = None, **settings: Any) -> Wording:
    return Wording(Settings(customers={"template_dir": directory, **settings}).customers, SHOP)


def write(path: Path, text: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("de", "Ihre Lizenz bei Reifen Nord endet am 24.12.2026"),
        ("de_AT", "Ihre Lizenz bei Reifen Nord endet am 24.12.2026"),
        ("EN", "Your licence with Reifen Nord ends on 2026-12-24"),
        ("fr-BE", "Votre licence chez Reifen Nord expire le 24/12/2026"),
        ("nl", "Uw licentie bij Reifen Nord loopt af op 24-12-2026"),
        (None, "Ihre Lizenz bei Reifen Nord endet am 24.12.2026"),
        ("xx", "Ihre Lizenz bei Reifen Nord endet am 24.12.2026"),
        ("../../etc", "Ihre Lizenz bei Reifen Nord endet am 24.12.2026"),
    ],
)
def test_every_language_that_is_packaged_and_what_stands_in_for_others(language, subject):
    mail = wording().mail(due(language=language))
    assert mail.subject == subject
    assert "Reifen Nord" in mail.text
    assert mail.html is not None
    assert "{" not in mail.html.partition("<body")[2].partition(">")[2]
    assert mail.message_id == "<license.7.20261224.14.nord@shop.example>"


def test_a_name_that_is_missing_leaves_no_gap():
    mail = wording().mail(due(firstname=None, lastname=""))
    assert mail.text.startswith("Guten Tag,\n")


def test_the_nearest_file_wins(tmp_path):
    write(tmp_path / "de" / "content.txt", "Subject: all\n\nx")
    assert wording(tmp_path).mail(due()).subject == "all"
    write(tmp_path / "nord" / "de" / "content.txt", "Subject: nord\n\nx")
    assert wording(tmp_path).mail(due()).subject == "nord"
    assert wording(tmp_path).mail(due(language="fr")).subject.startswith("Votre")
    # A layout says nothing of a language: one is enough for all.
    write(tmp_path / "nord" / "layout.txt", "{{ language }}: {{ values.days }}")
    assert wording(tmp_path).mail(due(language="fr")).text == "fr: 13"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("content.txt", "", "a line 'Subject: …'"),
        ("content.txt", "Subject:\n\nx", "a line 'Subject: …'"),
        ("content.txt", "Subject: x", "a line 'Subject: …'"),
        ("content.txt", "Subject: {email}\n\nx", "it asks for {email}; there are {firstname}"),
        ("content.txt", b"Subject: \xff\n\nx", "not UTF-8"),
        ("content.txt", b"Subject: x\n\n" + b"x" * 1_000_001, "more than 1,000,000 bytes"),
        ("layout.html", "{{ nothing }}", "'nothing' is undefined"),
        ("layout.html", "\n{% for %}", "layout.html, line 2"),
        ("layout.html", "{{ ''.__class__.__mro__ }}", "layout.html"),
        ("layout.html", "{{ 1 / 0 }}", "division by zero"),
        ("layout.html", "{% include 'other' %}", "no loader"),
        ("layout.txt", "{{ paragraphs.append(1) }}", "unsafe"),
    ],
)
def test_what_is_no_wording_says_where_and_why(tmp_path, name, text, said):
    write(tmp_path / "nord" / "de" / name, text)
    with pytest.raises(WordingError) as raised:
        wording(tmp_path).mail(due())
    assert said in str(raised.value)


@pytest.mark.parametrize(
    "layout", ["{{ 5 | wordwrap(3) }}", "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}"]
)
def test_a_layout_that_fails_in_any_way_is_its_tenants_trouble(tmp_path, layout):
    write(tmp_path / "layout.txt", layout)
    with pytest.raises(WordingError, match="layout"):
        wording(tmp_path).mail(due())


def test_html_is_escaped_and_text_is_not():
    mail = wording().mail(due(firstname="<b>A</b>", lastname="& Co"))
    assert mail.html is not None
    assert "&lt;b&gt;A&lt;/b&gt; &amp; Co" in mail.html
    assert "<b>A</b> & Co" in mail.text


@pytest.mark.parametrize("braces", ["{firstname}", "{{ 1 + 1 }}", "{lastname.__class__}"])
def test_what_customers_are_called_is_no_template(braces):
    assert braces in wording().mail(due(lastname=braces)).text


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"sender": None}, "no sender"),
        ({"sender": "x"}, "no address"),
        ({"code": "../x"}, "its code"),
    ],
)
def test_a_tenant_that_cannot_write(facts, said):
    tenant = Tenant(**{**SHOP.__dict__, **facts})
    with pytest.raises(WordingError, match=said):
        Wording(Settings().customers, tenant)


def test_the_sender_of_all():
    tenant = Tenant(**{**SHOP.__dict__, "sender": None})
    settings = Settings(customers={"sender": "all@shop.example"})
    assert Wording(settings.customers, tenant).mail(due()).sender == "all@shop.example"


def test_unsubscribing():
    one_click = wording(unsubscribe="https://x.example/{tenant}?c={customer}&l={license}")
    assert one_click.mail(due()).headers == {
        "List-Unsubscribe": "<https://x.example/nord?c=8&l=7>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    by_mail = wording(unsubscribe="mailto:stop@x.example?subject={license}")
    assert by_mail.mail(due()).headers == {"List-Unsubscribe": "<mailto:stop@x.example?subject=7>"}
