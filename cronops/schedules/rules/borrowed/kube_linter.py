"""kube-linter's built-in checks. Source: its docs/generated/checks.md, of August 2026."""

from collections.abc import Sequence

from cronops.schedules.rules.borrowed.checks import (
    Object,
    by_manifest,
    by_rule,
    declined,
    each_container,
    each_pod,
    isolated,
    never,
    no_port,
    pod_template,
    selects_somebody,
    unique_variables,
    unset,
    volumes_without,
)

_OLD_APIS = ("extensions/v1beta1", "apps/v1beta1", "apps/v1beta2")


def _account_exists(one: Object, others: Sequence[Object]) -> bool:
    template = pod_template(one)
    if template is None:
        return True
    return any(
        other["kind"] == "ServiceAccount"
        and other["metadata"]["name"] == template["spec"]["serviceAccountName"]
        and other["metadata"].get("namespace") == one["metadata"].get("namespace")
        for other in others
    )


def _keeps_ttl_to_jobs(one: Object, _: Sequence[Object]) -> bool:
    if one["kind"] != "CronJob":
        return True
    return "ttlSecondsAfterFinished" not in one["spec"]["jobTemplate"]["spec"]


def _no_bare_pod_peers(one: Object, _: Sequence[Object]) -> bool:
    rules = one["spec"].get("egress", ()) if one["kind"] == "NetworkPolicy" else ()
    return all(
        "podSelector" not in peer or "namespaceSelector" in peer
        for rule in rules
        for peer in rule.get("to", ())
    )


def _no_reference(one: Object) -> bool:
    references = ("secretKeyRef", "configMapKeyRef")
    return not any(
        reference in variable.get("valueFrom", {})
        for variable in one.get("env", ())
        for reference in references
    )


def _runs_as_nobody(one: Object) -> bool:
    context = one["securityContext"]
    return (
        context.get("runAsNonRoot") is True
        and context.get("runAsUser") != 0
        and context.get("runAsGroup") != 0
    )


_RBAC = ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")

CHECKS = (
    never("access-to-create-pods", *_RBAC),
    never("access-to-secrets", *_RBAC),
    never("cluster-admin-role-binding", "ClusterRoleBinding"),
    never("dangling-horizontalpodautoscaler", "HorizontalPodAutoscaler"),
    never("dangling-ingress", "Ingress"),
    by_manifest(
        "dangling-networkpolicy", "each policy is rendered with its pods", selects_somebody
    ),
    by_manifest(
        "dangling-networkpolicypeer-podselector",
        "peers are named with their namespace; their pods are not ours",
        _no_bare_pod_peers,
    ),
    never("dangling-service", "Service"),
    never("dangling-servicemonitor", "ServiceMonitor"),
    by_manifest(
        "default-service-account",
        "each job has an account of its own, without rights",
        each_pod(lambda pod: pod.get("serviceAccountName", "default") != "default"),
    ),
    by_manifest(
        "deprecated-service-account-field",
        "only serviceAccountName is written",
        each_pod(unset("serviceAccount")),
    ),
    declined("dnsconfig-options", "the cluster's own DNS settings serve; ndots is its matter"),
    by_manifest(
        "docker-sock", "nothing of the node is mounted at all", volumes_without("hostPath")
    ),
    by_manifest(
        "drop-net-raw-capability",
        "all capabilities are dropped",
        each_container(lambda one: one["securityContext"]["capabilities"].get("drop") == ["ALL"]),
    ),
    by_manifest(
        "duplicate-env-var", "variables are merged by name", each_container(unique_variables)
    ),
    by_manifest(
        "env-value-from",
        "variables refer to no Secret and no ConfigMap: secrets are files",
        each_container(_no_reference),
    ),
    by_rule("env-var-secret", "secret-inline", "secrets are files, and none stands in the file"),
    never("exposed-services", "Service"),
    by_manifest("host-ipc", "never written", each_pod(unset("hostIPC"))),
    by_manifest("host-network", "never written", each_pod(unset("hostNetwork"))),
    by_manifest("host-pid", "never written", each_pod(unset("hostPID"))),
    never("hpa-minimum-three-replicas", "HorizontalPodAutoscaler"),
    by_manifest("invalid-target-ports", "no port is opened", each_container(no_port)),
    by_manifest(
        "job-ttl-seconds-after-finished",
        "kept for CronJobs: history limits clean up. Declined for the migration's Job: it stays, "
        "so that applying the same manifests again does not run it again",
        _keeps_ttl_to_jobs,
    ),
    by_rule("latest-tag", "image-tag", "a tag is given, and is not latest"),
    by_manifest("liveness-port", "no port is opened", each_container(unset("livenessProbe"))),
    never("minimum-three-replicas", "Deployment"),
    never("mismatching-selector", "Deployment", "StatefulSet", "DaemonSet"),
    never("no-anti-affinity", "Deployment", "StatefulSet"),
    by_manifest(
        "no-extensions-v1beta",
        "batch/v1 and networking.k8s.io/v1",
        lambda one, _: one["apiVersion"] not in _OLD_APIS,
    ),
    declined("no-liveness-probe", "a run is watched by its own supervisor, and ends by itself"),
    declined("no-node-affinity", "nodeSelector and tolerations serve where nodes differ"),
    by_manifest(
        "no-read-only-root-fs",
        "only /tmp and what the entry says is written to",
        each_container(lambda one: one["securityContext"].get("readOnlyRootFilesystem") is True),
    ),
    declined("no-readiness-probe", "nobody sends a run requests"),
    never("no-rolling-update-strategy", "Deployment", "DaemonSet"),
    by_manifest(
        "non-existent-service-account", "it is rendered beside the CronJob", _account_exists
    ),
    by_manifest("non-isolated-pod", "a policy per job, and one that denies the rest", isolated),
    never("pdb-max-unavailable", "PodDisruptionBudget"),
    never("pdb-min-available", "PodDisruptionBudget"),
    never("pdb-unhealthy-pod-eviction-policy", "PodDisruptionBudget"),
    declined(
        "priority-class-name",
        "it accepts only the system's classes, which would let a job push out the cluster's "
        "services; the rule priority-class warns of them",
    ),
    by_manifest(
        "privilege-escalation-container",
        "always false",
        each_container(lambda one: one["securityContext"].get("allowPrivilegeEscalation") is False),
    ),
    by_manifest(
        "privileged-container",
        "always false",
        each_container(unset("securityContext", "privileged")),
    ),
    by_manifest("privileged-ports", "no port is opened", each_container(no_port)),
    by_manifest(
        "read-secret-from-env-var", "secrets are mounted as files", each_container(_no_reference)
    ),
    by_manifest("readiness-port", "no port is opened", each_container(unset("readinessProbe"))),
    declined("required-annotation-email", "owners are teams, and alerts find them by route"),
    declined(
        "required-label-owner",
        "owners are the labels cronops/accountable and cronops/responsible, made from the job's "
        "declaration",
    ),
    declined(
        "restart-policy",
        "it wants Always or OnFailure, and the API allows neither beside a podFailurePolicy; the "
        "rule restart-policy wants Never",
    ),
    by_manifest("run-as-non-root", "user and group 10001", each_container(_runs_as_nobody)),
    never("scc-deny-privileged-container", "SecurityContextConstraints"),
    declined("schema-validation", "a test validates all manifests against the API's schemas"),
    by_manifest(
        "sensitive-host-mounts", "nothing of the node is mounted", volumes_without("hostPath")
    ),
    declined("sorted-keys", "keys stand in the order in which people look for them"),
    by_manifest("ssh-port", "no port is opened", each_container(no_port)),
    by_manifest("startup-port", "no port is opened", each_container(unset("startupProbe"))),
    by_manifest(
        "unsafe-proc-mount",
        "never written",
        each_container(unset("securityContext", "procMount")),
    ),
    by_manifest("unsafe-sysctls", "never written", each_pod(unset("securityContext", "sysctls"))),
    by_rule("unset-cpu-requirements", "resources-missing", "requests and limits are wanted"),
    by_rule("unset-memory-requirements", "resources-missing", "requests and limits are wanted"),
    by_rule("use-namespace", "namespace-shared", "'default' is refused"),
    never("wildcard-in-rules", "Role", "ClusterRole"),
    by_manifest(
        "writable-host-mount", "nothing of the node is mounted", volumes_without("hostPath")
    ),
)
