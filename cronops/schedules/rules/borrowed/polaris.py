"""Polaris' checks. Source: its pkg/config/checks and default configuration, of August 2026."""

from cronops.schedules.rules.borrowed.checks import (
    Object,
    by_manifest,
    by_rule,
    declined,
    each_container,
    each_pod,
    never,
    unset,
    volumes_without,
)


def _is_hardened(one: Object) -> bool:
    context = one["securityContext"]
    profile = context.get("seccompProfile", {}).get("type")
    return profile not in (None, "Unconfined") and bool(context["capabilities"].get("drop"))


_ROLES = ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")

CHECKS = (
    # Reliability
    never("deploymentMissingReplicas", "Deployment"),
    declined(
        "priorityClassNotSet",
        "a class must exist in the cluster; priorityClassName can be given where one does",
    ),
    by_rule("tagNotSpecified", "image-tag", "a tag is given, and is not latest"),
    declined(
        "pullPolicyNotAlways",
        "an image with digest is IfNotPresent: it cannot have changed, and a registry out of reach "
        "stops no run; one without is Always",
    ),
    never("readinessProbeMissing", "Deployment", "StatefulSet", "DaemonSet"),
    never("livenessProbeMissing", "Deployment", "StatefulSet", "DaemonSet"),
    declined(
        "metadataAndInstanceMismatched",
        "app.kubernetes.io/instance names the installation, the same for all its objects",
    ),
    never("pdbDisruptionsIsZero", "PodDisruptionBudget"),
    never("missingPodDisruptionBudget", "Deployment"),
    never("topologySpreadConstraint", "Deployment", "StatefulSet", "DaemonSet"),
    never("hpaMaxAvailability", "HorizontalPodAutoscaler"),
    never("hpaMinAvailability", "HorizontalPodAutoscaler"),
    never("pdbMinAvailableGreaterThanHPAMinReplicas", "PodDisruptionBudget"),
    # Efficiency
    by_rule("cpuRequestsMissing", "resources-missing", "requests and limits are wanted"),
    by_rule("cpuLimitsMissing", "resources-missing", "requests and limits are wanted"),
    by_rule("memoryRequestsMissing", "resources-missing", "requests and limits are wanted"),
    by_rule("memoryLimitsMissing", "resources-missing", "requests and limits are wanted"),
    # Security
    by_manifest(
        "automountServiceAccountToken",
        "a run needs no access to the API",
        each_pod(lambda pod: pod.get("automountServiceAccountToken") is False),
    ),
    by_manifest("hostIPCSet", "never written", each_pod(unset("hostIPC"))),
    by_manifest("hostPathSet", "nothing of the node is mounted", volumes_without("hostPath")),
    by_manifest(
        "hostProcess",
        "never written",
        each_container(unset("securityContext", "windowsOptions", "hostProcess")),
    ),
    by_manifest("hostPIDSet", "never written", each_pod(unset("hostPID"))),
    by_manifest(
        "linuxHardening", "seccomp RuntimeDefault, no capabilities", each_container(_is_hardened)
    ),
    declined(
        "missingNetworkPolicy",
        "it wants a rule that lets something in, and nothing may reach a run: each pod is selected "
        "by its own policy and one that denies the rest",
    ),
    by_manifest(
        "notReadOnlyRootFilesystem",
        "only /tmp and what the entry says is written to",
        each_container(lambda one: one["securityContext"].get("readOnlyRootFilesystem") is True),
    ),
    by_manifest(
        "privilegeEscalationAllowed",
        "always false",
        each_container(lambda one: one["securityContext"].get("allowPrivilegeEscalation") is False),
    ),
    by_manifest(
        "procMount", "never written", each_container(unset("securityContext", "procMount"))
    ),
    by_manifest(
        "runAsRootAllowed",
        "user 10001",
        each_container(lambda one: one["securityContext"].get("runAsNonRoot") is True),
    ),
    by_manifest(
        "runAsPrivileged", "always false", each_container(unset("securityContext", "privileged"))
    ),
    by_manifest(
        "dangerousCapabilities",
        "none is added",
        each_container(unset("securityContext", "capabilities", "add")),
    ),
    by_manifest(
        "insecureCapabilities",
        "all are dropped",
        each_container(lambda one: one["securityContext"]["capabilities"].get("drop") == ["ALL"]),
    ),
    by_manifest("hostNetworkSet", "never written", each_pod(unset("hostNetwork"))),
    by_manifest("hostPortSet", "no port is opened", each_container(unset("ports"))),
    never("tlsSettingsMissing", "Ingress"),
    by_rule(
        "sensitiveContainerEnvVar",
        "secret-inline",
        "no secret stands in a variable; a variable that ends in _FILE holds a path, which the "
        "original takes for a secret by its name",
    ),
    by_rule(
        "sensitiveConfigmapContent",
        "secret-inline",
        "what the ConfigMap holds are the file's variables",
    ),
    *(
        never(name, *_ROLES)
        for name in (
            "clusterrolePodExecAttach",
            "rolePodExecAttach",
            "clusterrolebindingPodExecAttach",
            "rolebindingClusterRolePodExecAttach",
            "rolebindingRolePodExecAttach",
            "clusterrolebindingClusterAdmin",
            "rolebindingClusterAdminClusterRole",
            "rolebindingClusterAdminRole",
        )
    ),
)
