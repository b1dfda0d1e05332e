"""Rules about the container's image."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache

from cronops.schedules.findings import Severity
from cronops.schedules.model import Template
from cronops.schedules.parts import Image
from cronops.schedules.resolve import PRODUCTION
from cronops.schedules.rules.rule import Problem
from cronops.schedules.rules.syntax import label_value_fault
from cronops.schedules.rules.template import template_rule

# Source: the grammar in distribution/reference.
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*(?::[0-9]{{1,5}})?"
_REPOSITORY = re.compile(rf"(?:{_HOST}/)?{_PART}(?:/{_PART})*")
_LONGEST_REPOSITORY = 255
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_PLACEHOLDER = f"sha256:{'0' * 64}"


@template_rule(
    "image-name",
    "image",
    title="Repository, tag and digest are given apart, as registries write them",
    why="A node cannot pull any other; the tag is also a label's value.",
    instead="write repository: registry.example.com/cronops, tag: 0.1.0, and the digest",
    waivable=False,
)
def _image_name(image: Image | None) -> Iterator[Problem]:
    if image is None or image.repository is None:
        yield Problem("no image's repository is given", field=("image", "repository"))
        return
    if fault := _repository_fault(image.repository):
        message, instead = fault
        yield Problem(message, instead, ("image", "repository"))
    if image.tag is not None and not _TAG.fullmatch(image.tag):
        yield Problem(f"{image.tag[:100]!r} is no tag", "write one such as 0.1.0", ("image", "tag"))
    elif image.tag is not None and (fault_of_label := label_value_fault(image.tag)):
        yield Problem(
            f"the tag {image.tag!r} cannot be the label app.kubernetes.io/version: "
            f"{fault_of_label}",
            "write a shorter one, such as 0.1.0",
            ("image", "tag"),
        )
    if image.digest is not None and not _DIGEST.fullmatch(image.digest):
        yield Problem(
            f"{image.digest[:80]!r} is no digest",
            "write sha256: and 64 hexadecimal digits in lower case, as the registry shows it",
            ("image", "digest"),
        )


@template_rule(
    "image-tag",
    "image",
    title="The image has a tag that says which version it is",
    why="'latest' is whatever was pushed last: two pods of one job may run different programs, "
    "and nobody can say which one ran.",
    instead="write the version: tag: 0.1.0",
)
def _image_tag(image: Image | None) -> Iterator[Problem]:
    if image is None or image.repository is None:
        return
    if image.tag is None:
        yield Problem("the image has no tag", field=("image", "tag"))
    elif image.tag.lower() == "latest":
        yield Problem(f"the tag {image.tag!r} names no version", field=("image", "tag"))


@template_rule(
    "image-digest",
    "image",
    title="Production pins its image by digest",
    why="A tag can be moved to another image; a digest names one for ever.",
    instead="write the digest the registry shows: sha256:…",
)
def _pinned(image: Image | None) -> Iterator[Problem]:
    if image is None:
        return
    if image.digest is None:
        yield Problem("the image has no digest", field=("image", "digest"))
    elif image.digest == _PLACEHOLDER:
        yield Problem(
            "the digest is a placeholder, and no image has it",
            field=("image", "digest"),
            severity=Severity.WARNING,
        )


def _pinned_in_production(template: Template, environment: str) -> Iterable[Problem]:
    return _pinned.of_template(template, environment) if environment == PRODUCTION else ()


_image_digest = replace(
    _pinned,
    check=lambda schedule: iter(_pinned_in_production(schedule.template, schedule.environment)),
    of_template=_pinned_in_production,
)


@lru_cache(maxsize=1024)
def _repository_fault(repository: str) -> tuple[str, str] | None:
    shown = repository[:100]
    if "://" in repository:
        return f"{shown!r} is a URL", "leave out everything up to '://'"
    if "@" in repository:
        return f"{shown!r} holds a digest", "write it as digest"
    if len(repository) > _LONGEST_REPOSITORY:
        return f"the repository has {len(repository)} characters", "write 255 at most"
    last = repository.rpartition("/")[2]
    if ":" in last and _REPOSITORY.fullmatch(repository.rpartition(":")[0]):
        return f"{shown!r} holds a tag", "write what follows the last ':' as tag"
    if not _REPOSITORY.fullmatch(repository):
        return (
            f"{shown!r} is no image's repository",
            "write registry and path in lower case: registry.example.com/cronops",
        )
    return None


RULES = (_image_name, _image_tag, _image_digest)
