"""What Kubernetes takes as a name, a label or an annotation. Source: its API's validation."""

import re
from functools import lru_cache

LONGEST_LABEL = 63
LONGEST_SUBDOMAIN = 253
IS_DNS_LABEL = "lower-case letters, digits and hyphens, a letter or digit at both ends"
_DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_QUALIFIED = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_IS_QUALIFIED = "letters, digits, '-', '_' and '.', a letter or digit at both ends"


@lru_cache(maxsize=65_536)
def is_dns_label(text: str) -> bool:
    """Whether it may be a schedule's, a volume's or a namespace's name."""
    return len(text) <= LONGEST_LABEL and _DNS_LABEL.fullmatch(text) is not None


@lru_cache(maxsize=4096)
def is_dns_subdomain(text: str) -> bool:
    """Whether it may be the name of a Secret, ConfigMap, claim or priority class."""
    return len(text) <= LONGEST_SUBDOMAIN and _SUBDOMAIN.fullmatch(text) is not None


def as_dns_label(text: str) -> str:
    """The nearest name Kubernetes takes; empty where nothing is left."""
    kept = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return kept[:LONGEST_LABEL].rstrip("-")


def called(name: str) -> str:
    """The advice to write that name; empty where nothing is left of what was written."""
    return f"call it {name}" if name else ""


@lru_cache(maxsize=4096)
def label_key_fault(key: str) -> str | None:
    """What is wrong with a label's or annotation's key, ``prefix/name``; None for nothing."""
    prefix, slash, name = key.rpartition("/")
    if slash and not is_dns_subdomain(prefix):
        return f"the part before its last '/' must be a DNS name of {LONGEST_SUBDOMAIN} at most"
    return _qualified_fault(name)


@lru_cache(maxsize=16_384)
def label_value_fault(value: str) -> str | None:
    """What is wrong with a label's value, which may be empty; None for nothing."""
    return _qualified_fault(value) if value else None


def _qualified_fault(text: str) -> str | None:
    if len(text) > LONGEST_LABEL:
        return f"it has {len(text)} characters, and {LONGEST_LABEL} are the most"
    return None if _QUALIFIED.fullmatch(text) else f"it must be {_IS_QUALIFIED}"
