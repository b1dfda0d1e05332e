"""Environments full of what a chart's templates might get wrong."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cronops.schedules.resolve import ResolvedEnvironment, resolve
from cronops.schedules.source import read_source
from cronops.schedules.structure import read_document
from tests.unit.schedules import builders

ODD_TEXTS = {
    "YES": "y",
    "HASH": "12e4567890",
    "OCTAL": "0123",
    "NULL": "null",
    "TRUE": "true",
    "MINUTES": "1:30",
    "EQUALS": "=",
    "EMPTY": "",
    "UNICODE": "é ☃ 😀 \u2028 \u00a0\ufeffx",
    "QUOTES": "a\"b\\c'd`e",
    "LINES": "line\nbreak\ttab\r\n",
    "BRACES": "{{ .Values.image }} }} {{",
    "DOLLARS": "$(HOME) $$x $ $$(A) $$$",
    "HTML": "<a href='x'>&b",
    "PERCENT": "%s %d 100%",
    "CONTROLS": "\x7f\x01",
}
_JOBS = builders.jobs(
    builders.DECLARED,
    replace(
        builders.DECLARED,
        job="queue process",
        options=frozenset({"--queue", "--shard"}),
        retry_safe=False,
        consulted=("Stock Import", "Ünï Team"),
        timeout=1_200_000,
        locks=(),
    ),
    replace(
        builders.DECLARED,
        job="stock import",
        timeout=None,
        accountable=("A B", "C/D & E {{ x }}", "long" * 20),
    ),
)
_DEFAULTS: Mapping[str, Any] = {
    **builders.DEFAULTS,
    "env": {**ODD_TEXTS, "CRONOPS_PUSHGATEWAY_URL": "http://pushgateway:9091"},
    "labels": {"team": "y", "gone": "1"},
    "annotations": {"note": "{{ tpl }} {{", "hash": "12e4567890"},
    "nodeSelector": {"disk/ssd": "true"},
    "tolerations": [
        {"key": "night", "operator": "Exists"},
        {"key": "spot", "value": "1", "effect": "NoExecute", "tolerationSeconds": 0},
    ],
    "priorityClassName": "low",
    "imagePullSecrets": [{"name": "pull"}],
}
_ENVIRONMENTS: Mapping[str, Any] = {
    "production": {
        "namespace": "cronops-x",
        "namePrefix": "rather-long-prefix-",
        "severity": "critical",
        "migration": {
            "resources": {"limits": {"memory": "2Gi"}},
            "env": {"YES": "n"},
            "backoffLimit": 0,
            "annotations": {"note": None},
        },
    }
}
_VOLUMES: Mapping[str, Any] = {
    "Data_Dir": {
        "mountPath": "/data",
        "readOnly": False,
        "persistentVolumeClaim": {"claimName": "claim"},
    },
    "config": {"mountPath": "/config", "configMap": {"name": "map"}},
    "share": {
        "mountPath": "/share",
        "subPath": "a/b",
        "persistentVolumeClaim": {"claimName": "share"},
    },
    "scratch": {"mountPath": "/scratch", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}},
    "bare": {"mountPath": "/bare", "emptyDir": {}},
    "read": {"mountPath": "/read", "readOnly": True, "emptyDir": {}},
    "x" * 70: {"mountPath": "/long", "emptyDir": {}},
}
_SCHEDULES: tuple[Mapping[str, Any], ...] = (
    {},
    {
        "name": "q-" + "a" * 60,
        "command": "queue process --queue='a b'",
        "schedule": "*/5 * * * *",
        "shards": 11,
        "backoffLimit": 0,
        "activeDeadlineSeconds": 1_209_600,
        "failedJobsHistoryLimit": 0,
        "successfulJobsHistoryLimit": 0,
    },
    {
        "name": "volumes",
        "volumes": _VOLUMES,
        "secrets": {
            "Key_File": {"secretName": "s", "key": "12e4567890", "env": "K", "defaultMode": 0},
            "database": None,
        },
        "egress": {
            "dns": None,
            "partner": {
                "to": [
                    {"ipBlock": {"cidr": "192.0.2.0/24", "except": ["192.0.2.1/32"]}},
                    {"podSelector": {"matchLabels": {"y": "12e4567890", "n": "y"}}},
                ],
                "ports": [{"port": 80, "endPort": 90, "protocol": "SCTP"}, {"port": 65535}],
            },
        },
    },
    {
        "name": "bare",
        "volumes": {"temporary": {"mountPath": "/tmp", "emptyDir": {}}},
        "env": {"YES": None, "HASH": "1e3", "CRONOPS_PUSHGATEWAY_URL": None, "NEW": "on"},
        "labels": {"gone": None},
        "annotations": {"note": None, "more": "y"},
        "nodeSelector": {"disk/ssd": None},
        "tolerations": None,
        "priorityClassName": None,
        "imagePullSecrets": None,
        "image": {"digest": None, "tag": "1.10"},
        "resources": {
            "requests": {"cpu": None, "memory": None, "ephemeral-storage": None},
            "limits": {"cpu": None, "ephemeral-storage": None},
        },
    },
    {
        "name": "by-hand",
        "schedule": None,
        "manual": True,
        "command": "stock import --supplier={supplier}",
    },
    {
        "name": "paused",
        "suspend": {
            "until": "2027-01-01",
            "by": "Ünal",
            "why": "{{ .x }} \"quoted\": 'y' \\ \n# no comment",
        },
        "description": "odd {{ }} <b> %d",
    },
    {
        "name": "elsewhere",
        "schedule": "0 3 * * *",
        "environments": {
            "production": {
                "schedule": "15 4 * * 1",
                "timeZone": "America/New_York",
                "concurrencyPolicy": "Replace",
                "severity": "info",
                "resources": {"limits": {"memory": "3Gi"}},
            }
        },
    },
    {"name": "a" * 40, "command": "stock import", "schedule": "1 1 * * *"},
)


def odd_environment() -> ResolvedEnvironment:
    """One environment with every kind of volume, and with text that parsers stumble over."""
    return environment(
        *_SCHEDULES, known=_JOBS, defaults=_DEFAULTS, environments=dict(_ENVIRONMENTS)
    )


def environment(
    *schedules: Mapping[str, Any], known: builders.Jobs | None = None, **top: Any
) -> ResolvedEnvironment:
    """As `builders.environment`; the text is not kept to ASCII, which JSON writes otherwise."""
    value = builders.values(*schedules, **top)
    # YAML knows no pairs of surrogates, and wants these characters escaped.
    written = json.dumps(value, ensure_ascii=False)
    text = "".join(one if one.isprintable() else _escaped(one) for one in written)
    document = read_document(read_source(text.encode()))
    return resolve(document, "production", known or builders.jobs())


def _escaped(one: str) -> str:
    return f"\\u{ord(one):04x}" if ord(one) <= 0xFFFF else f"\\U{ord(one):08x}"
