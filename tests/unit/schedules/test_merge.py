"""Layers: the most specific wins, mappings are merged, null takes away; and who said what."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cronops.schedules.merge import BUILT_IN, merge, origins
from cronops.schedules.model import Template
from cronops.schedules.resolve import ResolvedSchedule
from tests.unit.schedules.builders import DEFAULTS, environment

SECRET = {"secretName": "s", "key": "k", "env": "A_FILE"}


def template(**said: Any) -> Template:
    return Template.model_validate(said)


def layered(
    defaults: dict[str, Any],
    of_environment: dict[str, Any],
    own: dict[str, Any],
    here: dict[str, Any],
) -> ResolvedSchedule:
    """A schedule of which each layer says something."""
    return environment(
        {**own, "environments": {"production": here}},
        defaults={**DEFAULTS, **defaults},
        environments={"production": {"namespace": "p", **of_environment}},
    ).schedules[0]


def test_the_most_specific_wins() -> None:
    every = {"startupSeconds": 1}

    assert layered(every, {}, {}, {}).template.startup_seconds == 1
    assert layered(every, {"startupSeconds": 2}, {}, {}).template.startup_seconds == 2
    assert layered(every, every, {"startupSeconds": 3}, {}).template.startup_seconds == 3
    assert layered(every, every, every, {"startupSeconds": 4}).template.startup_seconds == 4
    assert layered({}, {}, {}, {}).template.startup_seconds == BUILT_IN.startup_seconds


def test_mappings_are_merged_key_by_key_at_every_depth() -> None:
    resolved = layered(
        {"resources": {"limits": {"cpu": "1", "memory": "1Gi"}}, "env": {"A": "1", "B": "1"}},
        {"env": {"B": "2"}},
        {"resources": {"limits": {"memory": "2Gi"}}, "secrets": {"x": SECRET}},
        {"secrets": {"x": {**SECRET, "key": "other"}}, "image": {"tag": "9"}},
    ).template

    assert resolved.resources is not None
    assert resolved.resources.limits == {"cpu": "1", "memory": "2Gi"}
    assert resolved.env == {"A": "1", "B": "2"}
    assert resolved.secrets["x"] is not None
    assert resolved.secrets["x"].key == "other"
    assert resolved.image is not None
    assert (resolved.image.tag, resolved.image.repository) == ("9", DEFAULTS["image"]["repository"])


def test_lists_are_replaced_but_for_waivers() -> None:
    one, two = ({"rule": "a", "reason": "so it is"}, {"rule": "b", "reason": "so it is"})
    resolved = layered(
        {"imagePullSecrets": [{"name": "a"}], "waivers": [one]},
        {},
        {"imagePullSecrets": [{"name": "b"}], "waivers": [two]},
        {"waivers": [one]},
    ).template

    assert [secret.name for secret in resolved.image_pull_secrets or ()] == ["b"]
    assert [waiver.rule for waiver in resolved.waivers] == ["a", "b", "a"]


def test_null_takes_away_what_a_less_specific_place_said() -> None:
    resolved = layered(
        {"env": {"A": "1"}, "severity": "info", "volumes": {"v": {"mountPath": "/v"}}},
        {"env": {"A": None}, "severity": None},
        {},
        {"volumes": {"v": None}, "egress": {"dns": None}},
    ).template

    assert resolved.env == {}
    assert resolved.severity is None
    assert resolved.volumes == {}
    assert "dns" not in resolved.egress


def test_null_may_be_said_where_nothing_is_to_be_taken_away() -> None:
    merged = merge(template(), template(resources={"limits": {"cpu": None, "memory": "1Gi"}}))

    assert merged.resources is not None
    assert merged.resources.limits == {"memory": "1Gi"}


def test_what_was_said_again_after_null_holds() -> None:
    resolved = layered({"env": {"A": "1"}}, {"env": {"A": None}}, {"env": {"A": "3"}}, {})

    assert resolved.template.env == {"A": "3"}


def test_merging_changes_nothing_that_it_is_given() -> None:
    below = template(env={"A": "1"}, image={"tag": "1"})
    above = template(env={"A": None, "B": "2"}, image={"tag": "2"})
    before = below.model_dump(), above.model_dump()
    merge(below, above)

    assert (below.model_dump(), above.model_dump()) == before


ENV = st.dictionaries(st.sampled_from("ABC"), st.none() | st.sampled_from("123"))


@given(st.lists(ENV, max_size=5))
def test_no_null_is_left(said: list[dict[str, str | None]]) -> None:
    merged, expected = template(), dict[str, str]()
    for env in said:
        merged = merge(merged, template(env=env))
        for name, value in env.items():
            if value is None:
                expected.pop(name, None)
            else:
                expected[name] = value

    assert merged.env == expected


def test_origins_tell_every_layer_that_says_something_the_most_specific_first() -> None:
    resolved = layered(
        {"env": {"A": "1"}}, {"env": {"A": None}}, {"env": {"B": "2"}}, {"env": {"A": "4"}}
    )

    assert [(layer.label, value) for layer, value in origins(resolved.layers, ("env", "A"))] == [
        ("schedules.stock-export.environments.production", "4"),
        ("environments.production", None),
        ("defaults", "1"),
    ]
    assert resolved.path_of("env", "A") == (
        "schedules",
        0,
        "environments",
        "production",
        "env",
        "A",
    )
    assert resolved.path_of("env", "Z") == ("schedules", 0)
    assert resolved.path_of("restartPolicy") == ("schedules", 0)
    assert resolved.path_of("image", "tag") == ("defaults", "image", "tag")


def test_origins_of_what_is_no_mapping() -> None:
    resolved = layered({}, {}, {"suspend": True, "tolerations": [{"key": "a"}]}, {})

    assert list(origins(resolved.layers, ("suspend", "until"))) == []
    assert list(origins(resolved.layers, ("timeZone", 0, "x"))) == []
    [(_, key)] = origins(resolved.layers, ("tolerations", 0, "key"))
    assert key == "a"
