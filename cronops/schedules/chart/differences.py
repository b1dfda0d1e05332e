"""In what the chart's objects differ from those of ``k8s/``; the tests allow nothing else."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Difference:
    """One thing that Helm wants otherwise."""

    kind: Literal["missing", "added", "changed", "renamed"]
    """An object that only ``k8s/`` has, or only the chart; or what an object of both says."""
    objects: str
    """Which, by kind and name as a shell's pattern: ``Job *cronops-migration``."""
    field: str
    """Which field of it, as a pattern of the path of its keys; empty for the whole object."""
    what: str
    why: str


DIFFERENCES = (
    Difference(
        "changed",
        "*",
        "*metadata/labels/app.kubernetes.io/managed-by",
        "`Helm`, on objects and on pods, instead of `cronops`",
        "what `cronops` applies and prunes must not be taken for a release's",
    ),
    Difference(
        "added",
        "*",
        "metadata/labels/helm.sh/chart",
        "the chart's name and version, on objects only",
        "Helm's custom; on pods it would change every CronJob with each version of the chart",
    ),
    Difference(
        "missing",
        "Namespace *",
        "",
        "the namespace is the release's; it is not made and not labelled",
        "Helm keeps its release in it, so that it has to be there first",
    ),
    Difference(
        "added",
        "* *cronops-migration",
        "metadata/annotations/helm.sh/hook*",
        "the migration's Job, its service account and its network policy are hooks before "
        "installation and upgrade, the Job last; they go when it has succeeded",
        "tables are upgraded before anything that needs them, and a failed upgrade stops there",
    ),
    Difference(
        "renamed",
        "Job *cronops-migration",
        "metadata/name",
        "the migration's Job has no hash in its name",
        "Helm deletes the one before; elsewhere a Job that has run cannot be changed",
    ),
    Difference(
        "added",
        "ConfigMap *cronops-migration-settings",
        "",
        "a second ConfigMap with the same settings, a hook too, which the migration's pods take",
        "hooks run before the release's own ConfigMap is there, and deleting that one would break "
        "the pods that start meanwhile",
    ),
    Difference(
        "changed",
        "Job *cronops-migration",
        "spec/template/spec/containers/0/envFrom/0/configMapRef/name",
        "the migration's pods take that ConfigMap",
        "see above",
    ),
    Difference(
        "missing",
        "PrometheusRule *",
        "",
        "only with `prometheusRule.enabled`; in `k8s/` they lie apart, in `alerts/`",
        "a cluster without the Prometheus operator does not know the kind",
    ),
    Difference(
        "missing",
        "Kustomization *",
        "",
        "no `kustomization.yaml`, and another `index.json`",
        "they are no objects; the chart's index lists the chart's files",
    ),
)
