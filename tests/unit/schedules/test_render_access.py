"""Whose an object is, and whom its pods may talk to."""

from dataclasses import replace
from typing import Any

import yaml

from cronops.schedules.render import render
from tests.unit.schedules.builders import DECLARED, DEFAULTS, environment, jobs
from tests.unit.schedules.manifests import by_kind, documents, pod_spec, values


def test_the_account_has_no_token_and_nobody_reaches_the_pod() -> None:
    made = by_kind(environment())
    policy = made["NetworkPolicy"]["spec"]
    labels = made["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"]

    assert made["ServiceAccount"]["automountServiceAccountToken"] is False
    assert pod_spec(made["CronJob"])["serviceAccountName"] == "stock-export"
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in policy
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()
    assert len(policy["podSelector"]["matchLabels"]) == 2


def test_the_pod_talks_to_whom_its_entry_names() -> None:
    shops: list[Any] = [
        {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}},
        {"ipBlock": {"cidr": "2001:db8::/32"}},
        {"podSelector": {"matchLabels": {"b": "on", "a": "1"}}},
        {"namespaceSelector": {"matchLabels": {}}, "podSelector": {"matchLabels": {}}},
    ]
    egress = {
        "dns": None,
        "shops": {
            "to": shops,
            "ports": [{"port": 443}, {"port": 8000, "endPort": 8080, "protocol": "UDP"}],
        },
    }
    policy = by_kind(environment({"egress": egress}))["NetworkPolicy"]["spec"]

    assert policy["egress"] == [
        {"to": DEFAULTS["egress"]["database"]["to"], "ports": [{"port": 5432, "protocol": "TCP"}]},
        {
            "to": [*shops[:3], {"namespaceSelector": {}, "podSelector": {}}],
            "ports": [
                {"port": 443, "protocol": "TCP"},
                {"port": 8000, "endPort": 8080, "protocol": "UDP"},
            ],
        },
    ]


def test_a_pod_that_names_nobody_talks_to_nobody() -> None:
    policy = by_kind(environment({"egress": {"dns": None, "database": None}}))["NetworkPolicy"]

    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert "egress" not in policy["spec"]


def test_all_pods_of_the_environment_are_shut_off_at_first() -> None:
    files = render(environment(), b"")
    policy = yaml.safe_load(files["network-policy.yaml"])
    selected = policy["spec"]["podSelector"]["matchLabels"]
    pods = [one for one in documents(files) if one["kind"] in ("CronJob", "Job")]

    assert set(policy["spec"]) == {"podSelector", "policyTypes"}
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert selected
    for one in pods:
        assert selected.items() <= one["metadata"]["labels"].items()


def test_labels_say_whose_and_what_it_is() -> None:
    known = jobs(
        replace(DECLARED, accountable=("Marketing/CRM", "All islands"), consulted=("Webshop",))
    )
    said = {"team": "a", "app.kubernetes.io/name": "other"}
    made = by_kind(environment({"labels": said}, known=known))
    metadata = made["CronJob"]["metadata"]

    expected = {
        "team": "a",
        "app.kubernetes.io/name": "cronops",
        "app.kubernetes.io/instance": "production",
        "app.kubernetes.io/component": "stock-export",
        "app.kubernetes.io/part-of": "cronops",
        "app.kubernetes.io/version": "0.1.0",
        "app.kubernetes.io/managed-by": "cronops",
        "cronops/schedule": "stock-export",
        "cronops/cr": "CR-002",
        "cronops/responsible": "shared-ops",
        "cronops/accountable": "marketing-crm_all-islands",
    }
    template = made["CronJob"]["spec"]["jobTemplate"]
    for labels in (
        *(one["metadata"]["labels"] for one in made.values()),
        template["metadata"]["labels"],
        template["spec"]["template"]["metadata"]["labels"],
    ):
        assert labels == expected
    assert metadata["annotations"] == {
        "cronops/command": "cronops stock export",
        "cronops/accountable": "Marketing/CRM, All islands",
        "cronops/responsible": "Shared Ops",
        "cronops/consulted": "Webshop",
        "cronops/timeout": "5m",
        "cronops/lock": "cron.stock.export",
        "cronops/generated-by": "cronops 0.1.0",
        "kubernetes.io/description": "Export stock levels.",
    }


def test_a_prefix_stands_before_every_name_and_the_run_still_finds_its_schedule() -> None:
    environments = {"production": {"namespace": "shared", "namePrefix": "blue-"}}
    made = environment(environments=environments)
    names = [one["metadata"]["name"] for one in documents(render(made, b""))]

    assert sorted(name for name in names if not name.startswith("blue-")) == ["shared"]
    assert values(by_kind(made)["CronJob"])["CRONOPS_SCHEDULE"] == "stock-export"
    assert values(by_kind(made)["CronJob"])["CRONOPS_POD__CRONJOB"] == "blue-stock-export"
