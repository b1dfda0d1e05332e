"""Helm's own engine for tests: a process that renders and lints charts (`tests.helm_driver`)."""

import json
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests import helm_driver, tools

Key = tuple[str, str, str]
"""Kind, namespace and name."""


class Refused(Exception):
    """What Helm says of a chart, or of values, that it does not render."""


@dataclass(frozen=True)
class Rendered:
    """A release as Helm would have stored it."""

    manifest: str
    hooks: tuple[str, ...]
    notes: str

    @property
    def objects(self) -> dict[Key, Any]:
        """Everything the release makes, hooks included."""
        return objects([self.manifest, *self.hooks])


class Helm:
    """One process for many charts."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [tools.helm_python(), helm_driver.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def render(
        self, chart: Path, namespace: str, values: Mapping[str, Any] | None = None
    ) -> Rendered:
        """The chart installed with these values over its own. Raises `Refused`."""
        answer = self._ask(
            do="render", chart=str(chart), namespace=namespace, values=dict(values or {})
        )
        return Rendered(answer["manifest"], tuple(answer["hooks"]), answer["notes"])

    def lint(self, chart: Path) -> list[Mapping[str, Any]]:
        """The linter's messages, but for that on the icon, which nobody misses."""
        messages = self._ask(do="lint", chart=str(chart))["Messages"]
        return [one for one in messages if (one["Severity"], one["Path"]) != (1, "Chart.yaml")]

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def _ask(self, **request: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "Helm's process has ended"
        told = json.loads(answer)
        if "error" in told:
            raise Refused(told["error"])
        return told


def write_chart(files: Mapping[str, str], directory: Path, environment: str | None = None) -> Path:
    """The chart in a directory; an environment's values as its own, so that Helm reads them."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    if environment is not None:
        (directory / "values.yaml").write_text(files[f"values-{environment}.yaml"], "utf-8")
    return directory


def objects(texts: Iterable[str]) -> dict[Key, Any]:
    """The objects of manifests; two of one name are an error."""
    found: dict[Key, Any] = {}
    for text in texts:
        for one in yaml.safe_load_all(text):
            if one is None:
                continue
            metadata = one.get("metadata", {})
            key = (one["kind"], metadata.get("namespace", ""), metadata.get("name", ""))
            assert key not in found or one["kind"] == "Kustomization", key
            found[key] = one
    return found
