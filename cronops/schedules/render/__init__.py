"""The manifests of one environment, as text: pure, and the same bytes for the same input.

`environment` must have passed `cronops.schedules.validate`: what is missing or wrong is not
looked for here.
"""

from cronops.schedules.render import common, index
from cronops.schedules.render.alerts import render_alerts
from cronops.schedules.render.ground import ground_of
from cronops.schedules.render.migration import migration_text
from cronops.schedules.render.schedule import schedule_file, schedule_text
from cronops.schedules.resolve import ResolvedEnvironment

# For kustomize and for us; a cluster knows no such objects.
WITHOUT_OBJECTS = ("kustomization.yaml", index.NAME)


def render(environment: ResolvedEnvironment, text: bytes) -> dict[str, str]:
    """Every file of ``k8s/<environment>/`` by its path below, ``index.json`` included.

    `text` is the schedules file the environment was read from.
    """
    ground = ground_of(environment)
    files = {
        "namespace.yaml": common.namespace_text(ground),
        "settings.yaml": common.settings_text(ground),
        "network-policy.yaml": common.network_policy_text(ground),
        "migration.yaml": migration_text(ground),
    }
    for schedule in environment.schedules:
        files[schedule_file(schedule)] = schedule_text(ground, schedule)
    files["kustomization.yaml"] = common.kustomization_text(ground, files)
    # Not among its resources: a cluster without the Prometheus operator does not know the kind.
    files |= render_alerts(environment)
    files[index.NAME] = index.index_text(ground, text, files)
    return dict(sorted(files.items()))
