"""Where settings are found, which one counts, and what is said of a wrong one."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cronops.config import leaves, load_settings
from cronops.errors import ConfigurationError

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)
VARIABLES = sorted(leaf.variable for leaf in leaves())
per_example = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(st.dictionaries(st.sampled_from(VARIABLES), TEXTS, max_size=4))
def test_whatever_the_environment_holds_it_loads_or_says_which_variable_is_wrong(
    environment: dict[str, str],
) -> None:
    told = {f"environment {name}" for name in environment}
    try:
        assert set(load_settings(environment).sources.values()) == told
    except ConfigurationError as error:
        told = {name for name in environment if name in str(error)}
    assert told or not environment


@given(st.dictionaries(st.sampled_from(VARIABLES), st.just("")))
def test_an_empty_variable_is_none(environment: dict[str, str]) -> None:
    loaded = load_settings(environment)

    assert loaded.sources == {}
    assert loaded.settings == load_settings({}).settings


@per_example
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=16))
def test_a_secret_file_holds_the_same_as_the_variable(tmp_path: Path, secret: str) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{secret}\n")

    from_file = load_settings({"CRONOPS_DATABASE_URL_FILE": str(file)})
    assert from_file.settings == load_settings({"CRONOPS_DATABASE_URL": secret}).settings
    assert from_file.sources == {"database_url": f"secret file {file}"}
    assert from_file.settings.database_url is not None
    assert from_file.settings.database_url.get_secret_value() == secret
    another = load_settings({"CRONOPS_DATABASE_URL": "another"}).settings
    assert repr(from_file.settings) == repr(another)


def test_environment_outweighs_the_file_and_both_say_where_they_come_from(tmp_path: Path) -> None:
    file = tmp_path / "cronops.toml"
    file.write_text('[lock]\nttl = "30s"\n[queue]\nbatch_size = 7\n')

    loaded = load_settings({"CRONOPS_CONFIG": str(file), "CRONOPS_LOCK__TTL": "PT45S"})

    assert loaded.settings.lock.ttl.total_seconds() == 45
    assert loaded.settings.queue.batch_size == 7
    assert loaded.sources == {
        "lock.ttl": "environment CRONOPS_LOCK__TTL",
        "queue.batch_size": f"file {file}",
    }


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"CRONOPS_LOCK__TTL": "soon"}, "CRONOPS_LOCK__TTL"),
        ({"CRONOPS_LOCK__TTL": "0.5"}, "CRONOPS_LOCK__TTL"),
        ({"CRONOPS_RETENTION__QUEUE": "0"}, "CRONOPS_RETENTION__QUEUE"),
        ({"CRONOPS_CRON_RUNNING": "perhaps"}, "CRONOPS_CRON_RUNNING"),
        ({"CRONOPS_DB__SCHEMA": "a; DROP"}, "CRONOPS_DB__SCHEMA"),
        ({"CRONOPS_CONFIG": "/nowhere.toml"}, "CRONOPS_CONFIG"),
        ({"CRONOPS_DATABASE_URL_FILE": "/nowhere"}, "CRONOPS_DATABASE_URL_FILE"),
        ({"CRONOPS_ALERTS__ROUTES": "{"}, "CRONOPS_ALERTS__ROUTES"),
        ({"CRONOPS_CLEAN_WINDOW__START": "22:00"}, "CRONOPS_CLEAN_WINDOW__START"),
    ],
)
def test_a_wrong_setting_is_named(environment: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        load_settings(environment)


def test_a_setting_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="unset one of them"):
        load_settings({"CRONOPS_DATABASE_URL": "x", "CRONOPS_DATABASE_URL_FILE": str(tmp_path)})


def test_a_key_that_does_not_exist_is_refused_and_a_variable_told(tmp_path: Path) -> None:
    file = tmp_path / "cronops.toml"
    file.write_text("[lock]\ntll = 30\n")
    with pytest.raises(ConfigurationError, match=r"lock\.tll"):
        load_settings({"CRONOPS_CONFIG": str(file)})
    assert load_settings({"CRONOPS_LOCK__TLL": "30"}).unknown_variables == ("CRONOPS_LOCK__TLL",)


def test_no_error_shows_a_secret() -> None:
    routes = json.dumps({"Shared Ops": [{"url": "tokentoken"}]})
    with pytest.raises(ConfigurationError) as caught:
        load_settings({"CRONOPS_ALERTS__ROUTES": routes})
    assert "tokentoken" not in str(caught.value)
