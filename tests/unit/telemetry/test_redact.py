import base64
import traceback
from datetime import datetime
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronops.config import Settings
from cronops.telemetry.redact import MASK, Redactor, mask_url

# A secret that holds the mask's own character would be found in the mask.
SECRETS = st.text(st.characters(exclude_characters="*", exclude_categories=["Cs"]), min_size=4)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
PASSWORDS = st.text("abcXYZ019!$&+,;=.~^", min_size=4)


@given(st.lists(SECRETS, min_size=1, max_size=5), st.lists(TEXTS, min_size=1), st.randoms())
def test_no_registered_secret_survives(secrets, texts, random):
    redactor = Redactor(secrets)
    pieces = [*secrets, *texts]
    random.shuffle(pieces)
    redacted = redactor.redact("".join(pieces))
    for secret in secrets:
        if "://" not in secret:
            assert secret not in redacted


@given(SECRETS, TEXTS)
def test_text_without_secrets_is_left_alone(secret, text):
    redactor = Redactor([secret])
    plain = "".join(character for character in text if character not in secret and character != "%")
    if "://" not in plain and "assword" not in plain.lower():
        assert redactor.redact(plain) == plain


@given(st.sampled_from(["postgresql", "https", "ftp", "amqp+tls"]), PASSWORDS, PASSWORDS)
def test_the_password_of_an_unknown_url_is_masked_by_its_shape(scheme, user, password):
    text = f"cannot reach {scheme}://{user}:{password}@db.example:5432/shop, giving up"
    assert Redactor().redact(text) == (
        f"cannot reach {scheme}://{user}:{MASK}@db.example:5432/shop, giving up"
    )


@given(SECRETS)
def test_secrets_are_found_in_every_depth_and_in_keys(secret):
    redactor = Redactor([secret])
    nested = {"a": [{"b": (secret, {f"key {secret}": f"x{secret}y"})}], "n": 7, "o": None}
    redacted = redactor.redact_value(nested)
    assert secret not in "\0".join(_texts(redacted))
    assert redacted["n"] == 7
    assert redacted["o"] is None


def _texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from (*_texts(key), *_texts(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def test_values_shorter_than_four_characters_would_shred_ordinary_text():
    assert Redactor(["abc", ""]).redact("abcd abc") == "abcd abc"


def test_overlapping_secrets_are_masked_as_one():
    assert Redactor(["abcd", "cdefg"]).redact("x abcdefg y") == f"x {MASK} y"


@pytest.mark.parametrize("spelling", [quote("p@ss/w:rd", safe=""), "p@ss/w:rd"])
def test_the_password_of_a_registered_url_is_known_in_both_spellings(spelling):
    redactor = Redactor(["postgresql://cron:p%40ss%2Fw%3Ard@db/shop"])
    assert redactor.redact(f"password is {spelling}.") == f"password is {MASK}."


def test_a_secret_is_found_as_repr_and_json_write_it():
    redactor = Redactor(['a"b\\c\nd'])
    assert redactor.redact(repr({"k": 'a"b\\c\nd'})) == f"{{'k': '{MASK}'}}"


def test_basic_authorisation_made_of_a_registered_url_is_masked():
    redactor = Redactor(["http://scrape:hunter22@gateway:9091"])
    header = base64.b64encode(b"scrape:hunter22").decode()
    assert redactor.redact(f"Authorization: Basic {header}") == f"Authorization: Basic {MASK}"


def test_tokens_in_service_urls_are_masked_but_hosts_are_not():
    redactor = Redactor(
        [
            "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
            "https://hooks.example/services/B0AA11BB22/long?key=open-sesame",
            "json://localhost:8025/path",
        ]
    )
    text = "T1JJ3T3L2 A1BRTD4JD TIiajkdnlazkcOXrIdevi7FQ B0AA11BB22 open-sesame localhost path"
    assert redactor.redact(text) == f"{MASK} {MASK} {MASK} {MASK} {MASK} localhost path"


def test_a_connection_string_in_key_value_form_loses_its_password():
    assert (
        Redactor().redact("host=db password=hunter22 user=x") == f"host=db password={MASK} user=x"
    )
    assert Redactor().redact("password='a b\\'c' user=x") == f"password={MASK} user=x"


def test_every_secret_in_the_settings_is_registered():
    settings = Settings(
        database_url="postgresql://cron:db-secret@db/shop",
        pushgateway_url="http://push:gateway-secret@gw",
        alertmanager_url="http://am:manager-secret@am",
        alerts={"routes": {"Shared Ops": ["mailto://u:mail-secret@example.org"]}},
    )
    redactor = Redactor()
    redactor.register_settings(settings)
    text = "db-secret gateway-secret manager-secret mail-secret"
    assert redactor.redact(text) == f"{MASK} {MASK} {MASK} {MASK}"


def test_a_traceback_is_redacted_source_lines_included():
    redactor = Redactor(["hunter22"])
    try:
        raise ValueError("cannot log in with hunter22")
    except ValueError as error:
        text = "".join(traceback.format_exception(error))
    assert "hunter22" in text
    assert "hunter22" not in redactor.redact(text)


def test_other_objects_become_their_redacted_text():
    class Holder:
        def __str__(self):
            return "holds hunter22"

    class Broken:
        def __str__(self):
            raise RuntimeError

    values = [Holder(), b"hunter22", datetime(2026, 11, 23), Broken()]
    assert Redactor(["hunter22"]).redact_value(values) == [
        f"holds {MASK}",
        MASK,
        "2026-11-23T00:00:00",
        "<Broken>",
    ]


def test_something_that_contains_itself_is_not_followed_for_ever():
    endless: list[object] = []
    endless.append(endless)
    assert Redactor().redact_value(endless)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://cron:secret@db:5432/shop", "postgresql://cron:***@db:5432/shop"),
        ("postgresql://cron:se/cr@et@db/shop", "postgresql://cron:***@db/shop"),
        ("postgresql://db/shop?password=secret&x=1", "postgresql://db/shop?password=***&x=1"),
        ("http://gateway:9091/path", "http://gateway:9091/path"),
        ("slack://tokenA/tokenB/tokenC", "slack://***"),
        ("pagerduty://key@api", "pagerduty://***"),
        ("mailto://u:secret@example.org", "mailto://u:***@example.org"),
        ("host=db password=secret", "***"),
    ],
)
def test_mask_url_shows_what_is_not_secret(url, shown):
    assert mask_url(url) == shown
