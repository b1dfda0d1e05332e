"""The kinds of objects that belong to schedules, and where the API keeps them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cronops.errors import BadInput
from cronops.schedules.render.labels import SCHEDULE

Object = Mapping[str, Any]
"""One object of the API, as JSON."""


@dataclass(frozen=True)
class Kind:
    """One kind of the API."""

    api_version: str
    name: str
    plural: str
    is_namespaced: bool = True

    def path(self, namespace: str, name: str = "") -> str:
        """Where the API has all of a namespace, or the one called `name`."""
        root = "/api" if "/" not in self.api_version else "/apis"
        place = f"/namespaces/{namespace}" if self.is_namespaced else ""
        return f"{root}/{self.api_version}{place}/{self.plural}{f'/{name}' if name else ''}"


NAMESPACE = Kind("v1", "Namespace", "namespaces", is_namespaced=False)
SERVICE_ACCOUNT = Kind("v1", "ServiceAccount", "serviceaccounts")
CONFIG_MAP = Kind("v1", "ConfigMap", "configmaps")
NETWORK_POLICY = Kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies")
CRON_JOB = Kind("batch/v1", "CronJob", "cronjobs")
JOB = Kind("batch/v1", "Job", "jobs")
POD = Kind("v1", "Pod", "pods")
EVENT = Kind("v1", "Event", "events")

RENDERED = (NAMESPACE, SERVICE_ACCOUNT, NETWORK_POLICY, CONFIG_MAP, JOB, CRON_JOB)
"""What manifests hold, in the order in which it has to come to be: a pod needs the others."""
_BY_NAME = {(kind.api_version, kind.name): kind for kind in RENDERED}


def kind_of(one: Object) -> Kind:
    """The kind of an object. Raises `BadInput` for one that no manifest of ours has."""
    key = (str(one.get("apiVersion")), str(one.get("kind")))
    if key not in _BY_NAME:
        raise BadInput(f"manifests of schedules hold no {key[1]} ({key[0]})")
    return _BY_NAME[key]


def name_of(one: Object) -> str:
    """An object's name."""
    return str(one["metadata"]["name"])


def by_age(one: Object) -> tuple[str, str]:
    """A key that sorts objects as they were made, the oldest first."""
    return str(one["metadata"].get("creationTimestamp") or ""), name_of(one)


def labels_of(one: Object) -> Mapping[str, str]:
    """An object's labels."""
    return one["metadata"].get("labels") or {}


def annotations_of(one: Object) -> Mapping[str, str]:
    """An object's annotations."""
    return one["metadata"].get("annotations") or {}


def schedule_of(cron_job: Object) -> str:
    """The schedule whose CronJob it is."""
    return labels_of(cron_job).get(SCHEDULE, name_of(cron_job))


def owner_of(job: Object) -> str | None:
    """The uid of the CronJob to which a Job belongs; None where it belongs to none."""
    for owner in job["metadata"].get("ownerReferences") or ():
        if owner.get("kind") == "CronJob":
            return str(owner["uid"])
    return None
