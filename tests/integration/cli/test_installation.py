"""``cronops db``, ``config`` and ``doctor``."""

import json
import socket

import pytest

from tests.commands import CommandLine


@pytest.fixture
def bare(empty_database, tmp_path):
    """The command line against a database without our tables."""
    line = CommandLine(empty_database, tmp_path)
    yield line
    line.close()


def findings(done):
    return {(one["check"], one["state"]): one["detail"] for one in json.loads(done.stdout)}


def test_upgrade_makes_the_tables_once_and_current_agrees(bare):
    before = bare("db", "current")
    assert before.returncode == 78
    assert "cronops db upgrade" in before.stderr
    assert "Upgraded schema cronops to revision" in bare("db", "upgrade").stdout
    assert "already" in bare("db", "upgrade").stdout
    after = json.loads(bare("db", "current", "--json").stdout)
    assert after["current"] is True
    assert after["revision"] == after["needed"]
    again = json.loads(bare("db", "upgrade", "--json").stdout)
    assert again["before"] == again["after"] == after["revision"]


def test_other_commands_refuse_an_old_or_new_schema(cli, database):
    database.query("UPDATE alembic_version SET version_num = '9999'")
    for words in (("runs", "list"), ("queue", "status"), ("db", "current"), ("queue", "process")):
        done = cli(*words)
        assert done.returncode == 78, words
        assert "newer" in done.stderr


def test_stop_without_an_embedded_server(cli):
    assert "No embedded PostgreSQL runs" in cli("db", "stop").stdout
    assert json.loads(cli("db", "stop", "--json").stdout)["stopped"] is False


def test_config_shows_value_and_source_and_no_secret(cli, tmp_path):
    config = tmp_path / "cronops.toml"
    config.write_text('[queue]\nbatch_size = 7\n\n[alerts.routes]\nWebshop = ["json://u:pw99@h/x"]')
    secret = tmp_path / "url"
    secret.write_text("postgresql://shop:hunter22@nowhere/shop")
    env = {
        "CRONOPS_CONFIG": str(config),
        "CRONOPS_DATABASE_URL": "",
        "CRONOPS_DATABASE_URL_FILE": str(secret),
        "CRONOPS_LOCK__TTL": "90",
        "CRONOPS_LOCK__TLL": "1",
    }
    done = cli("config", "show", "--json", env=env)
    rows = {row["key"]: row for row in json.loads(done.stdout)}
    assert rows["queue.batch_size"]["value"] == 7
    assert rows["queue.batch_size"]["source"] == f"file {config}"
    assert rows["lock.ttl"]["value"] == 90
    assert rows["lock.ttl"]["source"] == "environment CRONOPS_LOCK__TTL"
    assert rows["database_url"]["source"] == f"secret file {secret}"
    assert rows["alerts.routes"]["value"] == {"Webshop": ["********"]}
    assert rows["db.schema"]["source"] == "default"
    assert all(row["description"] for row in rows.values())
    assert "CRONOPS_LOCK__TLL is set" in done.stderr
    assert "did you mean 'CRONOPS_LOCK__TTL'" in done.stderr

    table = cli("config", "show", "--changed", env=env)
    assert "CRONOPS_LOCK__TTL" in table.stdout
    assert "1m 30s" in table.stdout
    assert "CRONOPS_DB__SCHEMA" not in table.stdout
    for text in (done.stdout, done.stderr, table.stdout):
        assert "hunter22" not in text
        assert "pw99" not in text


def test_config_shows_credentials_by_name_and_field_and_no_secret_of_them(cli):
    fields = {"username": "acme-orders", "password": "pw99", "private_key": "k99", "token": "t99"}
    env = {"CRONOPS_CLIENTS__CREDENTIALS": json.dumps({"acme": fields})}

    rows = json.loads(cli("config", "show", "--json", "--changed", env=env).stdout)
    [row] = [row for row in rows if row["key"] == "clients.credentials"]
    table = cli("config", "show", "--changed", env=env).stdout

    masked = "********"
    secrets = dict.fromkeys(("password", "private_key", "token"), masked)
    assert row["value"] == {"acme": {"username": "acme-orders", **secrets}}
    assert "acme-orders" in table
    assert not any(secret in json.dumps(row) + table for secret in ("pw99", "k99", "t99"))


def test_a_credential_with_a_misspelt_field_is_told_by_its_place_and_not_by_its_value(cli):
    fields = {"usrname": "acme", "password": "pw99"}
    done = cli(
        "config",
        "show",
        env={"CRONOPS_CLIENTS__CREDENTIALS": json.dumps({"acme": fields})},
    )
    assert done.returncode == 78
    assert "clients.credentials.acme.usrname" in done.stderr
    assert "did you mean 'username'" in done.stderr
    assert "pw99" not in done.stderr


def test_a_sound_installation_has_no_failure(cli, probe):
    done = cli("doctor")
    assert done.returncode == 0, done.stdout
    assert "FAIL" not in done.stdout
    for line in done.stdout.splitlines():
        assert line.startswith(("ok    ", "warn  "))
    checks = {finding["check"] for finding in json.loads(cli("doctor", "--json").stdout)}
    assert {"settings", "database", "schema", "clock", "pooling", "jobs", "handlers"} <= checks
    assert {"alert routes", "pushgateway", "alertmanager"} <= checks


def test_a_database_without_tables_fails_one_check(bare):
    done = bare("doctor", "--json")
    assert done.returncode == 1
    found = findings(done)
    assert "cronops db upgrade" in found["schema", "fail"]
    assert ("database", "ok") in found
    assert ("jobs", "ok") in found


def test_a_database_out_of_reach_does_not_keep_the_other_checks_away(cli):
    url = "postgresql://shop:hunter22@127.0.0.1:9/shop"
    done = cli("doctor", "--json", env={"CRONOPS_DATABASE_URL": url})
    assert done.returncode == 1
    found = findings(done)
    assert "cannot connect" in found["database", "fail"]
    assert ("jobs", "ok") in found
    assert not any(check == "schema" for check, _ in found)
    assert "hunter22" not in done.stdout


def test_wrong_settings_are_a_failure_and_not_a_crash(cli):
    done = cli("doctor", env={"CRONOPS_LOCK__TTL": "soon"})
    assert done.returncode == 1
    assert done.stdout.startswith("FAIL  settings: ")
    assert "CRONOPS_LOCK__TTL" in done.stdout


def test_what_is_doubtful_is_a_warning(cli, database, tmp_path):
    secret = tmp_path / "url"
    secret.write_text(database.url)
    secret.chmod(0o644)
    database.query(
        "INSERT INTO job_pause (job, paused_by, reason) VALUES ('queue process', 'ada', 'upgrade')"
    )
    done = cli(
        "doctor",
        "--json",
        env={
            "CRONOPS_DATABASE_URL": "",
            "CRONOPS_DATABASE_URL_FILE": str(secret),
            "CRONOPS_CRON_RUNING": "false",
            "CRONOPS_CRON_RUNNING": "false",
        },
    )
    assert done.returncode == 0, done.stdout
    found = findings(done)
    assert str(secret) in found["secret files", "warn"]
    assert found["pauses", "warn"] == "queue process is paused by ada: upgrade"
    warnings = [
        one["detail"]
        for one in json.loads(done.stdout)
        if (one["check"], one["state"]) == ("settings", "warn")
    ]
    assert any("CRONOPS_CRON_RUNING" in warning for warning in warnings)
    assert "CRONOPS_CRON_RUNNING is false" in warnings


def test_routes_gateways_and_owners_that_do_not_work_are_failures(cli, probe, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: refuses
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        done = cli(
            "doctor",
            "--json",
            env={
                "CRONOPS_PUSHGATEWAY_URL": address,
                "CRONOPS_ALERTS__ROUTES": '{"Shared Opps": ["json://h/x"]}',
                "CRONOPS_METRICS_TEXTFILE": str(tmp_path / "no" / "such.prom"),
            },
        )
    assert done.returncode == 1
    found = findings(done)
    assert "does not answer" in found["pushgateway", "fail"]
    assert "cannot write" in found["metrics file", "fail"]
    routes = [one["detail"] for one in json.loads(done.stdout) if one["check"] == "alert routes"]
    assert any("did you mean 'Shared Ops'" in detail for detail in routes)


def test_the_doctor_tells_of_missing_articles_and_of_found_ones(cli, database, shop):
    assert ("shop", "ok") in findings(cli("doctor", "--json"))
    database.query("ALTER TABLE shop.article DROP COLUMN topm_id")
    done = cli("doctor", "--json")
    assert "lacks topm_id" in findings(done)["shop", "warn"]
    database.query("DROP SCHEMA shop CASCADE")
    done = cli("doctor", "--json")
    assert "there is no table or view shop.article" in findings(done)["shop", "warn"]
    assert done.returncode == 0
