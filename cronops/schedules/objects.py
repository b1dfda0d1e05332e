"""Objects of the cluster's API from manifests, and as text that people compare."""

from collections.abc import Mapping
from typing import Any

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def read_objects(text: str) -> list[dict[str, Any]]:
    """Every object of a manifest of ours; what is between ``---`` and nothing else is left out."""
    return [one for one in yaml.load_all(text, _LOADER) if one]


def object_text(one: Mapping[str, Any]) -> str:
    """An object in YAML, its fields by name. For people: no manifest is made so."""
    return str(yaml.dump(dict(one), Dumper=_DUMPER, allow_unicode=True, width=100))
