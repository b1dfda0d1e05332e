"""Rules about where a pod may run."""

from collections.abc import Iterator, Mapping

from cronops.schedules.findings import Severity
from cronops.schedules.parts import Toleration
from cronops.schedules.rules.rule import Problem
from cronops.schedules.rules.syntax import is_dns_subdomain, label_key_fault, label_value_fault
from cronops.schedules.rules.template import template_rule


@template_rule(
    "node-selector",
    "node_selector",
    title="The node selector is made of possible labels",
    why="The API rejects any other, and no node could carry them.",
    instead="write a node's label: 'kubernetes.io/arch: amd64'",
    waivable=False,
)
def _node_selector(selector: Mapping[str, str | None]) -> Iterator[Problem]:
    for key, value in selector.items():
        fault = label_key_fault(key) or label_value_fault(value or "")
        if fault:
            yield Problem(
                f"no node can have the label {key[:100]!r} with this value: {fault}",
                field=("nodeSelector", key),
            )


@template_rule(
    "toleration",
    "tolerations",
    title="A toleration says what the API takes",
    why="The API rejects other combinations of key, operator, value and effect.",
    instead="write key, operator: Exists and effect, or key, value and effect",
    waivable=False,
)
def _toleration(tolerations: list[Toleration] | None) -> Iterator[Problem]:
    for index, one in enumerate(tolerations or ()):
        field = ("tolerations", index)
        if one.key is None and one.operator != "Exists":
            yield Problem(
                "a toleration without key tolerates every taint, and only with 'operator: Exists'",
                "name the taint's key",
                field,
            )
        if one.key is not None and (fault := label_key_fault(one.key)):
            yield Problem(f"{one.key[:100]!r} is no taint's key: {fault}", field=(*field, "key"))
        if one.operator == "Exists" and one.value:
            yield Problem(
                "'operator: Exists' asks for no value",
                "leave out the value, or the operator",
                (*field, "value"),
            )
        elif one.value and (fault := label_value_fault(one.value)):
            yield Problem(f"the taint's value is impossible: {fault}", field=(*field, "value"))
        if one.toleration_seconds is not None and one.effect != "NoExecute":
            yield Problem(
                "tolerationSeconds goes only with 'effect: NoExecute'",
                "leave it out, or write 'effect: NoExecute'",
                (*field, "tolerationSeconds"),
            )


@template_rule(
    "priority-class",
    "priority_class_name",
    title="The priority class can exist",
    why="The API rejects impossible names; the system's own classes would let a job push out the "
    "cluster's services.",
    instead="write the name of a PriorityClass made for jobs",
    waivable=False,
)
def _priority_class(name: str | None) -> Iterator[Problem]:
    if name is None:
        return
    if not is_dns_subdomain(name):
        yield Problem(
            f"{name[:100]!r} cannot name a PriorityClass: lower-case letters, digits, hyphens and "
            "dots",
            field=("priorityClassName",),
        )
    elif name.startswith("system-"):
        yield Problem(
            f"{name!r} is for the cluster's own pods",
            field=("priorityClassName",),
            severity=Severity.WARNING,
        )


RULES = (_node_selector, _toleration, _priority_class)
