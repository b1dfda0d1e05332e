"""Rules about whom a job may talk to."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network

from cronops.schedules.findings import Path, Severity
from cronops.schedules.parts import Egress, IpBlock, LabelSelector, Peer
from cronops.schedules.rules.rule import Problem
from cronops.schedules.rules.syntax import label_key_fault, label_value_fault
from cronops.schedules.rules.template import template_rule

Network = IPv4Network | IPv6Network
Rules = Mapping[str, Egress | None]

_DNS = 53
_CIDR = re.compile(r"[0-9a-fA-F.:]+(?P<size>/[0-9]{1,3})?")
_INSIDE = tuple(
    ip_network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",  # the cloud's metadata service, with the node's credentials
        "fc00::/7",
        "fe80::/10",
    )
)


@template_rule(
    "egress-peer",
    "egress",
    title="Each peer is either addresses or labels, written as the API takes them",
    why="The API rejects a peer with both or neither, and impossible labels.",
    instead="write ipBlock, or namespaceSelector and podSelector",
    waivable=False,
)
def _egress_peer(egress: Rules) -> Iterator[Problem]:
    for peer, field in _peers(egress):
        selectors = {"namespaceSelector": peer.namespace_selector, "podSelector": peer.pod_selector}
        if peer.ip_block is not None and any(selectors.values()):
            yield Problem(
                "a peer has both addresses and labels",
                "make it two peers, or leave out one of the two",
                field,
            )
        elif peer.ip_block is None and not any(selectors.values()):
            yield Problem("a peer says nothing", field=field)
        for name, selector in selectors.items():
            yield from _faults_of(selector, (*field, name, "matchLabels"))


@template_rule(
    "egress-cidr",
    "egress",
    title="Addresses are written as networks, exceptions inside them",
    why="The API rejects other notations, and exceptions that lie outside or leave nothing.",
    instead="write 203.0.113.0/24, or 203.0.113.7/32 for one address",
    waivable=False,
)
def _egress_cidr(egress: Rules) -> Iterator[Problem]:
    for block, field in _blocks(egress):
        network, fault, instead = _network(block.cidr)
        if network is None:
            yield Problem(fault, instead, (*field, "cidr"))
        for index, text in enumerate(block.except_ or ()):
            inner, fault, instead = _network(text)
            here = (*field, "except", index)
            if inner is None:
                yield Problem(fault, instead, here)
            elif network is not None and (inner == network or not _within(inner, network)):
                yield Problem(
                    f"the exception {text} is not a part of {block.cidr}", "leave it out", here
                )


@template_rule(
    "egress-ports",
    "egress",
    title="A range of ports ends after it begins",
    why="The API rejects one that does not.",
    instead="write the lower port as port, the higher one as endPort",
    waivable=False,
)
def _egress_ports(egress: Rules) -> Iterator[Problem]:
    for name, rule in _said(egress):
        for index, port in enumerate(rule.ports):
            if port.end_port is not None and port.end_port < port.port:
                yield Problem(
                    f"the ports from {port.port} to {port.end_port} are none",
                    f"write 'port: {port.end_port}, endPort: {port.port}'",
                    ("egress", name, "ports", index, "endPort"),
                )


@template_rule(
    "egress-open",
    "egress",
    title="A job talks to the peers it needs, not to everybody",
    why="An empty list or selector means everything; addresses of the whole Internet include the "
    "cluster's own and the cloud's metadata service, unless these are excepted.",
    instead="name the peers and ports; except the private ranges from 0.0.0.0/0",
)
def _egress_open(egress: Rules) -> Iterator[Problem]:
    for name, rule in _said(egress):
        for what, items in (("to", rule.to), ("ports", rule.ports)):
            if not items:
                meaning = "everywhere" if what == "to" else "every port"
                yield Problem(
                    f"egress {name!r}: an empty list under {what} means {meaning}",
                    field=("egress", name, what),
                )
    for peer, field in _peers(egress):
        yield from _open_selectors(peer, field)
    for block, field in _blocks(egress):
        left = _inside_of(block.cidr, tuple(block.except_ or ()))
        if left:
            yield Problem(
                f"{block.cidr} includes {', '.join(left)}: the cluster's own addresses, or the "
                "cloud's metadata service",
                f"add under except: {', '.join(left)}",
                (*field, "cidr"),
            )


@template_rule(
    "egress-dns",
    "egress",
    title="A job that talks to somebody can ask for addresses",
    why="A network policy that lets something out but not DNS makes every name unknown.",
    instead="add an egress named dns to kube-system, port 53, UDP and TCP",
    severity=Severity.WARNING,
)
def _egress_dns(egress: Rules) -> Iterator[Problem]:
    ports = [port for _, rule in _said(egress) for port in rule.ports]
    if ports and not any(one.port <= _DNS <= (one.end_port or one.port) for one in ports):
        yield Problem(f"nothing under egress lets port {_DNS} out", field=("egress",))


def _open_selectors(peer: Peer, field: Path) -> Iterator[Problem]:
    namespaces, pods = peer.namespace_selector, peer.pod_selector
    if namespaces is not None and not namespaces.match_labels:
        named = pods is not None and bool(pods.match_labels)
        yield Problem(
            "an empty namespaceSelector means every namespace"
            + (": whoever may label a pod becomes a peer" if named else ", and every pod"),
            "write matchLabels: {kubernetes.io/metadata.name: …}",
            (*field, "namespaceSelector"),
            severity=Severity.WARNING if named else None,
        )
    elif namespaces is None and pods is not None and not pods.match_labels:
        yield Problem(
            "an empty podSelector means every pod of the namespace",
            "write the peer's labels under matchLabels",
            (*field, "podSelector"),
        )


def _faults_of(selector: LabelSelector | None, field: Path) -> Iterator[Problem]:
    for key, value in (selector.match_labels if selector else {}).items():
        fault = label_key_fault(key) or label_value_fault(value)
        if fault:
            yield Problem(
                f"nothing can have the label {key[:100]!r} with this value: {fault}",
                "write the peer's label as it is",
                (*field, key),
            )


@lru_cache(maxsize=4096)
def _network(text: str) -> tuple[Network | None, str, str]:
    """The network; or None, what is wrong with its text, and what to write instead."""
    shown = repr(text[:50])
    match = _CIDR.fullmatch(text[:50])
    try:
        wider = ip_network(text, strict=False) if match else None
    except ValueError:
        wider = None
    if match is None or wider is None:
        return None, f"{shown} is no network", ""
    if match["size"] is None:
        return None, f"{shown} says no size", f"write {wider} for the one address"
    try:
        return ip_network(text), "", ""
    except ValueError:
        return None, f"{shown} names an address inside its network", f"write {wider}"


@lru_cache(maxsize=4096)
def _inside_of(cidr: str, exceptions: tuple[str, ...]) -> tuple[str, ...]:
    """The inner ranges that a network includes without being one itself."""
    network, _, _ = _network(cidr)
    if network is None:
        return ()
    excepted = [inner for inner, _, _ in map(_network, exceptions) if inner is not None]
    return tuple(
        str(inside)
        for inside in _INSIDE
        if inside != network
        and _within(inside, network)
        and not any(_within(inside, one) for one in excepted)
    )


def _within(inner: Network, outer: Network) -> bool:
    if isinstance(inner, IPv4Network):
        return isinstance(outer, IPv4Network) and inner.subnet_of(outer)
    return isinstance(outer, IPv6Network) and inner.subnet_of(outer)


def _said(egress: Rules) -> Iterator[tuple[str, Egress]]:
    for name, rule in egress.items():
        if rule is not None:
            yield name, rule


def _peers(egress: Rules) -> Iterator[tuple[Peer, Path]]:
    for name, rule in _said(egress):
        for index, peer in enumerate(rule.to):
            yield peer, ("egress", name, "to", index)


def _blocks(egress: Rules) -> Iterator[tuple[IpBlock, Path]]:
    for peer, field in _peers(egress):
        if peer.ip_block is not None:
            yield peer.ip_block, (*field, "ipBlock")


RULES = (_egress_peer, _egress_cidr, _egress_ports, _egress_open, _egress_dns)
