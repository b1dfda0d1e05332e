"""Renders charts with Helm's own engine; for a Python that has ``helm_sdkpy`` and nothing of ours.

Reads a request a line, JSON: ``{"do": "render", "chart": directory, "namespace": …, "values": …}``
or ``{"do": "lint", "chart": …}``. Answers a line each: the release that Helm would have stored, or
the messages of its linter, or ``{"error": …}``.

The library renders only while it installs. So it is given an API server, this process, that knows
the kinds a chart of ours holds and no object, and refuses to store the release once it has read it.
"""

import asyncio
import base64
import gzip
import json
import os
import re
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

# The release is stored in a Secret, sent as protobuf: its data stand out by gzip's first bytes.
RELEASE = re.compile(rb"H4sI[A-Za-z0-9+/]+=*")
KINDS = {
    "v1": {"configmaps": "ConfigMap", "serviceaccounts": "ServiceAccount"},
    "batch/v1": {"jobs": "Job", "cronjobs": "CronJob"},
    "networking.k8s.io/v1": {"networkpolicies": "NetworkPolicy"},
    "monitoring.coreos.com/v1": {"prometheusrules": "PrometheusRule"},
}
VERSION = {"major": "1", "minor": "36", "gitVersion": "v1.36.0"}
releases: list[dict] = []


class ApiServer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = self.path.split("?")[0].strip("/")
        group_version = path.removeprefix("apis/").removeprefix("api/")
        if path == "version":
            self._answer(200, VERSION)
        elif path == "api":
            self._answer(200, {"kind": "APIVersions", "versions": ["v1"]})
        elif path == "apis":
            self._answer(
                200, {"kind": "APIGroupList", "apiVersion": "v1", "groups": list(_groups())}
            )
        elif group_version in KINDS:
            self._answer(200, _resources(group_version))
        elif path.endswith("/secrets"):
            self._answer(200, {"kind": "SecretList", "apiVersion": "v1", "items": []})
        else:
            self._answer(404, _failure(404, "NotFound", f"{path} is not there"))

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        found = RELEASE.search(body)
        if found:
            releases.append(json.loads(gzip.decompress(base64.b64decode(found[0]))))
        self._answer(403, _failure(403, "Forbidden", "nothing is stored here"))

    def log_message(self, *arguments):
        pass

    def _answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        # Head and body at once: two packets would wait for each other, 40 ms an answer.
        self._headers_buffer.append(b"\r\n" + body)
        self.flush_headers()


def _groups():
    for group_version in KINDS:
        group, _, version = group_version.rpartition("/")
        if group:
            named = {"groupVersion": group_version, "version": version}
            yield {"name": group, "versions": [named], "preferredVersion": named}


def _resources(group_version):
    resources = [
        {
            "name": name,
            "singularName": kind.lower(),
            "kind": kind,
            "namespaced": True,
            "verbs": ["create", "get"],
        }
        for name, kind in KINDS[group_version].items()
    ]
    return {"kind": "APIResourceList", "groupVersion": group_version, "resources": resources}


def _failure(code, reason, message):
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure"}
    return {**status, "code": code, "reason": reason, "message": message}


def _kubeconfig(port):
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "one", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
            "users": [{"name": "one", "user": {}}],
            "contexts": [{"name": "one", "context": {"cluster": "one", "user": "one"}}],
            "current-context": "one",
        }
    )


def _render(request, kubeconfig):
    from helm_sdkpy import Configuration, HelmError, Install

    releases.clear()
    configuration = Configuration(namespace=request["namespace"], kubeconfig=kubeconfig)
    install = Install(configuration)
    started = time.monotonic()
    try:
        asyncio.run(install.run("cronops", request["chart"], values=request["values"], wait=False))
    except HelmError as error:
        if not releases:
            return {"error": str(error)}
    release = releases[0]
    return {
        "manifest": release["manifest"],
        "hooks": [hook["manifest"] for hook in release.get("hooks", [])],
        "notes": release["info"].get("notes", ""),
        "seconds": time.monotonic() - started,
    }


def _lint(request, kubeconfig):
    from helm_sdkpy import Configuration, HelmError, Lint

    try:
        return asyncio.run(Lint(Configuration(kubeconfig=kubeconfig)).run(request["chart"]))
    except HelmError as error:
        return {"error": str(error)}


def main():
    # The library writes to standard output what it likes; answers go out by a way of their own.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    server = ThreadingHTTPServer(("127.0.0.1", 0), ApiServer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as directory:
        kubeconfig = f"{directory}/kubeconfig"
        Path(kubeconfig).write_text(_kubeconfig(server.server_port))
        for line in sys.stdin:
            request = json.loads(line)
            do = {"render": _render, "lint": _lint}[request.pop("do")]
            print(json.dumps(do(request, kubeconfig)), file=answers, flush=True)


if __name__ == "__main__":
    main()
