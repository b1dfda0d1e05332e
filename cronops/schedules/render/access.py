"""What a pod is and whom it may talk to: one service account and one network policy a job."""

from collections.abc import Mapping

from cronops.schedules.parts import Egress
from cronops.schedules.render.ground import Ground
from cronops.schedules.render.labels import INSTANCE, label_value
from cronops.schedules.render.quoting import Verbatim
from cronops.schedules.render.texts import fill


def access_text(
    ground: Ground,
    *,
    name: str,
    labels: Verbatim,
    selector: tuple[str, str],
    egress: Mapping[str, Egress | None],
) -> Verbatim:
    """Two documents; `selector` is the label by which the policy finds this job's pods."""
    return fill(
        "access.yaml.j2",
        name=name,
        namespace=ground.environment.namespace,
        generator=ground.generator,
        labels=labels,
        label=selector[0],
        value=selector[1],
        instance_label=INSTANCE,
        instance=label_value(ground.environment.name),
        egress=_egress_text(ground, egress),
    )


def _egress_text(ground: Ground, egress: Mapping[str, Egress | None]) -> Verbatim:
    # Most schedules add nothing to what their environment says, and then share one mapping.
    made = ground.egress_texts.get(id(egress))
    if made is None:
        said = [(name, rule) for name, rule in sorted(egress.items()) if rule is not None]
        made = ground.egress_texts[id(egress)] = fill("egress.yaml.j2", egress=said)
    return made
