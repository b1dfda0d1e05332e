"""A namespace of the trial's own in a real cluster, with a database, and our commands in it."""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from psycopg.conninfo import conninfo_to_dict

from cronops.cluster.api import Cluster, open_cluster
from cronops.cluster.kinds import NAMESPACE, POD, Kind

ROOT = Path(__file__).parents[2]
ENVIRONMENT = "e2e"
MINUTELY, NIGHTLY = "queue-process-general", "queue-clean"
_SECRET = Kind("v1", "Secret", "secrets")
_SERVICE = Kind("v1", "Service", "services")
_DATABASE = "cronops-e2e-database"
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
_PATIENCE = 300.0


@dataclass(frozen=True)
class Stage:
    """Where the trial plays."""

    cluster: Cluster
    namespace: str
    file: Path
    """The schedules file: the repository's, cut down to two schedules."""
    database_url: str | None
    """Where this machine reaches the database, too."""

    def run(self, *words: str, code: int | None = 0) -> "subprocess.CompletedProcess[str]":
        """``cronops cluster WORDS`` to its end; `code` None takes any."""
        known = {"CRONOPS_DATABASE_URL": self.database_url} if self.database_url else {}
        done = subprocess.run(
            [sys.executable, "-m", "cronops", "cluster", *words],
            env={**os.environ, **known, "CRONOPS_OPERATOR": "e2e"},
            cwd=self.file.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        if code is not None:
            assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return done

    def here(self, *words: str, code: int | None = 0) -> "subprocess.CompletedProcess[str]":
        """The same for commands that take the namespace from ``-n``."""
        return self.run(words[0], "-n", self.namespace, *words[1:], code=code)

    def status(self, name: str) -> dict[str, Any]:
        """How a schedule stands."""
        told: dict[str, Any] = json.loads(self.here("status", name, "--json").stdout)
        return told

    def change(self, act: Callable[[dict[str, Any]], None]) -> None:
        """Edit the schedules file."""
        said = yaml.safe_load(self.file.read_text())
        act(said)
        self.file.write_text(yaml.safe_dump(said, sort_keys=False))

    def wait_for(self, what: str, look: Callable[[], Any]) -> Any:
        """Look until there is something; it. Fails with what the pods say of themselves."""
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            if found := look():
                return found
            time.sleep(1)
        raise AssertionError(f"not within {_PATIENCE:g} s: {what}\n{self._pods()}")

    def _pods(self) -> str:
        told = [
            f"{pod['metadata']['name']}: {json.dumps(pod.get('status', {}))[:600]}"
            for pod in self.cluster.list(POD)
        ]
        return "\n".join(told)


@contextmanager
def stage(directory: Path, image: str) -> Iterator[Stage]:
    """A new namespace, removed at the end with all that is in it."""
    namespace = f"cronops-e2e-{secrets.token_hex(4)}"
    url = os.environ.get("CRONOPS_E2E_DATABASE_URL") or None
    with open_cluster(namespace=namespace) as cluster:
        made = cluster.create(
            NAMESPACE,
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {
                    "name": namespace,
                    "labels": {"app.kubernetes.io/managed-by": "cronops-e2e"},
                },
            },
        )
        try:
            file = directory / "schedules.yaml"
            port = int(conninfo_to_dict(url or "").get("port") or 5432)
            text = schedules(namespace, image, has_own_database=url is None, database_port=port)
            file.write_text(text)
            found = Stage(cluster, namespace, file, url)
            _provide_database(found, url)
            yield found
        finally:
            cluster.delete({"apiVersion": "v1", "kind": "Namespace", **made})


def schedules(namespace: str, image: str, *, has_own_database: bool, database_port: int) -> str:
    """The repository's schedules file for that namespace, with two schedules that need no shop."""
    said = yaml.safe_load((ROOT / "schedules.yaml").read_text())
    kept = {MINUTELY, NIGHTLY}
    known = {one["cr"] for one in said["schedules"]} | {
        one["cr"] for one in said.get("unscheduled", ())
    }
    said["schedules"] = [
        {key: value for key, value in one.items() if key not in ("env", "volumes", "egress")}
        for one in said["schedules"]
        if one["name"] in kept
    ]
    for one in said["schedules"]:
        one["startingDeadlineSeconds"] = 59  # a schedule that is let go starts at once
    said["unscheduled"] = [
        {"cr": cr, "why": "not tried"}
        for cr in sorted(known - {one["cr"] for one in said["schedules"]})
    ]
    defaults = said["defaults"]
    defaults["image"] = _image(image)
    del defaults["env"]["CRONOPS_PUSHGATEWAY_URL"], defaults["secrets"]["alert-routes"]
    del defaults["egress"]["alerts"], defaults["egress"]["metrics"]
    anywhere = [{"ipBlock": {"cidr": cidr}} for cidr in _PRIVATE]
    anywhere.append({"ipBlock": {"cidr": "0.0.0.0/0", "except": [*_PRIVATE, "169.254.0.0/16"]}})
    own = [{"podSelector": {"matchLabels": {"app": _DATABASE}}}]
    # Which labels the cluster's name server has there, only its operator knows.
    defaults["egress"]["dns"]["to"] = [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}
    ]
    defaults["egress"]["database"] = {
        "to": own if has_own_database else anywhere,
        "ports": [{"port": database_port}],
    }
    said["environments"] = {ENVIRONMENT: {"namespace": namespace, "severity": "info"}}
    return yaml.safe_dump(said, sort_keys=False)


def _image(text: str) -> dict[str, str]:
    name, _, digest = text.partition("@")
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        repository, tag = name, "latest"
    return {"repository": repository, "tag": tag} | ({"digest": digest} if digest else {})


def _provide_database(stage: Stage, url: str | None) -> None:
    if url is None:
        password = secrets.token_hex(16)
        url = f"postgresql://postgres:{password}@{_DATABASE}:5432/postgres"
        stage.cluster.create(_SECRET, _secret(_DATABASE, {"password": password}))
        stage.cluster.create(_SERVICE, _SERVICE_OF_DATABASE)
        stage.cluster.create(POD, _database_pod())
    stage.cluster.create(_SECRET, _secret("cronops-database", {"url": url}))
    if stage.database_url is None:
        stage.wait_for("the database is ready", lambda: _is_ready(stage.cluster))


def _is_ready(cluster: Cluster) -> bool:
    pod = cluster.get(POD, _DATABASE) or {}
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _secret(name: str, content: dict[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "stringData": content,
    }


def _database_pod() -> dict[str, Any]:
    probe = {"exec": {"command": ["pg_isready", "-h", "127.0.0.1", "-U", "postgres"]}}
    password = {"secretKeyRef": {"name": _DATABASE, "key": "password"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": _DATABASE, "labels": {"app": _DATABASE}},
        "spec": {
            "containers": [
                {
                    "name": "postgres",
                    "image": os.environ.get("CRONOPS_E2E_POSTGRES_IMAGE", "postgres:17"),
                    "env": [{"name": "POSTGRES_PASSWORD", "valueFrom": password}],
                    "readinessProbe": {**probe, "periodSeconds": 2},
                }
            ]
        },
    }


_SERVICE_OF_DATABASE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": _DATABASE},
    "spec": {"selector": {"app": _DATABASE}, "ports": [{"port": 5432}]},
}
