"""The files of the chart; what Helm makes of them is tested with Helm (tests/integration)."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Any

import jsonschema
import pytest
import yaml

from cronops.errors import ExitCode
from cronops.schedules.chart import DIFFERENCES, chart
from cronops.schedules.chart import values as values_module
from cronops.schedules.chart.made import values_of
from cronops.schedules.chart.values import ScheduleValues, Values, plain
from cronops.schedules.chart.written import values_text, yaml_text
from tests.unit.schedules import builders, chart_samples

TWO_ENVIRONMENTS = {
    "staging": {"namespace": "cronops-staging", "image": {"tag": "0.2.0"}},
    "production": {"namespace": "cronops"},
}


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    environments = {
        name: builders.environment({}, name=name, environments=TWO_ENVIRONMENTS)
        for name in TWO_ENVIRONMENTS
    }
    return chart(environments, b"text")


@pytest.fixture(scope="module")
def schema(files) -> Any:
    return json.loads(files["values.schema.json"])


def test_there_are_values_for_each_environment(files):
    assert {name for name in files if name.startswith("values")} == {
        "values.yaml",
        "values.schema.json",
        "values-staging.yaml",
        "values-production.yaml",
    }


def test_a_chart_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one environment"):
        chart({}, b"")


def test_the_index_lists_every_other_file(files):
    index = json.loads(files["index.json"])
    hashes = {
        name: sha256(text.encode()).hexdigest()
        for name, text in files.items()
        if name != "index.json"
    }
    assert index == {
        "files": hashes,
        "generator": "cronops 0.1.0",
        "source": {"sha256": sha256(b"text").hexdigest()},
    }


def test_the_chart_is_called_by_its_version_and_production_s_image(files):
    about = yaml.safe_load(files["Chart.yaml"])
    assert about["apiVersion"] == "v2"
    assert about["type"] == "application"
    assert (about["version"], about["appVersion"]) == ("0.1.0", "0.1.0")
    assert about["kubeVersion"] == ">=1.31.0-0"


@pytest.mark.parametrize(
    ("version", "expected"),
    [("1.2.3", "1.2.3"), ("1.2.3rc1", "1.2.3-rc.1"), ("1.2.3.dev4", "1.2.3-dev.4")],
)
def test_a_version_is_written_as_helm_wants_it(version, expected):
    environment = builders.environment({}, known=replace(builders.jobs(), version=version))
    about = yaml.safe_load(chart({"production": environment}, b"")["Chart.yaml"])
    assert about["version"] == expected
    assert about["annotations"] == {"cronops/generated-by": f"cronops {version}"}


def test_all_values_files_fit_the_schema(files, schema):
    jsonschema.Draft202012Validator.check_schema(schema)
    for name, text in files.items():
        if re.fullmatch(r"values.*\.yaml", name):
            jsonschema.validate(yaml.safe_load(text), schema)


def test_odd_values_fit_the_schema_and_are_written_as_they_are(schema):
    values = values_of(chart_samples.odd_environment())
    read = yaml.safe_load(values_text(values, "production"))
    assert read == plain(values)
    assert read["settings"].items() >= chart_samples.ODD_TEXTS.items()
    jsonschema.validate(read, schema)


def test_the_schema_is_closed_everywhere(schema):
    maps = []
    for path, part in _objects(schema):
        extra = part.get("additionalProperties")
        if "properties" in part:
            assert extra is False, path
        else:
            maps.append(path)
            assert path == "/properties/global" or isinstance(extra, dict), path
    assert "/properties/schedules" in maps


def _objects(part: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(part, list):
        for number, item in enumerate(part):
            yield from _objects(item, f"{path}/{number}")
    elif isinstance(part, dict):
        kinds = part.get("type")
        if kinds == "object" or (isinstance(kinds, list) and "object" in kinds):
            yield path, part
        for key, item in part.items():
            yield from _objects(item, f"{path}/{key}")


def test_a_schedule_s_values_say_what_the_jobs_declare():
    values = plain(values_of(builders.environment({"description": "Daily."})))
    schedule = values["schedules"]["stock-export"]
    assert schedule["declared"] == {
        "accountable": ["Platform Export"],
        "responsible": "Shared Ops",
        "locks": ["cron.stock.export"],
        "timeout": 300,
        "retrySafe": True,
    }
    assert schedule["args"] == ["stock", "export"]
    assert "command" not in schedule
    resolved = builders.schedule()
    assert schedule["activeDeadlineSeconds"] == resolved.active_deadline
    assert schedule["startingDeadlineSeconds"] == resolved.starting_deadline


def test_what_all_schedules_share_is_said_once():
    environment = builders.environment({}, {"name": "other"})
    values = plain(values_of(environment))
    assert values["defaults"]["secrets"].keys() == {"database"}
    for schedule in values["schedules"].values():
        assert not schedule.keys() & {"secrets", "egress", "resources", "timeZone", "image", "env"}


def test_what_a_schedule_takes_away_is_false():
    environment = builders.environment(
        {
            "secrets": {"database": None},
            "env": {"LEVEL": None, "NEW": "1"},
            "resources": {"limits": {"cpu": None}},
            "image": {"digest": None},
        },
        defaults={**builders.DEFAULTS, "env": {"LEVEL": "y"}},
    )
    schedule = plain(values_of(environment))["schedules"]["stock-export"]
    assert schedule["secrets"] == {"database": False}
    assert schedule["env"] == {"LEVEL": False, "NEW": "1"}
    assert schedule["resources"] == {"limits": {"cpu": False}}
    assert schedule["image"] == {"digest": ""}


def test_shards_are_an_option_of_the_templates():
    environment = builders.environment({"shards": 4})
    schedule = plain(values_of(environment))["schedules"]["stock-export"]
    assert schedule["shards"] == 4
    assert schedule["args"] == ["stock", "export"]


def test_a_suspended_schedule_says_why():
    why = {"until": "2027-01-31", "by": "Ada", "why": "moving"}
    schedules = plain(values_of(builders.environment({"suspend": why})))["schedules"]
    assert schedules["stock-export"]["suspend"] is True
    assert schedules["stock-export"]["suspendedBecause"] == "until 2027-01-31 by Ada: moving"


def test_one_changed_schedule_changes_only_its_own_values():
    def lines(**said: Any) -> set[str]:
        environment = builders.environment(said, {"name": "other"})
        return set(values_text(values_of(environment), "production").splitlines())

    assert lines(schedule="18 * * * *") - lines() == {'    schedule: "18 * * * *"'}


def test_the_templates_repeat_the_exit_codes_of_the_program(files):
    facts = json.loads(_defined(files["templates/_facts.tpl"], "cronops.facts"))
    policies = facts["podFailurePolicies"]
    ends = {int(code) for code in ExitCode if not code.retried_by_pod(retry_safe=True)}
    assert set(policies["retried"]["codes"]) == ends - {0}
    assert policies["retried"]["onDisruption"] == "Ignore"
    assert policies["onceIndexed"]["action"] == "FailIndex"


def _defined(text: str, name: str) -> str:
    found = re.search(rf'define "{re.escape(name)}" -\}}\}}\n(.*?)\n\{{\{{- end', text, re.DOTALL)
    assert found
    return found[1]


def test_no_mark_is_left_in_the_queries(files):
    queries = files["templates/_queries.tpl"]
    assert "@" not in queries
    assert not re.search(r"900000\d{3}", queries)


def test_values_are_never_run_as_templates(files):
    for name, text in files.items():
        assert not re.search(r"\{\{[^}]*\btpl\b", text), name


def test_numbers_are_never_printed_as_helm_reads_them(files):
    """As floats: 1209600 would become 1.2096e+06."""
    field = re.compile(
        r"(Seconds|(?<!size)Limit|completions|parallelism|PerIndex|Mode): (\{\{.*\}\})"
    )
    found = [
        match[2]
        for name, text in files.items()
        if name.startswith("templates/")
        for match in field.finditer(text)
    ]
    assert len(found) >= 9
    assert all("int64" in action for action in found)


def test_the_readme_explains_every_value_and_difference(files):
    readme = files["README.md"]
    for model in (Values, ScheduleValues):
        for name, field in model.model_fields.items():
            assert f"| `{field.alias or name}` |" in readme
    for difference in DIFFERENCES:
        assert f"| {difference.what} | {difference.why} |" in readme
    assert "--timeout 35m" in readme
    row = "| `cronops-database` | `url` | all schedules, the migration | production, staging |"
    assert row in readme
    assert "--set schedules.stock-export.secrets.database=false" in readme


def test_every_value_is_explained(schema):
    own = {
        name: part
        for name, part in schema["$defs"].items()
        if getattr(values_module, name, None) is not None
        and getattr(values_module, name).__module__ == values_module.__name__
    }
    assert own.keys() >= {"ScheduleValues", "VolumeValues", "MigrationValues"}
    for name, part in [("Values", schema), *own.items()]:
        # What is named by reference is explained where it is defined.
        fields = part["properties"].items()
        silent = {key for key, field in fields if not field.keys() & {"description", "$ref"}}
        assert not silent, name


def test_yaml_is_read_as_it_was_meant():
    value = {"a": [], "b": {}, "c": [{"d": "y", "e": [True, "12e4567890"]}, "x"], "no": ""}
    text = yaml_text(value)
    assert yaml.safe_load(text) == value
    assert '"12e4567890"' in text
    assert 'd: "y"' in text


def test_the_same_input_makes_the_same_chart(files):
    environments = {
        name: builders.environment({}, name=name, environments=TWO_ENVIRONMENTS)
        for name in reversed(TWO_ENVIRONMENTS)
    }
    assert chart(environments, b"text") == files
