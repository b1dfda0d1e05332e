"""What an environment has once: namespace, settings, the closed door, and the list of files."""

from collections.abc import Iterable

from cronops.schedules.render.ground import Ground
from cronops.schedules.render.job import pairs
from cronops.schedules.render.labels import INSTANCE, PART_OF, common_labels
from cronops.schedules.render.texts import fill

# What the namespace lets in must not change with an upgrade of the cluster; what it warns of may.
ENFORCED = "v1.34"
_SECURITY = "pod-security.kubernetes.io"


def namespace_text(ground: Ground) -> str:
    """The namespace, closed to pods that ask for more than ours do."""
    security = {f"{_SECURITY}/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
    versions = {
        f"{_SECURITY}/enforce-version": ENFORCED,
        f"{_SECURITY}/audit-version": "latest",
        f"{_SECURITY}/warn-version": "latest",
    }
    return _filled(ground, "namespace", labels=pairs(_labels(ground) | security | versions))


def settings_text(ground: Ground) -> str:
    """The variables of every pod, in a ConfigMap that never changes: other content, other name."""
    return _filled(
        ground,
        "settings",
        name=ground.settings_name,
        labels=pairs(_labels(ground)),
        data=pairs(ground.settings),
    )


def network_policy_text(ground: Ground) -> str:
    """No way in or out of our pods but those that a job's own policy opens."""
    labels = _labels(ground)
    return _filled(
        ground,
        "network-policy",
        name=ground.named("cronops-default-deny"),
        labels=pairs(labels),
        selector=pairs({key: labels[key] for key in (INSTANCE, PART_OF)}),
    )


def kustomization_text(ground: Ground, files: Iterable[str]) -> str:
    """What ``kubectl apply -k`` takes."""
    return _filled(ground, "kustomization", resources=sorted(files))


def _labels(ground: Ground) -> dict[str, str]:
    return common_labels(ground.environment, ground.environment.common)


def _filled(ground: Ground, name: str, /, **values: object) -> str:
    shared = {"namespace": ground.environment.namespace, "generator": ground.generator}
    return fill(f"{name}.yaml.j2", **shared, **values) + "\n"
