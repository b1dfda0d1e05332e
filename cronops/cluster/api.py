"""The API server: requests of plain JSON, and errors that say what to do next.

The one module that knows the package ``kubernetes``: it reads kubeconfig files and contexts, asks
credential plug-ins, and takes a pod's own account, as kubectl does. It takes half a second to
import, so it is imported where a cluster is opened.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cronops.cluster.kinds import Kind, Object, kind_of, name_of
from cronops.errors import ClusterRefused, ClusterUnavailable, ConfigurationError

_CONNECT_SECONDS = 10
_ANSWER_SECONDS = 60
_SILENCE_SECONDS = 300
_PAGE = 500
_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_SERVER_SIDE_APPLY = "application/apply-patch+yaml"
_TRY_AGAIN = (408, 429, 500, 502, 503, 504)


class AlreadyThere(ClusterRefused):
    """An object of that name exists."""


class FieldConflict(ClusterRefused):
    """Somebody else has set a field to another value, and is recorded as its manager."""

    def __init__(self, causes: list[tuple[str, str]]) -> None:
        told = ", ".join(f"{field} (set by {manager})" for manager, field in causes)
        super().__init__(f"others have set {told}; --force-conflicts takes them over")
        self.managers = {manager for manager, _ in causes}


class Silence(ClusterUnavailable):
    """A stream brought nothing for a while, or was cut."""


@dataclass(frozen=True)
class Cluster:
    """One cluster, and the namespace that is meant where none is named."""

    server: str
    """Its URL."""
    namespace: str
    _client: Any

    def get(self, kind: Kind, name: str, *, namespace: str | None = None) -> Object | None:
        """The object; None where there is none."""
        try:
            return self._json("GET", kind.path(namespace or self.namespace, name))
        except NotFound:
            return None

    def list(
        self,
        kind: Kind,
        *,
        labels: str = "",
        fields: str = "",
        namespace: str | None = None,
    ) -> Iterator[Object]:
        """Every object of a kind in a namespace that the selectors take, read page by page."""
        query = {"limit": str(_PAGE)}
        if labels:
            query["labelSelector"] = labels
        if fields:
            query["fieldSelector"] = fields
        path = kind.path(namespace or self.namespace)
        while True:
            page = self._json("GET", path, query=query)
            # The items of a list do not say what they are.
            for item in page.get("items") or ():
                yield {"apiVersion": kind.api_version, "kind": kind.name, **item}
            further = (page.get("metadata") or {}).get("continue")
            if not further:
                return
            query["continue"] = further

    def apply(
        self, manifest: Object, *, manager: str, dry_run: bool = False, force: bool = False
    ) -> Object:
        """Let the server merge what `manager` wants into what is there; the outcome.

        Raises `FieldConflict` where another manager holds a field that would change, unless
        `force`; `NotFound` where the namespace does not exist.
        """
        query = {"fieldManager": manager, "force": "true" if force else "false"}
        query["fieldValidation"] = "Strict"
        if dry_run:
            query["dryRun"] = "All"
        namespace = manifest["metadata"].get("namespace") or self.namespace
        path = kind_of(manifest).path(namespace, name_of(manifest))
        return self._json("PATCH", path, query=query, body=manifest, content=_SERVER_SIDE_APPLY)

    def create(self, kind: Kind, manifest: Object, *, dry_run: bool = False) -> Object:
        """Make a new object. Raises `AlreadyThere` where the name is taken."""
        query = {"fieldManager": "cronops"} | ({"dryRun": "All"} if dry_run else {})
        return self._json("POST", kind.path(self.namespace), query=query, body=manifest)

    def delete(self, one: Object) -> bool:
        """Delete that very object, and what it owns after it; False where it is gone already."""
        meta = one["metadata"]
        body = {"propagationPolicy": "Background", "preconditions": {"uid": meta["uid"]}}
        path = kind_of(one).path(meta.get("namespace") or self.namespace, name_of(one))
        try:
            self._json("DELETE", path, body=body)
        except NotFound:
            return False
        return True

    def logs(
        self,
        pod: str,
        *,
        container: str | None = None,
        follow: bool = False,
        tail: int | None = None,
        since: str | None = None,
        previous: bool = False,
    ) -> Iterator[tuple[str, str]]:
        """A container's lines, each with the time the node gave it, RFC 3339.

        Raises `Silence` where a followed log brings nothing for long; begin again then with
        `since` the last line's time. Raises `ClusterRefused` where there is no log yet.
        """
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError

        query = {"timestamps": "true"}
        if container:
            query["container"] = container
        if follow:
            query["follow"] = "true"
        if tail is not None:
            query["tailLines"] = str(tail)
        if since:
            query["sinceTime"] = since
        if previous:
            query["previous"] = "true"
        path = f"/api/v1/namespaces/{self.namespace}/pods/{pod}/log"
        timeout = (_CONNECT_SECONDS, _SILENCE_SECONDS if follow else _ANSWER_SECONDS)
        try:
            response = self._request("GET", path, query, None, None, timeout).response
            if response.status >= 400:
                raise _refusal(response.status, _status(response.data), path)
            for line in _lines(response.stream(65536)):
                time, _, text = line.partition(" ")
                yield time, text
        except (HTTPError, ApiException, OSError) as error:
            raise Silence(f"the log of {pod} broke off: {_first_line(error)}") from None

    def _json(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Object | None = None,
        content: str = "application/json",
    ) -> dict[str, Any]:
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError

        timeout = (_CONNECT_SECONDS, _ANSWER_SECONDS)
        try:
            response = self._request(method, path, query or {}, body, content, timeout)
            status, data = response.status, response.read()
        except (HTTPError, ApiException, OSError) as error:
            raise ClusterUnavailable(
                f"cannot reach the cluster at {self.server}: {_first_line(error)}; "
                "see which one is meant with: kubectl config get-contexts"
            ) from None
        if status >= 400:
            raise _refusal(status, _status(data), path)
        answer: dict[str, Any] = json.loads(data)
        return answer

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Object | None,
        content: str | None,
        timeout: tuple[float, float],
    ) -> Any:
        headers = {"Accept": "application/json, */*", "User-Agent": "cronops"}
        if body is not None and content:
            headers["Content-Type"] = content
        request = self._client.param_serialize(
            method,
            path,
            query_params=list(query.items()),
            header_params=headers,
            auth_settings=["BearerToken"],
        )
        method, url, headers, _, _ = request
        # The client makes JSON of what is sent as JSON, and of nothing else.
        sent = body if body is None or content == "application/json" else json.dumps(body)
        return self._client.call_api(method, url, headers, sent, _request_timeout=timeout)


class NotFound(ClusterRefused):
    """There is no such object, or no such namespace."""


@contextmanager
def open_cluster(
    *, kubeconfig: str | None = None, context: str | None = None, namespace: str | None = None
) -> Iterator[Cluster]:
    """The cluster that kubectl would talk to: by kubeconfig, else by a pod's own account.

    `namespace` overrules the context's. Raises `ConfigurationError` where none is configured.
    """
    from kubernetes import config as kubernetes_config
    from kubernetes.client import ApiClient, Configuration
    from kubernetes.config.config_exception import ConfigException
    from kubernetes.config.kube_config import KUBE_CONFIG_DEFAULT_LOCATION

    config: Any = kubernetes_config  # without types
    settings = Configuration()
    try:
        if kubeconfig or context or not _in_a_pod(KUBE_CONFIG_DEFAULT_LOCATION):
            config.load_kube_config(kubeconfig, context, client_configuration=settings)
            usual = _namespace_of(config, kubeconfig, context)
        else:
            config.load_incluster_config(client_configuration=settings)
            usual = _ACCOUNT.read_text(encoding="utf-8").strip()
    except (ConfigException, OSError, TypeError, ValueError) as error:
        raise ConfigurationError(
            f"no cluster is configured: {_first_line(error)}; name one with --kubeconfig or "
            "--context, or set KUBECONFIG"
        ) from None
    client: Any = ApiClient(settings)
    try:
        yield Cluster(settings.host, namespace or usual, client)
    finally:
        client.close()


def _in_a_pod(usual: str) -> bool:
    """Whether the pod's own account is what kubectl would take: there is no `usual` kubeconfig."""
    found = any(Path(one).expanduser().exists() for one in usual.split(os.pathsep))
    return not found and _ACCOUNT.exists()


def _namespace_of(config: Any, kubeconfig: str | None, context: str | None) -> str:
    contexts, active = config.list_kube_config_contexts(kubeconfig)
    chosen = next((one for one in contexts if one["name"] == context), active)
    return str((chosen.get("context") or {}).get("namespace") or "default")


def _refusal(status: int, answer: Mapping[str, Any], path: str) -> Exception:
    message = str(answer.get("message") or f"HTTP {status} for {path}")
    reason = answer.get("reason")
    if status == 401:
        return ConfigurationError(
            f"the cluster does not take these credentials ({message}); log in again, or choose "
            "another context with --context"
        )
    if status == 403:
        return ClusterRefused(f"not allowed: {message}; docs/cluster.md lists the rights needed")
    if status == 404:
        return NotFound(message)
    if status == 409 and reason == "AlreadyExists":
        return AlreadyThere(message)
    causes = [
        cause
        for cause in (answer.get("details") or {}).get("causes") or ()
        if cause.get("reason") == "FieldManagerConflict"
    ]
    if status == 409 and causes:
        return FieldConflict([_cause(cause) for cause in causes])
    if status in _TRY_AGAIN:
        return ClusterUnavailable(f"the cluster cannot answer now: {message}; try again")
    return ClusterRefused(f"the cluster refuses it: {message}")


def _cause(cause: Mapping[str, Any]) -> tuple[str, str]:
    """The manager and the field: ``conflict with "kubectl-edit" using batch/v1``, ``.spec.x``."""
    quoted = str(cause.get("message", "")).split('"')
    return quoted[1] if len(quoted) > 2 else "somebody", str(cause.get("field", "?"))


def _status(data: bytes) -> Mapping[str, Any]:
    try:
        answer = json.loads(data)
    except ValueError:
        return {"message": data[:300].decode(errors="replace").strip()}
    return answer if isinstance(answer, dict) else {}


def _lines(chunks: Iterator[bytes]) -> Iterator[str]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line.decode(errors="replace") for line in whole)
    if rest:
        yield rest.decode(errors="replace")


def _first_line(error: BaseException) -> str:
    reason = getattr(error, "reason", None)
    text = str(reason or error).strip() or type(error).__name__
    return text.splitlines()[0].rpartition(">: ")[2]
