from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from cronops.config.load import problems_of
from cronops.schedules.declarations import CommandProblem, Declaration, Resource
from cronops.schedules.rules import access
from tests.unit.schedules.builders import (
    DATABASE,
    DECLARED,
    DEFAULTS,
    TODAY,
    Jobs,
    check,
    errors,
    found,
    jobs,
)

ROOT = Path(__file__).parents[3]
SECRET = {"secretName": "ftp", "key": "password"}
CLAIM = {"persistentVolumeClaim": {"claimName": "stock"}}
STOCK = {"mountPath": "/data/stock", **CLAIM}
PORTS = [{"port": 443}]
# Put together here, so that no scanner takes this file for one that holds secrets.
RANDOM = "qX7" + "mR4tZ9" + "kB2wN8vL5cJ3hF6"
TOKEN = "eyJhbGciOi" + "JIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2ln"
PRIVATE_KEY = "-----BEGIN RSA " + "PRIVATE KEY-----"


def _env(**said: str) -> dict[str, Any]:
    return {"env": said}


def _egress(*peers: dict[str, Any], ports: Any = None) -> dict[str, Any]:
    return {"egress": {"shop": {"to": list(peers), "ports": PORTS if ports is None else ports}}}


def _block(cidr: str, *exceptions: str) -> dict[str, Any]:
    return _egress({"ipBlock": {"cidr": cidr, "except": list(exceptions)}})


def _secret(**said: Any) -> dict[str, Any]:
    return {"secrets": {"ftp": {**SECRET, **said}}}


def _volume(**said: Any) -> dict[str, Any]:
    return {"volumes": {"stock": said}}


INNER = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16")
BROKEN: list[tuple[str, dict[str, Any], str]] = [
    ("command-unknown", {"command": "stock imprt"}, "'stock imprt'"),
    ("command-option", {"command": "stock export --all"}, "--all"),
    ("command-shell", {"command": "stock export | tee log"}, "'|'"),
    ("command-shell", {"command": "stock export && queue clean"}, "'&&'"),
    ("command-shell", {"command": "stock export >/dev/null 2>&1"}, "'>'"),
    ("command-shell", {"command": "stock export --supplier=$NAME"}, "'$NAME'"),
    ("command-shell", {"command": 'stock export --supplier="$(hostname)"'}, "'$(hostname)'"),
    ("command-shell", {"command": "stock export --supplier=`id`"}, "'`'"),
    ("command-shell", {"command": "stock export --supplier='abc"}, "close the quote"),
    ("command-shell", {"command": "stock export --supplier=$(CRONOPS_RUN_ID)"}, "stays"),
    ("command-program", {"command": "cronops stock export"}, "write stock export"),
    ("command-program", {"command": "/opt/cronops/bin/cronops stock export"}, "write stock export"),
    ("command-program", {"command": "curl -s https://shop.example.com/cron.php"}, "no page"),
    ("command-program", {"command": "https://shop.example.com/cron.php"}, "no page"),
    ("command-program", {"command": "flock -n /tmp/x stock export"}, "lock and timeout"),
    ("command-program", {"command": "bash -c 'stock export'"}, "'bash'"),
    ("command-program", {"command": "/usr/bin/php cron.php"}, "'/usr/bin/php'"),
    ("command-program", {"command": "LANG=C stock export"}, "under env"),
    ("secret-inline", _env(CRONOPS_DATABASE_URL="postgresql://db/shop?password=x"), "password"),
    ("secret-inline", _env(CRONOPS_DATABASE_URL="host=db user=shop"), "CRONOPS_DATABASE_URL_FILE"),
    ("secret-inline", _env(CRONOPS_ALERTS__ROUTES='{"Shared Ops": ["mailto://x"]}'), "_FILE"),
    ("secret-inline", _env(CRONOPS_PUSHGATEWAY_URL="http://me@push:9091"), "user's name"),
    ("secret-inline", _env(SHOP_URL="https://shop:hunter2@shop.example.com"), "password"),
    ("secret-inline", _env(FTP_PASSWORD="hunter2"), "calls a secret"),
    ("secret-inline", _env(SHOP_API_KEY="abc"), "calls a secret"),
    ("secret-inline", _env(shopToken="abc"), "calls a secret"),
    ("secret-inline", _env(PGPASSWORD="abc"), "calls a secret"),
    ("secret-inline", _env(DB_PWD="abc"), "calls a secret"),
    ("secret-inline", _env(CALL="Authorization: Bearer abcdefgh1234"), "authorizes"),
    ("secret-inline", _env(CHAT="https://hooks.slack.com/services/T0/B0/x"), "webhook"),
    ("secret-inline", _env(CERTIFICATE=PRIVATE_KEY), "private key"),
    ("secret-inline", _env(SESSION=TOKEN), "JWT"),
    ("secret-inline", _env(CLOUD="AKIA" + "IOSFODNN7EXAMPLE"), "AWS"),
    ("secret-inline", _env(HOOK=f"https://hooks.example.com/services/{RANDOM}"), "random"),
    ("secret-inline", _env(THING=RANDOM), "random"),
    ("secret-inline", {"labels": {"example.com/token": "abc"}}, "calls a secret"),
    ("secret-inline", {"annotations": {"note": f"key {RANDOM}"}}, "random"),
    ("secret-in-command", {"command": "stock export --password=hunter2"}, "--password"),
    ("secret-in-command", {"command": "stock export --api-key hunter2"}, "--api-key"),
    ("secret-in-command", {"command": f"stock export --supplier={RANDOM}"}, "random"),
    ("secret-in-text", {"description": "Log in by password=hunter2."}, "password"),
    (
        "secret-in-text",
        {"suspend": {"until": "2999-01-01", "by": "Ops", "why": f"key {RANDOM}"}},
        "random",
    ),
    ("env-name", _env(**{"SHOP-URL": "x"}), "write SHOP_URL"),
    ("env-name", _env(**{"1ST": "x"}), "'1ST'"),
    ("env-size", _env(LONG="x" * (128 << 10)), "LONG has 128 KiB"),
    ("env-size", _env(**{f"V{n}": "x" * 100_000 for n in range(10)}), "together"),
    ("env-name", _secret(env="FTP PASSWORD_FILE"), "write FTP_PASSWORD_FILE"),
    ("env-reserved", _env(HOME="/home"), "manifests"),
    ("env-reserved", _env(CRONOPS_SCHEDULE="x"), "manifests"),
    ("env-reserved", _env(CRONOPS_ENVIRONMENT="x"), "manifests"),
    ("env-reserved", _env(KUBERNETES_SERVICE_HOST="x"), "cluster"),
    ("env-reserved", _secret(env="CRONOPS_RUN_ID"), "manifests"),
    ("env-twice", _env(CRONOPS_DATABASE_URL="postgresql://db/shop"), "CRONOPS_DATABASE_URL_FILE"),
    ("env-twice", {**_env(FTP="x"), **_secret(env="FTP")}, "under env"),
    ("env-twice", _secret(env="CRONOPS_DATABASE_URL_FILE"), "'database' and 'ftp'"),
    ("env-setting", _env(CRONOPS_LOG_LEVLE="info"), "CRONOPS_LOG_LEVLE"),
    ("env-setting", _env(CRONOPS_LOG_LEVEL="loud"), "must be"),
    ("secret-file", _secret(env="CRONOPS_PUSHGATEWAY_URL"), "CRONOPS_PUSHGATEWAY_URL_FILE"),
    ("secret-file", _secret(env="CRONOPS_PUSHGATEWY_URL_FILE"), "CRONOPS_PUSHGATEWAY_URL_FILE"),
    ("secret-file", _secret(defaultMode=292), "0444"),
    ("secret-file", _secret(defaultMode=440), "write 288"),
    ("secret-file", _secret(defaultMode=0), "nobody"),
    ("volume-source", _volume(mountPath="/data"), "nothing lies behind"),
    ("volume-source", _volume(**CLAIM), "mounted nowhere"),
    ("volume-source", _volume(**STOCK, configMap={"name": "x"}), "at once"),
    ("mount-path", _volume(**{**STOCK, "mountPath": "data"}), "absolute"),
    ("mount-path", _volume(**{**STOCK, "mountPath": "/data/../etc"}), "'..'"),
    ("mount-path", _volume(**{**STOCK, "mountPath": "/data:x"}), "':'"),
    ("mount-path", _volume(**{**STOCK, "mountPath": "/"}), "whole image"),
    ("mount-path", _volume(**{**STOCK, "mountPath": "/data/"}), "'/data'"),
    ("mount-path", _volume(**{**STOCK, "mountPath": "/tmp"}), "/tmp"),
    ("mount-path", _volume(**{**STOCK, "mountPath": "/run"}), "/run/secrets"),
    ("mount-path", _volume(**{**STOCK, "mountPath": "/etc/ssl"}), "/etc"),
    ("mount-path", {"volumes": {"a": STOCK, "b": STOCK}}, "twice: by 'a' and by 'b'"),
    ("mount-path", _volume(**STOCK, subPath="../x"), "relative"),
    ("volume-writable", _volume(mountPath="/x", emptyDir={}, readOnly=True), "temporary"),
    (
        "volume-writable",
        _volume(mountPath="/x", configMap={"name": "x"}, readOnly=False),
        "written",
    ),
    (
        "egress-peer",
        _egress({"ipBlock": {"cidr": "203.0.113.0/24"}, "podSelector": {"matchLabels": {}}}),
        "two peers",
    ),
    ("egress-peer", _egress({}), "says nothing"),
    ("egress-peer", _egress({"podSelector": {"matchLabels": {"a": "b c"}}}), "'a'"),
    ("egress-cidr", _block("203.0.113.7"), "write 203.0.113.7/32"),
    ("egress-cidr", _block("203.0.113.7/24"), "write 203.0.113.0/24"),
    ("egress-cidr", _block("shop.example.com"), "no network"),
    ("egress-cidr", _block("203.0.113.0/255.255.255.0"), "no network"),
    ("egress-cidr", _block("2001:db8::1"), "write 2001:db8::1/128"),
    ("egress-cidr", _block("203.0.113.0/24", "198.51.100.0/24"), "not a part"),
    ("egress-cidr", _block("203.0.113.0/24", "203.0.113.0/24"), "not a part"),
    ("egress-cidr", _block("203.0.113.0/24", "203.0.113.9"), "203.0.113.9/32"),
    (
        "egress-ports",
        _egress({"ipBlock": {"cidr": "203.0.113.0/24"}}, ports=[{"port": 20, "endPort": 10}]),
        "port: 10, endPort: 20",
    ),
    ("egress-open", _egress(), "everywhere"),
    ("egress-open", _egress({"ipBlock": {"cidr": "203.0.113.0/24"}}, ports=[]), "every port"),
    ("egress-open", _block("0.0.0.0/0"), "169.254.0.0/16"),
    ("egress-open", _block("0.0.0.0/0", *INNER[:3]), "except: 169.254.0.0/16"),
    ("egress-open", _block("8.0.0.0/5"), "10.0.0.0/8"),
    ("egress-open", _block("::/0"), "fc00::/7"),
    ("egress-open", _egress({"podSelector": {"matchLabels": {}}}), "every pod"),
    ("egress-open", _egress({"namespaceSelector": {"matchLabels": {}}}), "every namespace"),
    (
        "egress-open",
        _egress(
            {
                "namespaceSelector": {"matchLabels": {}},
                "podSelector": {"matchLabels": {"app": "x"}},
            }
        ),
        "whoever may label",
    ),
    ("egress-dns", {"egress": {"dns": None}}, "port 53"),
    ("needs", {"egress": {"database": None}}, "egress.database"),
    ("needs", {"secrets": {"database": None}}, "CRONOPS_DATABASE_URL_FILE"),
    (
        "needs",
        {"secrets": {"database": {**SECRET, "env": "CRONOPS_ALERTMANAGER_URL_FILE"}}},
        "env: CRONOPS_DATABASE_URL_FILE",
    ),
]
KEPT: list[tuple[str, dict[str, Any]]] = [
    ("command-shell", {"command": "stock export --supplier='a|b;$c'"}),
    ("command-shell", {"command": 'stock export --supplier="a & b"'}),
    ("command-shell", {"command": "stock export --supplier={supplier}", "manual": True}),
    ("command-unknown", {"command": "stock export"}),
    ("command-program", {"command": "stock export"}),
    ("secret-inline", _env(CRONOPS_PUSHGATEWAY_URL="http://push.monitoring.svc:9091")),
    ("secret-inline", _env(FTP_PASSWORD_FILE="/run/secrets/ftp/password")),
    ("secret-inline", _env(TOKEN_TTL="3600", SECRET_NAME="shop", PASSWORD_LENGTH="12")),
    ("secret-inline", _env(SHOP_TOKEN="")),
    ("secret-inline", _env(DIRECTORY="/data/Stock2024/ExportOfTheDay/ShopNumber12")),
    ("secret-inline", _env(CLASS="OrderConfirmationMailRenderer2")),
    ("secret-inline", {"annotations": {"commit": "3f2a9c1d" * 5}}),
    ("secret-inline", {"annotations": {"digest": f"sha256:{'3f2a9c1d' * 8}"}}),
    ("secret-inline", {"annotations": {"id": "123e4567-e89b-12d3-a456-426614174000"}}),
    ("secret-in-command", {"command": "stock export --token={token}", "manual": True}),
    ("env-name", _env(shop_url="x", _X1="y")),
    ("env-reserved", _env(CRONOPS_LOG_LEVEL="info", HOMEPAGE="x")),
    ("env-twice", {**_env(FTP="x"), **_secret(env="FTP_PASSWORD")}),
    ("env-setting", _env(CRONOPS_LOG_LEVEL="info", SHOP_ANYTHING="x")),
    ("env-setting", _secret(env="CRONOPS_ALERTMANAGER_URL_FILE")),
    ("secret-file", _secret(env="CRONOPS_ALERTMANAGER_URL_FILE", defaultMode=256)),
    ("secret-file", _secret(env="CRONOPS_CONFIG")),
    ("secret-file", _secret(env="FTP_PASSWORD")),
    ("volume-source", _volume(**STOCK)),
    ("mount-path", {"volumes": {"a": STOCK, "b": {**STOCK, "mountPath": "/data/stock2"}}}),
    ("mount-path", _volume(**STOCK, subPath="a/b")),
    ("volume-writable", _volume(mountPath="/x", emptyDir={"sizeLimit": "1Mi"})),
    ("egress-peer", _egress({"podSelector": {"matchLabels": {"app": "shop"}}})),
    ("egress-cidr", _block("203.0.113.0/24", "203.0.113.9/32")),
    ("egress-cidr", _block("2001:db8::/32", "2001:db8:1::/48")),
    ("egress-ports", _egress({"ipBlock": {"cidr": "203.0.113.0/24"}}, ports=[{"port": 1}])),
    ("egress-open", _block("0.0.0.0/0", *INNER)),
    ("egress-open", _block("10.0.0.0/8")),
    ("egress-open", _block("10.1.0.0/16")),
    ("egress-dns", {}),
    ("egress-dns", {"egress": {"dns": None, "database": None}}),
    ("needs", {}),
]


@dataclass(frozen=True)
class Known(Jobs):
    """Jobs beside the settings there are."""

    def setting_problems(self, environment: Mapping[str, str]) -> Iterable[tuple[str, str, str]]:
        return [(name, wrong, "") for name, wrong in problems_of(environment)]


def _known(**said: Any) -> Known:
    return Known({"stock export": replace(DECLARED, **said)})


@pytest.mark.parametrize(("rule", "said", "told"), BROKEN)
def test_a_schedule_that_breaks_a_rule(rule: str, said: dict[str, Any], told: str) -> None:
    [finding, *_] = found(check(said, known=_known()), rule)

    assert told in f"{finding.message}; {finding.instead}"


@pytest.mark.parametrize(("rule", "said"), KEPT)
def test_a_schedule_that_keeps_a_rule(rule: str, said: dict[str, Any]) -> None:
    known = _known(options=frozenset({"--supplier", "--token"}))

    assert found(check(said, known=known), rule) == []


@pytest.mark.parametrize("said", [said for rule, said, _ in BROKEN if rule.startswith("secret-in")])
def test_a_secret_is_never_shown(said: dict[str, Any]) -> None:
    findings = check(said, known=_known(options=frozenset({"--supplier"}))).findings

    shown = "".join(f"{finding.message}{finding.instead}" for finding in findings)
    assert any(finding.rule.startswith("secret-in") for finding in findings)
    for secret in ("hunter2", RANDOM, TOKEN, PRIVATE_KEY, "mailto://", "me@push", "host=db"):
        assert secret not in shown


@pytest.mark.parametrize(
    "command", [said["command"] for rule, said, _ in BROKEN if rule.startswith("command-")]
)
def test_a_wrong_command_is_told_of_once(command: str) -> None:
    report = check({"command": command}, known=_known())

    told = [rule for rule in errors(report) if rule.startswith("command-")]
    assert len(told) == 1


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        ("command-argument", "command-argument"),
        ("command-option", "command-option"),
        ("command-unknown", "command-unknown"),
        ("command-whatever", "command-unknown"),
    ],
)
def test_no_problem_of_a_command_is_lost(raised: str, told: str) -> None:
    class Refusing(Jobs):
        def read(self, command: str) -> Declaration:
            raise CommandProblem(raised, "it would not run", "correct it")

    [finding] = found(check(known=Refusing()), told)

    assert (finding.message, finding.instead) == ("it would not run", "correct it")
    assert finding.path == ("schedules", 0, "command")


def _volume_needs(access_wanted: Any) -> Known:
    needs = (*DATABASE, Resource("stock", "STOCK_DIR", access_wanted))
    return _known(needs=needs)


@pytest.mark.parametrize(
    ("wanted", "said", "told"),
    [
        ("read", {}, "volumes.stock"),
        ("read", _volume(**STOCK), "env: {STOCK_DIR: /data/stock}"),
        ("read", {**_volume(**STOCK), **_env(STOCK_DIR="/data/stocks")}, "outside"),
        ("read", {**_volume(**STOCK), **_env(STOCK_DIR="/data/stock/../x")}, "outside"),
        ("read", {**_volume(**STOCK, readOnly=False), **_env(STOCK_DIR="/data/stock")}, "writable"),
        ("write", {**_volume(**STOCK), **_env(STOCK_DIR="/data/stock")}, "readOnly: false"),
    ],
)
def test_a_job_that_lacks_its_files(wanted: str, said: dict[str, Any], told: str) -> None:
    [finding] = found(check(said, known=_volume_needs(wanted)), "needs")

    assert told in f"{finding.message}; {finding.instead}"


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("read", {**_volume(**STOCK), **_env(STOCK_DIR="/data/stock/in")}),
        ("write", {**_volume(**STOCK, readOnly=False), **_env(STOCK_DIR="/data/stock")}),
    ],
)
def test_a_job_that_has_its_files(wanted: str, said: dict[str, Any]) -> None:
    assert found(check(said, known=_volume_needs(wanted)), "needs") == []


def test_a_secret_is_found_in_whichever_schedule_it_stands() -> None:
    secret = {"name": "b", "command": f"stock export --supplier={RANDOM}"}

    report = check({"name": "a"}, secret, {"name": "c"})

    assert [one.schedule for one in found(report, "secret-in-command")] == ["b"]


@pytest.mark.parametrize("command", [" ", "'", "x" * 9000, "'" + "x" * 20_000])
def test_any_command_is_told_of_at_once(command: str) -> None:
    report = check({"command": command}, known=_known())

    told = [one for one in report.findings if one.path == ("schedules", 0, "command")]
    assert told
    assert all(len(one.message) < 500 for one in told)


def test_owners_exist() -> None:
    known = jobs(replace(DECLARED, accountable=("Platform Export", "Nobody"), responsible="Ghosts"))

    unknown = found(check(known=known), "owner-unknown")

    assert [one.message.split(" names ")[1].split(",")[0] for one in unknown] == [
        "'Ghosts'",
        "'Nobody'",
    ]
    assert found(check(), "owner-unknown") == []


def test_a_bad_setting_of_all_is_told_once() -> None:
    defaults = {**DEFAULTS, "env": {"CRONOPS_LOG_LEVEL": "loud"}}

    report = check({"name": "a"}, {"name": "b", **_env(X="1")}, known=_known(), defaults=defaults)

    [finding] = found(report, "env-setting")
    assert finding.path == ("defaults", "env", "CRONOPS_LOG_LEVEL")


def test_a_false_alarm_is_waived_with_its_reason() -> None:
    said = {
        **_env(SHOP_TOKEN="public"),
        "waivers": [{"rule": "secret-inline", "reason": "the shop prints it on every page"}],
    }

    assert check(said).is_valid


def test_the_real_file_breaks_none_of_these_rules() -> None:
    from cronops.cli.declared import InstalledJobs
    from cronops.schedules.rules import names, pods
    from cronops.schedules.validate import validate

    report = validate((ROOT / "schedules.yaml").read_bytes(), InstalledJobs(), today=TODAY)

    ours = {rule.id for rule in (*names.RULES, *pods.RULES, *access.RULES)}
    broken = [one for one in report.findings if one.rule in ours and one.waived is None]
    assert [one for one in broken if one.severity == "error"] == []
    assert {one.rule for one in broken} <= {"image-digest"}


def test_every_rule_is_broken_here() -> None:
    alone = {"command-argument", "owner-unknown"}

    assert {rule for rule, *_ in BROKEN} | alone == {rule.id for rule in access.RULES}
