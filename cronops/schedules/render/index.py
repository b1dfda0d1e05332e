"""``index.json``: what was made of what, so that a directory of manifests can be told apart."""

import json
from collections.abc import Mapping
from hashlib import sha256

from cronops.schedules.render.ground import Ground
from cronops.schedules.render.schedule import schedule_file
from cronops.schedules.resolve import NEVER

NAME = "index.json"


def index_text(ground: Ground, source: bytes, files: Mapping[str, str]) -> str:
    """The index of all other `files`, made from the bytes of a schedules file."""
    environment = ground.environment
    schedules = [
        {
            "name": schedule.name,
            "cr": schedule.entry.cr,
            "cronjob": schedule.cronjob,
            "file": schedule_file(schedule),
            "image": schedule.image,
            "schedule": schedule.expression or NEVER,
            "suspend": schedule.standstill is not None,
            "timeZone": schedule.template.time_zone,
        }
        for schedule in sorted(environment.schedules, key=lambda one: one.name)
    ]
    index = {
        "environment": environment.name,
        "files": {path: _hash(text.encode()) for path, text in sorted(files.items())},
        "generator": ground.generator,
        "namespace": environment.namespace,
        "schedules": schedules,
        "source": {"sha256": _hash(source)},
    }
    return json.dumps(index, indent=2, ensure_ascii=True) + "\n"


def _hash(content: bytes) -> str:
    return sha256(content).hexdigest()
