"""As much of a Kubernetes API server as the cluster commands talk to, in-process.

Objects are kept as JSON by their path. Server-side apply merges by field, gives up what a manager
no longer wants, and refuses what another manager has set otherwise; dry runs keep nothing. Lists
of an object belong to one manager as a whole, and nothing is defaulted but ``suspend``.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.servers import ThreadedServer

Leaves = dict[tuple[str, ...], Any]


@dataclass
class KubeApi:
    """The server's state; tests look into it, and play controller and node."""

    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    applied: dict[str, dict[str, Leaves]] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    logs: dict[str, str] = field(default_factory=dict)
    refuse: dict[str, tuple[int, str]] = field(default_factory=dict)
    """By the end of a path: status and message."""
    written: Callable[[str], None] = lambda _path: None
    """Called with the path of each write, after it."""
    version: int = 0
    url: str = ""
    lock: Lock = field(default_factory=Lock)

    def kubeconfig(self, directory: Path, namespace: str = "cronops") -> Path:
        """A kubeconfig file that leads here."""
        path = directory / "kubeconfig"
        context = {"cluster": "here", "user": "me", "namespace": namespace}
        path.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "here",
                    "contexts": [{"name": "here", "context": context}],
                    "clusters": [{"name": "here", "cluster": {"server": self.url}}],
                    "users": [{"name": "me", "user": {"token": "t0ken-of-an-operator"}}],
                }
            )
        )
        return path

    def named(self, plural: str, name: str) -> dict[str, Any]:
        """The object of that name."""
        return next(o for p, o in self.objects.items() if p.endswith(f"/{plural}/{name}"))

    def names(self, plural: str) -> list[str]:
        """The names of all objects of a kind."""
        return sorted(p.rpartition("/")[2] for p in self.objects if f"/{plural}/" in p)

    def keep(self, path: str, one: dict[str, Any]) -> dict[str, Any]:
        """Store an object, with what a server adds."""
        self.version += 1
        meta = one["metadata"]
        meta.setdefault("uid", f"uid-{self.version}")
        meta.setdefault("creationTimestamp", "2026-01-01T00:00:00Z")
        meta["resourceVersion"] = str(self.version)
        self.objects[path] = one
        return one

    def apply(
        self, path: str, wanted: dict[str, Any], manager: str, *, force: bool, dry_run: bool
    ) -> tuple[int, dict[str, Any]]:
        """Server-side apply; status and answer."""
        managers = deepcopy(self.applied.get(path, {}))
        mine, before = leaves(wanted), managers.get(manager, {})
        current = deepcopy(self.objects.get(path, {}))
        causes = []
        for other, theirs in managers.items():
            for place in [] if other == manager else list(theirs):
                if place in mine and mine[place] != theirs[place]:
                    causes.append((other, "." + ".".join(place)))
                    if force:
                        del theirs[place]
        if causes and not force:
            return 409, conflict(causes)
        others = {
            place for other, theirs in managers.items() if other != manager for place in theirs
        }
        for place in before:
            if place not in mine and place not in others:
                remove(current, place)
        for place, value in mine.items():
            put(current, place, value)
        if wanted["kind"] == "CronJob":
            current.setdefault("spec", {}).setdefault("suspend", False)
        managers[manager] = mine
        if dry_run:
            return 200, current
        self.applied[path] = managers
        if bare(current) == bare(self.objects.get(path, {})):
            return 200, self.objects[path]
        return 200, self.keep(path, current)


def leaves(one: Mapping[str, Any], at: tuple[str, ...] = ()) -> Leaves:
    """Each field that is said, by its place; lists are fields as they are."""
    found: Leaves = {}
    for name, value in one.items():
        if isinstance(value, Mapping) and value:
            found |= leaves(value, (*at, name))
        else:
            found[(*at, name)] = value
    return found


def put(one: dict[str, Any], place: tuple[str, ...], value: Any) -> None:
    *path, name = place
    for part in path:
        one = one.setdefault(part, {})
    one[name] = deepcopy(value)


def remove(one: dict[str, Any], place: tuple[str, ...]) -> None:
    *path, name = place
    for part in path:
        one = one.get(part, {})
    one.pop(name, None)


def bare(one: Mapping[str, Any]) -> dict[str, Any]:
    meta = {k: v for k, v in one.get("metadata", {}).items() if k != "resourceVersion"}
    return {**one, "metadata": meta}


def conflict(causes: list[tuple[str, str]]) -> dict[str, Any]:
    told = [
        {"reason": "FieldManagerConflict", "message": f'conflict with "{who}"', "field": where}
        for who, where in causes
    ]
    details = {"causes": told}
    return {"kind": "Status", "reason": "Conflict", "message": "conflicts", "details": details}


def handler(api: KubeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            self.answer("GET")

        def do_POST(self) -> None:
            self.answer("POST")

        def do_PATCH(self) -> None:
            self.answer("PATCH")

        def do_DELETE(self) -> None:
            self.answer("DELETE")

        def answer(self, method: str) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            with api.lock:
                api.requests.append((method, parts.path, query))
                if self.headers.get("Authorization") != "Bearer t0ken-of-an-operator":
                    status, found = 401, {"message": "Unauthorized"}
                else:
                    status, found = self.serve(method, parts.path, query, body)
                    if method != "GET" and "dryRun" not in query:
                        api.written(parts.path)
            data = found.encode() if isinstance(found, str) else json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def serve(self, method: str, path: str, query: dict[str, str], body: Any) -> Any:
            for end, (status, message) in api.refuse.items():
                if path.endswith(end) and method != "GET":
                    return status, {"message": message}
            if method == "GET" and path.endswith("/log"):
                return 200, api.logs.get(path.split("/")[-2], "")
            if method == "PATCH":
                space = "/".join(path.split("/")[: path.split("/").index("namespaces") + 2])
                if path != space and f"/api/v1/namespaces/{space.rpartition('/')[2]}" not in (
                    api.objects
                ):
                    return 404, {"message": "namespaces not found"}
                return api.apply(
                    path,
                    body,
                    query["fieldManager"],
                    force=query.get("force") == "true",
                    dry_run="dryRun" in query,
                )
            if method == "POST":
                path = f"{path}/{body['metadata']['name']}"
                if "dryRun" in query:
                    return 201, body
                return 201, api.keep(path, body)
            if path in api.objects:
                if method == "DELETE":
                    return 200, api.objects.pop(path)
                return 200, api.objects[path]
            if path.rpartition("/")[2] in ("cronjobs", "jobs", "pods", "events") or method == "GET":
                items = [o for p, o in sorted(api.objects.items()) if p.rpartition("/")[0] == path]
                if items or (path.count("/") in (5, 6) and path.rpartition("/")[2].endswith("s")):
                    selected = [
                        o
                        for o in items
                        if selects(query.get("labelSelector", ""), o)
                        and has_fields(query.get("fieldSelector", ""), o)
                    ]
                    return 200, {"items": selected, "metadata": {}}
            return 404, {"message": f"{path} not found", "reason": "NotFound"}

    return Handler


def selects(selector: str, one: Mapping[str, Any]) -> bool:
    labels = one["metadata"].get("labels") or {}
    for part in filter(None, selector.split(",")):
        name, equals, value = part.partition("=")
        if name not in labels or (equals and labels[name] != value):
            return False
    return True


def has_fields(selector: str, one: Mapping[str, Any]) -> bool:
    for part in filter(None, selector.split(",")):
        place, _, wanted = part.partition("=")
        value: Any = one
        for name in place.split("."):
            value = value.get(name, {})
        if value != wanted:
            return False
    return True


@contextmanager
def kube_api() -> Iterator[KubeApi]:
    """A server at work."""
    api = KubeApi()
    server = ThreadedServer(("127.0.0.1", 0), handler(api))
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
