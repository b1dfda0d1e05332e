"""cdk8s: the same three objects for each schedule, as constructs; run where Node.js is installed.

``python -m benchmarks.peers.cdk8s OBJECTS OUT``: the objects that cronops wrote come as JSON, which
costs next to nothing to read; cdk8s makes them anew and writes its own manifests.
"""

import json
import sys
from pathlib import Path
from typing import Any

from cdk8s import ApiObject, App, Chart, JsonPatch


def main(objects: Path, out: str) -> None:
    """Synthesize every object of a JSON file, one file of manifests for all."""
    app = App(outdir=out)
    chart = Chart(app, "cronops")
    for number, found in enumerate(json.loads(objects.read_text(encoding="utf-8"))):
        _add(chart, f"object-{number}", found)
    app.synth()


def _add(chart: Chart, name: str, found: dict[str, Any]) -> None:
    known = {"metadata": found["metadata"]} if "metadata" in found else {}
    made = ApiObject(chart, name, api_version=found["apiVersion"], kind=found["kind"], **known)
    for key, value in found.items():
        if key not in ("apiVersion", "kind", "metadata"):
            made.add_json_patch(JsonPatch.add(f"/{key}", value))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
