"""kube-score's checks. Source: its README_CHECKS.md, of May 2026."""

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
    selects_somebody,
    unique_variables,
    unset,
)

_LEAST_ID = 10_000
_STABLE = frozenset({"v1", "batch/v1", "networking.k8s.io/v1"})
# The operator's own kinds have versions of their own.
_OTHERS = ("kustomize.config.k8s.io/", "monitoring.coreos.com/")


def _has_starting_deadline(one: Object, _: Sequence[Object]) -> bool:
    return one["kind"] != "CronJob" or bool(one["spec"].get("startingDeadlineSeconds"))


def _is_stable(one: Object, _: Sequence[Object]) -> bool:
    version: str = one["apiVersion"]
    return version in _STABLE or version.startswith(_OTHERS)


def _high_ids(one: Object) -> bool:
    context = one["securityContext"]
    ids: tuple[int, int] = (context.get("runAsUser", 0), context.get("runAsGroup", 0))
    return min(ids) >= _LEAST_ID


_UNEQUAL = "a limit leaves room for a large day without reserving it every day"

CHECKS = (
    never("deployment-strategy", "Deployment"),
    never("deployment-replicas", "Deployment"),
    never("ingress-targets-service", "Ingress"),
    by_manifest(
        "cronjob-has-deadline", "startingDeadlineSeconds is always written", _has_starting_deadline
    ),
    by_rule("cronjob-restartpolicy", "restart-policy", "only Never is taken"),
    by_rule("container-resources", "resources-missing", "requests and limits are wanted"),
    declined("container-resource-requests-equal-limits", _UNEQUAL),
    declined("container-cpu-requests-equal-limits", _UNEQUAL),
    declined("container-memory-requests-equal-limits", _UNEQUAL),
    by_rule("container-image-tag", "image-tag", "a tag is given, and is not latest"),
    declined(
        "container-image-pull-policy",
        "an image with digest is IfNotPresent: it cannot have changed, and a registry out of reach "
        "stops no run; one without is Always",
    ),
    by_rule(
        "container-ephemeral-storage-request-and-limit",
        "resources-missing",
        "requests and limits are wanted",
    ),
    declined("container-ephemeral-storage-request-equals-limit", _UNEQUAL),
    by_manifest("container-ports-check", "no port is opened", each_container(no_port)),
    by_manifest(
        "environment-variable-key-duplication",
        "variables are merged by name",
        each_container(unique_variables),
    ),
    never("statefulset-has-poddisruptionbudget", "StatefulSet"),
    never("deployment-has-poddisruptionbudget", "Deployment"),
    never("poddisruptionbudget-has-policy", "PodDisruptionBudget"),
    by_manifest("pod-networkpolicy", "a policy per job, and one that denies the rest", isolated),
    by_manifest(
        "networkpolicy-targets-pod", "each policy is rendered with its pods", selects_somebody
    ),
    never("pod-probes", "Service"),
    by_manifest(
        "pod-probes-identical", "a run has no probes", each_container(unset("livenessProbe"))
    ),
    by_manifest(
        "container-security-context-user-group-id",
        "user and group 10001",
        each_container(_high_ids),
    ),
    by_manifest(
        "container-security-context-privileged",
        "always false",
        each_container(unset("securityContext", "privileged")),
    ),
    by_manifest(
        "container-security-context-readonlyrootfilesystem",
        "only /tmp and what the entry says is written to",
        each_container(lambda one: one["securityContext"].get("readOnlyRootFilesystem") is True),
    ),
    by_manifest(
        "container-seccomp-profile",
        "RuntimeDefault",
        each_container(
            lambda one: (
                one["securityContext"].get("seccompProfile", {}).get("type") == "RuntimeDefault"
            )
        ),
    ),
    never("service-targets-pod", "Service"),
    never("service-type", "Service"),
    by_manifest("stable-version", "v1, batch/v1 and networking.k8s.io/v1", _is_stable),
    never("deployment-has-host-podantiaffinity", "Deployment"),
    never("statefulset-has-host-podantiaffinity", "StatefulSet"),
    never(
        "deployment-targeted-by-hpa-does-not-have-replicas-configured", "HorizontalPodAutoscaler"
    ),
    never("statefulset-has-servicename", "StatefulSet"),
    never("deployment-pod-selector-labels-match-template-metadata-labels", "Deployment"),
    never("statefulset-pod-selector-labels-match-template-metadata-labels", "StatefulSet"),
    by_rule("label-values", "label-syntax", "labels of the file are checked; others are made so"),
    never("horizontalpodautoscaler-has-target", "HorizontalPodAutoscaler"),
    never("horizontalpodautoscaler-replicas", "HorizontalPodAutoscaler"),
    by_manifest(
        "pod-topology-spread-constraints",
        "none is written, so the scheduler's own hold",
        each_pod(unset("topologySpreadConstraints")),
    ),
)
