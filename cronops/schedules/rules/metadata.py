"""Rules about labels, annotations, and the names that a file gives to parts of a pod."""

import re
from collections.abc import Iterator, Mapping

from cronops.schedules.parts import PullSecret, SecretFile, Volume
from cronops.schedules.rules.rule import Problem
from cronops.schedules.rules.syntax import (
    IS_DNS_LABEL,
    LONGEST_LABEL,
    LONGEST_SUBDOMAIN,
    as_dns_label,
    called,
    is_dns_label,
    is_dns_subdomain,
    label_key_fault,
    label_value_fault,
)
from cronops.schedules.rules.template import template_rule

MOST_ANNOTATED = 256 << 10
"""Bytes that an object's annotations may have together, keys included."""
_OURS = frozenset({"app.kubernetes.io", "cronops", "batch.kubernetes.io"})
_OF_THE_JOB_CONTROLLER = frozenset({"controller-uid", "job-name"})
_OF_EVERY_POD = frozenset({"tmp"})
_DATA_KEY = re.compile(r"[A-Za-z0-9._-]{1,253}")


@template_rule(
    "label-syntax",
    "labels",
    title="Labels are written as Kubernetes takes them",
    why="The API rejects an object with any other.",
    instead="write prefix/name as key and 63 letters, digits, '-', '_' or '.' at most as value",
    waivable=False,
)
def _label_syntax(labels: Mapping[str, str | None]) -> Iterator[Problem]:
    for key, value in labels.items():
        if fault := label_key_fault(key):
            yield Problem(f"{key[:100]!r} is no label's key: {fault}", field=("labels", key))
        if fault := label_value_fault(value or ""):
            yield Problem(
                f"the label {key[:100]!r} has a bad value: {fault}", field=("labels", key)
            )


@template_rule(
    "annotation-syntax",
    "annotations",
    title="Annotations have keys that Kubernetes takes",
    why="The API rejects an object with any other.",
    instead="write prefix/name: a DNS name, and 63 letters, digits, '-', '_' or '.' at most",
    waivable=False,
)
def _annotation_syntax(annotations: Mapping[str, str | None]) -> Iterator[Problem]:
    for key in annotations:
        # Only for annotations does the API look away from upper case.
        if fault := label_key_fault(key.lower()):
            yield Problem(
                f"{key[:100]!r} is no annotation's key: {fault}", field=("annotations", key)
            )


@template_rule(
    "annotation-size",
    "annotations",
    title="Annotations have room in one object",
    why=f"The API rejects more than {MOST_ANNOTATED >> 10} KiB of them.",
    instead="keep long texts elsewhere and annotate where they are",
    waivable=False,
)
def _annotation_size(annotations: Mapping[str, str | None]) -> Iterator[Problem]:
    size = sum(len(f"{key}{value}".encode()) for key, value in annotations.items())
    if size > MOST_ANNOTATED:
        yield Problem(
            f"the annotations have {size:,} bytes; {MOST_ANNOTATED:,} are the most",
            field=("annotations",),
        )


@template_rule(
    "metadata-reserved",
    "labels",
    "annotations",
    title="The labels and annotations we write are not overridden",
    why="Selectors, alerts and the cluster's inventory rely on them.",
    instead="use a prefix of your own, such as example.com/",
    waivable=False,
)
def _metadata_reserved(
    labels: Mapping[str, str | None], annotations: Mapping[str, str | None]
) -> Iterator[Problem]:
    for field, keys in (("labels", labels), ("annotations", annotations)):
        for key in keys:
            if key.partition("/")[0] in _OURS or key in _OF_THE_JOB_CONTROLLER:
                yield Problem(f"{key[:100]!r} is written by the renderer", field=(field, key))


@template_rule(
    "part-name",
    "secrets",
    "volumes",
    "egress",
    title="Secrets, volumes and egress have names the API takes, each its own",
    why="Those of secrets and volumes become the pod's volumes, which the API wants named apart.",
    instead="write lower-case letters, digits and hyphens",
    waivable=False,
)
def _part_name(
    secrets: Mapping[str, object], volumes: Mapping[str, object], egress: Mapping[str, object]
) -> Iterator[Problem]:
    for field, names in (("secrets", secrets), ("volumes", volumes), ("egress", egress)):
        for name in names:
            if not is_dns_label(name):
                yield Problem(
                    f"{name[:LONGEST_LABEL]!r} under {field} must be {IS_DNS_LABEL}, "
                    f"{LONGEST_LABEL} characters at most",
                    called(as_dns_label(name)),
                    (field, name),
                )
            elif name in _OF_EVERY_POD and field != "egress":
                yield Problem(
                    f"every pod has a volume {name!r} already, for /tmp",
                    "choose another name",
                    (field, name),
                )
    for name in sorted(secrets.keys() & volumes.keys()):
        yield Problem(
            f"{name!r} names a secret and a volume; both become volumes of the pod",
            "give one of them another name",
            ("volumes", name),
        )


@template_rule(
    "object-name",
    "secrets",
    "volumes",
    "image_pull_secrets",
    title="Objects named in the cluster have names that can exist there",
    why="The API rejects references by impossible names.",
    instead="write the object's own name: lower-case letters, digits, hyphens and dots",
    waivable=False,
)
def _object_name(
    secrets: Mapping[str, SecretFile | None],
    volumes: Mapping[str, Volume | None],
    pull_secrets: list[PullSecret] | None,
) -> Iterator[Problem]:
    for name, secret in secrets.items():
        if secret is None:
            continue
        yield from _unless_possible(secret.secret_name, ("secrets", name, "secretName"))
        if not _DATA_KEY.fullmatch(secret.key) or secret.key.startswith(".."):
            yield Problem(
                f"{secret.key[:100]!r} cannot be a Secret's key",
                "write the key: letters, digits, '-', '_' and '.'",
                ("secrets", name, "key"),
            )
    for name, volume in volumes.items():
        if volume is not None and volume.persistent_volume_claim is not None:
            yield from _unless_possible(
                volume.persistent_volume_claim.claim_name,
                ("volumes", name, "persistentVolumeClaim", "claimName"),
            )
        if volume is not None and volume.config_map is not None:
            yield from _unless_possible(
                volume.config_map.name, ("volumes", name, "configMap", "name")
            )
    for index, pull_secret in enumerate(pull_secrets or ()):
        yield from _unless_possible(pull_secret.name, ("imagePullSecrets", index, "name"))


def _unless_possible(name: str, field: tuple[str | int, ...]) -> Iterator[Problem]:
    if not is_dns_subdomain(name):
        yield Problem(
            f"{name[:100]!r} cannot be an object's name: lower-case letters, digits, hyphens and "
            f"dots, a letter or digit at both ends, {LONGEST_SUBDOMAIN} characters at most",
            field=field,
        )


RULES = (
    _label_syntax,
    _annotation_syntax,
    _annotation_size,
    _metadata_reserved,
    _part_name,
    _object_name,
)
