"""What becomes of another tool's check here, and small parts of which such checks are made."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Object = Mapping[str, Any]
"""A Kubernetes object, parsed."""
Holds = Callable[[Object, Sequence[Object]], bool]
"""Whether a check holds for an object; all objects of its environment are given beside it."""

MANIFEST = "manifest"
"""Kept by what is rendered, whatever the file says."""
NOT_APPLICABLE = "not applicable"
"""About objects that are never rendered."""
DECLINED = "declined"


@dataclass(frozen=True)
class Check:
    """One check of another tool."""

    name: str
    """As that tool calls it."""
    kept_by: str
    """The id of the rule of ours that keeps it; or `MANIFEST`, `NOT_APPLICABLE`, `DECLINED`."""
    reason: str
    """For people: how it is kept, or why not."""
    holds: Holds | None = None
    """For what no rule keeps: whether it holds for an object that was rendered."""


def by_rule(name: str, rule: str, reason: str) -> Check:
    """A check that a rule of ours keeps."""
    return Check(name, rule, reason)


def by_manifest(name: str, reason: str, holds: Holds) -> Check:
    """A check that every manifest passes by the way it is made."""
    return Check(name, MANIFEST, reason, holds)


def never(name: str, *kinds: str) -> Check:
    """A check of kinds of object that are not rendered."""

    def holds(one: Object, _: Sequence[Object]) -> bool:
        return one["kind"] not in kinds

    return Check(name, NOT_APPLICABLE, f"no {' or '.join(kinds)} is rendered", holds)


def declined(name: str, reason: str) -> Check:
    """A check we do not want to pass, in part or at all."""
    return Check(name, DECLINED, reason)


def pod_template(one: Object) -> Object | None:
    """The template of an object's pods; None for one that makes none."""
    spec = one.get("spec", {})
    if one["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    return spec["template"] if one["kind"] in ("CronJob", "Job") else None


def each_pod(check: Callable[[Object], bool]) -> Holds:
    """Holds where `check` does for the specification of every pod."""

    def holds(one: Object, _: Sequence[Object]) -> bool:
        template = pod_template(one)
        return template is None or check(template["spec"])

    return holds


def each_container(check: Callable[[Object], bool]) -> Holds:
    """Holds where `check` does for every container; what the pod says of security is its own."""

    def of_pod(pod: Object) -> bool:
        above = pod.get("securityContext", {})
        return all(
            check({**one, "securityContext": {**above, **one.get("securityContext", {})}})
            for one in (*pod.get("initContainers", ()), *pod["containers"])
        )

    return each_pod(of_pod)


def no_port(one: Object) -> bool:
    """Whether a container opens no port at all."""
    return not one.get("ports")


def unset(*path: str) -> Callable[[Object], bool]:
    """Whether the value at `path` is absent, false or empty."""

    def check(one: Object) -> bool:
        value: Any = one
        for step in path:
            value = value.get(step) or {}
        return not value

    return check


def volumes_without(*sources: str) -> Holds:
    """Holds where no pod's volume is made of `sources`, such as hostPath."""
    return each_pod(
        lambda pod: not any(source in one for one in pod.get("volumes", ()) for source in sources)
    )


def unique_variables(one: Object) -> bool:
    """Whether a container is given each variable once."""
    names = [variable["name"] for variable in one.get("env", ())]
    return len(names) == len(set(names))


def policies_for(one: Object, others: Sequence[Object]) -> Iterator[Object]:
    """The network policies that select an object's pods."""
    template = pod_template(one)
    if template is None:
        return
    for other in others:
        if other["kind"] == "NetworkPolicy" and selects(other, template):
            yield other


def selects(policy: Object, template: Object) -> bool:
    """Whether a network policy is about a template's pods."""
    wanted: Object = policy["spec"]["podSelector"].get("matchLabels", {})
    labels: Object = template["metadata"]["labels"]
    return wanted.items() <= labels.items()


def isolated(one: Object, others: Sequence[Object]) -> bool:
    """Whether a policy selects the object's pods, both ways."""
    if pod_template(one) is None:
        return True
    types = [set(policy["spec"].get("policyTypes", ())) for policy in policies_for(one, others)]
    return {"Ingress", "Egress"} <= set().union(*types)


def selects_somebody(one: Object, others: Sequence[Object]) -> bool:
    """Whether a network policy is about pods that exist."""
    if one["kind"] != "NetworkPolicy":
        return True
    templates = filter(None, map(pod_template, others))
    return any(selects(one, template) for template in templates)
