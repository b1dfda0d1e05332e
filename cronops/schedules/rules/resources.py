"""Rules about what a container is given: cpu, memory, and room for files."""

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import lru_cache

from cronops.schedules.findings import Path
from cronops.schedules.parts import EmptyDir, Resources, Volume
from cronops.schedules.quantity import InvalidQuantity, parse_quantity
from cronops.schedules.rules.rule import Problem
from cronops.schedules.rules.syntax import label_key_fault
from cronops.schedules.rules.template import template_rule

WANTED = ("cpu", "memory", "ephemeral-storage")
_HUGE_PAGES = re.compile(r"hugepages-[0-9]+[KMG]i")
_MILLI = Fraction(1, 1000)
_GOOD = {"cpu": "500m", "memory": "256Mi", "ephemeral-storage": "128Mi"}


@template_rule(
    "quantity",
    "resources",
    "volumes",
    title="Amounts are Kubernetes quantities that can be meant",
    why="The API rejects other notations, takes '128m' of memory as an eighth of a byte, and "
    "rounds what is finer than a thousandth of a core.",
    instead="write 500m or 0.5 for cpu, 512Mi or 1Gi for memory and storage",
    waivable=False,
)
def _quantity(
    resources: Resources | None, volumes: Mapping[str, Volume | None]
) -> Iterator[Problem]:
    for field, resource, text in _amounts(resources):
        if fault := _fault_of(text, resource):
            yield Problem(*fault, field)
    for name, directory in _directories(volumes):
        fault = (
            _fault_of(directory.size_limit, "ephemeral-storage") if directory.size_limit else None
        )
        if fault:
            yield Problem(*fault, ("volumes", name, "emptyDir", "sizeLimit"))


@template_rule(
    "resource-name",
    "resources",
    title="Resources are ones that Kubernetes knows",
    why="The API rejects names without a domain that are not its own.",
    instead=f"write {', '.join(WANTED)}, or a device as vendor.example/name",
    waivable=False,
)
def _resource_name(resources: Resources | None) -> Iterator[Problem]:
    for field, resource, _ in _amounts(resources):
        if resource in WANTED or _HUGE_PAGES.fullmatch(resource):
            continue
        if "/" not in resource or label_key_fault(resource):
            yield Problem(f"{resource[:100]!r} is no resource", field=field)


@template_rule(
    "resources-missing",
    "resources",
    title="Requests and limits are given for cpu, memory and ephemeral storage",
    why="Without requests the scheduler cannot place the pod; without limits one job takes what "
    "the others on its node need.",
    instead="write requests and limits, best under defaults",
)
def _resources_missing(resources: Resources | None) -> Iterator[Problem]:
    missing = [
        f"{kind}.{resource}"
        for kind in ("requests", "limits")
        for resource in WANTED
        if not (getattr(resources, kind, None) or {}).get(resource)
    ]
    if missing:
        yield Problem(f"no resources are given for {', '.join(missing)}", field=("resources",))


@template_rule(
    "limit-below-request",
    "resources",
    title="No limit is below its request",
    why="The API rejects it.",
    instead="raise the limit, or lower the request",
    waivable=False,
)
def _limit_below_request(resources: Resources | None) -> Iterator[Problem]:
    if resources is None:
        return
    for resource, request in resources.requests.items():
        limit = resources.limits.get(resource)
        if request is None or limit is None:
            continue
        if _is_below(limit, request):
            yield Problem(
                f"the limit of {limit} {resource} is below the request of {request}",
                field=("resources", "limits", resource),
            )


@template_rule(
    "scratch-size",
    "resources",
    "volumes",
    title="Temporary directories have a size that the pod may use",
    why="A pod is evicted when its files pass the limit of ephemeral storage, and killed when "
    "files in memory pass that of memory: before its directory is full.",
    instead="give emptyDir a sizeLimit, and the pod a limit above all of them",
)
def _scratch_size(
    resources: Resources | None, volumes: Mapping[str, Volume | None]
) -> Iterator[Problem]:
    sums = {"memory": Fraction(0), "ephemeral-storage": Fraction(0)}
    fields: dict[str, Path] = {}
    for name, directory in _directories(volumes):
        if directory.size_limit is None:
            yield Problem(
                f"the temporary directory {name!r} has no size",
                "write 'emptyDir: {sizeLimit: 64Mi}'",
                ("volumes", name, "emptyDir"),
            )
            continue
        resource = "memory" if directory.medium == "Memory" else "ephemeral-storage"
        sums[resource] += _amount(directory.size_limit) or 0
        fields[resource] = ("volumes", name, "emptyDir", "sizeLimit")
    for resource, field in fields.items():
        limit = (resources.limits.get(resource) if resources else None) or ""
        allowed = _amount(limit)
        if allowed is not None and sums[resource] >= allowed:
            size = f"{float(sums[resource] / 2**20):.0f} MiB"
            yield Problem(
                f"the temporary directories may grow to {size} together, and the limit of "
                f"{resource} is {limit}",
                field=field,
            )


def _amounts(resources: Resources | None) -> Iterator[tuple[Path, str, str]]:
    if resources is None:
        return
    for kind, amounts in (("requests", resources.requests), ("limits", resources.limits)):
        for resource, text in amounts.items():
            if text is not None:
                yield ("resources", kind, resource), resource, text


def _directories(volumes: Mapping[str, Volume | None]) -> Iterator[tuple[str, EmptyDir]]:
    for name, volume in volumes.items():
        if volume is not None and volume.empty_dir is not None:
            yield name, volume.empty_dir


def _amount(text: str) -> Fraction | None:
    try:
        return parse_quantity(text)
    except InvalidQuantity:
        return None


@lru_cache(maxsize=4096)
def _is_below(limit: str, request: str) -> bool:
    allowed, asked = _amount(limit), _amount(request)
    return allowed is not None and asked is not None and allowed < asked


@lru_cache(maxsize=4096)
def _fault_of(text: str, resource: str) -> tuple[str, str] | None:
    """What is wrong with an amount of a resource, and what to write instead."""
    example = _GOOD.get(resource, "1")
    try:
        amount = parse_quantity(text)
    except InvalidQuantity as fault:
        meant = fault.instead
        # 512m is how 512 MB of memory is often written.
        if meant.endswith("m") and resource != "cpu":
            meant = f"{meant[:-1]}Mi"
        return fault.message, f"write {meant or example}"
    if amount <= 0:
        return f"{resource} of {text} is nothing: the pod could not run", f"write {example}"
    if resource == "cpu" and amount % _MILLI:
        return (
            f"cpu of {text} is finer than a thousandth of a core, the least there is",
            "write thousandths: 1m or more",
        )
    if resource != "cpu" and amount.denominator != 1:
        whole = text.removesuffix("m")
        return (
            f"{resource} of {text} is a fraction of a byte: 'm' means thousandths",
            f"write {whole}Mi" if whole.isdigit() else f"write {example}",
        )
    return None


RULES = (_quantity, _resource_name, _resources_missing, _limit_below_request, _scratch_size)
