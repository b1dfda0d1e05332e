"""Template files made from Python, so that the chart's templates repeat nothing of it."""

import json
from collections.abc import Mapping
from typing import Any

from cronops.schedules.model import Template
from cronops.schedules.render import pod
from cronops.schedules.render.alert_queries import NO_PUSHGATEWAY, InEnvironment, OfSchedule
from cronops.schedules.render.alerts import MOST, PUSHGATEWAY, REPORTING
from cronops.schedules.render.failure_policy import CONTAINER, failure_policy
from cronops.schedules.render.labels import waivers

_HEAD = "{{- /* Made by `cronops schedules chart` from the program: change nothing here. */ -}}\n"
# Text and numbers that stand for what the chart fills in; no query has them otherwise.
_NAMES = {
    f"@{name}@": name
    for name in (
        *("environment", "namespace", "schedule", "cronjob", "zone"),
        *("migration", "hashedMigration"),
    )
}
_LIMIT, _LATE, _SILENCE = 900_000_001, 900_000_020, 900_000_300
_NUMBERS = {
    str(_LIMIT): "int64 .limit",
    str(_LATE + _SILENCE): "add .late .silence | int64",
    str(_LATE): "int64 .late",
}


def facts_text() -> str:
    """``_facts.tpl``: what pods and Jobs have whatever the values say."""
    facts = {
        "container": CONTAINER,
        "jobNameField": pod.JOB_NAME_LABEL,
        "podFailurePolicies": {
            f"{tries}{shards}": _policy(retry_safe=tries == "retried", indexed=bool(shards))
            for tries in ("retried", "once")
            for shards in ("", "Indexed")
        },
        "pushgateway": sorted(PUSHGATEWAY),
        "reporting": sorted(REPORTING),
        "rulesInOneObject": MOST,
        "terminationLog": pod.TERMINATION_LOG,
        "unpinnedWaivers": waivers(Template()),
        "user": pod.USER,
    }
    return _HEAD + _defined("facts", json.dumps(facts, indent=2))


def queries_text() -> str:
    """``_queries.tpl``: the PromQL of the alerts."""
    environment = InEnvironment("@environment@", "@namespace@")
    queries = {
        "unseen": environment.unseen(),
        "migrationFailed": environment.migration_failed("@migration@", "@hashedMigration@"),
        "noPushgateway": NO_PUSHGATEWAY,
        "overlong": _schedule(is_reported=False).overlong(_LIMIT),
        "pending": _schedule(is_reported=False).pending(_LIMIT),
        "unstarted": _schedule(is_reported=False).unstarted(_LATE, _SILENCE, "@zone@"),
        "missed": _schedule(is_reported=False).missed(_LIMIT),
        "missedReported": _schedule(is_reported=True).missed(_LIMIT),
        "unrecorded": _schedule(is_reported=True).unrecorded(),
    }
    recordings = environment.recordings()
    made = [_defined(f"query.{name}", _filled(query)) for name, query in queries.items()]
    made += [_defined(f"recording.{name}", _filled(query)) for name, query in recordings.items()]
    made.append(_defined("recordings", json.dumps(list(recordings))))
    return _HEAD + "\n".join(made)


def _policy(*, retry_safe: bool, indexed: bool) -> Mapping[str, Any]:
    policy = failure_policy(retry_safe=retry_safe, indexed=indexed)
    return {
        "action": policy.action,
        "operator": policy.operator,
        "codes": policy.codes,
        "onDisruption": policy.on_disruption,
    }


def _schedule(*, is_reported: bool) -> OfSchedule:
    return OfSchedule("@environment@", "@namespace@", "@schedule@", "@cronjob@", is_reported)


def _filled(query: str) -> str:
    for mark, name in _NAMES.items():
        query = query.replace(mark, f'{{{{ include "cronops.promText" .{name} }}}}')
    for mark, action in _NUMBERS.items():
        query = query.replace(mark, f"{{{{ {action} }}}}")
    return query


def _defined(name: str, text: str) -> str:
    return f'{{{{- define "cronops.{name}" -}}}}\n{text}\n{{{{- end -}}}}\n'
