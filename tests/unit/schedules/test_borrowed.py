from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from cronops.schedules.rules import RULES
from cronops.schedules.rules.borrowed import (
    DECLINED,
    MANIFEST,
    NOT_APPLICABLE,
    TOOLS,
    Check,
)
from tests.unit.schedules.builders import environment
from tests.unit.schedules.manifests import LOADER, documents

Objects = list[dict[str, Any]]
ROOT = Path(__file__).parents[3]
DIRECTORIES = sorted(path.parent for path in (ROOT / "k8s").glob("*/kustomization.yaml"))
CHECKS = [(tool, check) for tool, checks in TOOLS.items() for check in checks]
PROVEN = [(tool, check) for tool, check in CHECKS if check.holds is not None]


def _name(value: object) -> str:
    return value.name if isinstance(value, Check) else str(value)


def test_the_repository_has_manifests() -> None:
    assert DIRECTORIES


@pytest.mark.parametrize("directory", DIRECTORIES, ids=lambda path: path.name)
def test_every_manifest_passes_what_is_not_kept_by_a_rule(directory: Path) -> None:
    objects = [
        one
        for path in sorted(directory.rglob("*.yaml"))
        for one in yaml.load_all(path.read_text(), Loader=LOADER)
    ]

    failed = [
        (tool, check.name, one["kind"], one.get("metadata", {}).get("name"))
        for tool, check in PROVEN
        for one in objects
        if not check.holds(one, objects)
    ]

    assert {one["kind"] for one in objects} >= {"CronJob", "Job", "NetworkPolicy", "ConfigMap"}
    assert failed == []


@pytest.mark.parametrize(("tool", "check"), CHECKS, ids=_name)
def test_each_check_says_what_keeps_it(tool: str, check: Check) -> None:
    rules = {rule.id for rule in RULES}

    assert check.kept_by in {MANIFEST, NOT_APPLICABLE, DECLINED} | rules
    assert check.reason
    assert (check.holds is not None) == (check.kept_by in (MANIFEST, NOT_APPLICABLE))


@pytest.mark.parametrize("tool", TOOLS)
def test_no_check_is_named_twice(tool: str) -> None:
    names = [check.name for check in TOOLS[tool]]

    assert len(names) == len(set(names))


def _pod(change: Callable[[dict[str, Any]], Any]) -> Callable[[Objects], Any]:
    def changed(objects: Objects) -> None:
        [cronjob] = [one for one in objects if one["kind"] == "CronJob"]
        change(cronjob["spec"]["jobTemplate"]["spec"]["template"]["spec"])

    return changed


def _container(change: Callable[[dict[str, Any]], Any]) -> Callable[[Objects], Any]:
    return _pod(lambda pod: change(pod["containers"][0]))


def _security(**said: Any) -> Callable[[Objects], Any]:
    return _container(lambda one: one["securityContext"].update(said))


def _added(**said: Any) -> Callable[[Objects], Any]:
    return lambda objects: objects.append({"apiVersion": "v1", "metadata": {"name": "x"}, **said})


def _without(kind: str) -> Callable[[Objects], Any]:
    def changed(objects: Objects) -> None:
        objects[:] = [one for one in objects if one["kind"] != kind]

    return changed


HOST_PATH = _pod(lambda pod: pod["volumes"].append({"name": "x", "hostPath": {"path": "/"}}))
PORTS = _container(lambda one: one.update(ports=[{"containerPort": 22, "hostPort": 22}]))
SECRET_VARIABLE = _container(
    lambda one: one["env"].append({"name": "X", "valueFrom": {"secretKeyRef": {"name": "x"}}})
)
TWICE = _container(lambda one: one["env"].append(one["env"][0]))
STRANGER = _added(
    kind="NetworkPolicy", spec={"podSelector": {"matchLabels": {"app": "nobody"}}, "egress": []}
)
BARE_PEER = _added(
    kind="NetworkPolicy",
    spec={"podSelector": {}, "egress": [{"to": [{"podSelector": {"matchLabels": {}}}]}]},
)
ROOT_USER = _security(runAsNonRoot=False, runAsUser=0)
WRITABLE = _security(readOnlyRootFilesystem=False)
ESCALATING = _security(allowPrivilegeEscalation=True)
CAPABLE = _security(capabilities={"add": ["SYS_ADMIN"]})
PRIVILEGED = _security(privileged=True)
UNCONFINED = _security(seccompProfile={"type": "Unconfined"})
OLD = _added(kind="CronTab", apiVersion="extensions/v1beta1")
DEADLINE = "startingDeadlineSeconds"

BREAKING: dict[str, Callable[[Objects], Any]] = {
    "kube-linter dangling-networkpolicy": STRANGER,
    "kube-linter dangling-networkpolicypeer-podselector": BARE_PEER,
    "kube-linter default-service-account": _pod(lambda pod: pod.pop("serviceAccountName")),
    "kube-linter deprecated-service-account-field": _pod(
        lambda pod: pod.update(serviceAccount="x")
    ),
    "kube-linter docker-sock": HOST_PATH,
    "kube-linter drop-net-raw-capability": CAPABLE,
    "kube-linter duplicate-env-var": TWICE,
    "kube-linter env-value-from": SECRET_VARIABLE,
    "kube-linter host-ipc": _pod(lambda pod: pod.update(hostIPC=True)),
    "kube-linter host-network": _pod(lambda pod: pod.update(hostNetwork=True)),
    "kube-linter host-pid": _pod(lambda pod: pod.update(hostPID=True)),
    "kube-linter invalid-target-ports": PORTS,
    "kube-linter job-ttl-seconds-after-finished": lambda objects: next(
        one for one in objects if one["kind"] == "CronJob"
    )["spec"]["jobTemplate"]["spec"].update(ttlSecondsAfterFinished=60),
    "kube-linter liveness-port": _container(lambda one: one.update(livenessProbe={"exec": {}})),
    "kube-linter no-extensions-v1beta": OLD,
    "kube-linter no-read-only-root-fs": WRITABLE,
    "kube-linter non-existent-service-account": _without("ServiceAccount"),
    "kube-linter non-isolated-pod": _without("NetworkPolicy"),
    "kube-linter privilege-escalation-container": ESCALATING,
    "kube-linter privileged-container": PRIVILEGED,
    "kube-linter privileged-ports": PORTS,
    "kube-linter read-secret-from-env-var": SECRET_VARIABLE,
    "kube-linter readiness-port": _container(lambda one: one.update(readinessProbe={"exec": {}})),
    "kube-linter run-as-non-root": ROOT_USER,
    "kube-linter sensitive-host-mounts": HOST_PATH,
    "kube-linter ssh-port": PORTS,
    "kube-linter startup-port": _container(lambda one: one.update(startupProbe={"exec": {}})),
    "kube-linter unsafe-proc-mount": _security(procMount="Unmasked"),
    "kube-linter unsafe-sysctls": _pod(
        lambda pod: pod["securityContext"].update(sysctls=[{"name": "kernel.msgmax"}])
    ),
    "kube-linter writable-host-mount": HOST_PATH,
    "kube-score cronjob-has-deadline": lambda objects: next(
        one for one in objects if one["kind"] == "CronJob"
    )["spec"].pop(DEADLINE),
    "kube-score container-ports-check": PORTS,
    "kube-score environment-variable-key-duplication": TWICE,
    "kube-score pod-networkpolicy": _without("NetworkPolicy"),
    "kube-score networkpolicy-targets-pod": STRANGER,
    "kube-score pod-probes-identical": _container(lambda one: one.update(livenessProbe={"a": 1})),
    "kube-score container-security-context-user-group-id": _security(runAsGroup=1000),
    "kube-score container-security-context-privileged": PRIVILEGED,
    "kube-score container-security-context-readonlyrootfilesystem": WRITABLE,
    "kube-score container-seccomp-profile": UNCONFINED,
    "kube-score stable-version": OLD,
    "kube-score pod-topology-spread-constraints": _pod(
        lambda pod: pod.update(topologySpreadConstraints=[{"maxSkew": 0}])
    ),
    "polaris automountServiceAccountToken": _pod(
        lambda pod: pod.update(automountServiceAccountToken=True)
    ),
    "polaris hostIPCSet": _pod(lambda pod: pod.update(hostIPC=True)),
    "polaris hostPathSet": HOST_PATH,
    "polaris hostProcess": _security(windowsOptions={"hostProcess": True}),
    "polaris hostPIDSet": _pod(lambda pod: pod.update(hostPID=True)),
    "polaris linuxHardening": UNCONFINED,
    "polaris notReadOnlyRootFilesystem": WRITABLE,
    "polaris privilegeEscalationAllowed": ESCALATING,
    "polaris procMount": _security(procMount="Unmasked"),
    "polaris runAsRootAllowed": ROOT_USER,
    "polaris runAsPrivileged": PRIVILEGED,
    "polaris dangerousCapabilities": CAPABLE,
    "polaris insecureCapabilities": CAPABLE,
    "polaris hostNetworkSet": _pod(lambda pod: pod.update(hostNetwork=True)),
    "polaris hostPortSet": PORTS,
}


@pytest.fixture(scope="module")
def rendered() -> Objects:
    from cronops.schedules.render import render

    return documents(render(environment(), b""))


@pytest.mark.parametrize(
    ("tool", "check"), [pair for pair in PROVEN if pair[1].kept_by == MANIFEST], ids=_name
)
def test_a_manifest_that_fails_a_check_is_found(tool: str, check: Check, rendered: Objects) -> None:
    assert check.holds is not None
    assert all(check.holds(one, rendered) for one in rendered)
    objects = deepcopy(rendered)
    BREAKING[f"{tool} {check.name}"](objects)

    assert not all(check.holds(one, objects) for one in objects)


@pytest.mark.parametrize(
    ("tool", "check"), [pair for pair in PROVEN if pair[1].kept_by == NOT_APPLICABLE], ids=_name
)
def test_an_object_of_a_kind_we_never_render_is_found(tool: str, check: Check) -> None:
    assert check.holds is not None
    kind = check.reason.removeprefix("no ").split(" ")[0]

    assert not check.holds({"kind": kind}, [])
    assert check.holds({"kind": "CronJob"}, [])
