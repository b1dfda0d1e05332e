"""The Helm chart: what `render` writes, from values, but for the `DIFFERENCES`.

All of ``charts/cronops`` is made here: the templates lie in this package, so that a chart of
anybody's schedules file is whole.
"""

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files

from cronops.schedules.chart.differences import DIFFERENCES, Difference
from cronops.schedules.chart.facts import facts_text, queries_text
from cronops.schedules.chart.made import values_of
from cronops.schedules.chart.readme import readme_text
from cronops.schedules.chart.schema import schema_text
from cronops.schedules.chart.values import Values
from cronops.schedules.chart.written import values_text, yaml_text
from cronops.schedules.resolve import PRODUCTION, ResolvedEnvironment

__all__ = ["DIFFERENCES", "Difference", "chart"]

# podFailurePolicy is stable from 1.31 on; podReplacementPolicy, backoffLimitPerIndex and timeZone
# are on in it. The hyphen lets vendors' versions in: v1.31.4-gke.100.
KUBERNETES = ">=1.31.0-0"
_TEMPLATES = (
    "NOTES.txt",
    "_alerts.tpl",
    "_job.tpl",
    "_labels.tpl",
    "_names.tpl",
    "_pod.tpl",
    "_values.tpl",
    "migration.yaml",
    "network-policy.yaml",
    "prometheus-rule.yaml",
    "schedules.yaml",
    "settings.yaml",
)
_DESCRIPTION = (
    "Scheduled jobs under one operating contract: CronJobs, their access and their alerts."
)
# As Python writes what comes before a release: 0.2.0rc1, 0.2.0.dev3.
_PRE_RELEASE = re.compile(r"(\d+\.\d+\.\d+)\.?([a-z]+)(\d+)")


def chart(environments: Mapping[str, ResolvedEnvironment], text: bytes) -> dict[str, str]:
    """Every file of the chart by its path below it.

    `text` is the schedules file the environments were read from; each must have passed
    `cronops.schedules.validate`. Raises `ValueError` where there is none.
    """
    if not environments:
        raise ValueError("a chart wants at least one environment")
    templates = files("cronops.schedules.chart").joinpath("templates")
    made = {f"templates/{name}": templates.joinpath(name).read_text("utf-8") for name in _TEMPLATES}
    made["templates/_facts.tpl"] = facts_text()
    made["templates/_queries.tpl"] = queries_text()
    values = {name: values_of(environments[name]) for name in sorted(environments)}
    for name, one in values.items():
        made[f"values-{name}.yaml"] = values_text(one, name)
    made["values.yaml"] = values_text(Values(), None)
    made["values.schema.json"] = schema_text()
    shown = environments.get(PRODUCTION) or next(iter(environments.values()))
    made["Chart.yaml"] = _chart_yaml(shown)
    made["README.md"] = readme_text(
        values, shown.name, shown.namespace, KUBERNETES.strip(">=").removesuffix("-0")
    )
    made["index.json"] = _index(shown.declarations.version, text, made)
    return dict(sorted(made.items()))


def _chart_yaml(shown: ResolvedEnvironment) -> str:
    version = shown.declarations.version
    image = shown.common.image
    return yaml_text(
        {
            "apiVersion": "v2",
            "name": "cronops",
            "description": _DESCRIPTION,
            "type": "application",
            "version": _PRE_RELEASE.sub(r"\1-\2.\3", version),
            "appVersion": (image.tag if image else None) or version,
            "kubeVersion": KUBERNETES,
            "annotations": {"cronops/generated-by": f"cronops {version}"},
        }
    )


def _index(version: str, source: bytes, made: Mapping[str, str]) -> str:
    index = {
        "files": {path: sha256(file.encode()).hexdigest() for path, file in sorted(made.items())},
        "generator": f"cronops {version}",
        "source": {"sha256": sha256(source).hexdigest()},
    }
    return json.dumps(index, indent=2) + "\n"
