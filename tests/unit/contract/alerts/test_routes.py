from cronops.config import Settings
from cronops.contract.alerts.routes import channels_for, check_routes


def settings(routes=None, **values):
    return Settings(**{"alerts": {"routes": routes or {}}, **values})


def test_nothing_configured_is_fine_on_a_laptop_and_a_problem_in_production():
    assert check_routes(settings(), ["Shared Ops"]) == []
    (problem,) = check_routes(settings(environment="production"), ["Shared Ops"])
    assert "only logged" in problem


def test_good_routes_have_no_problems():
    made = settings({"Shared Ops": ["json://localhost", "mailto://u:p@example.org"]})
    assert check_routes(made, ["Shared Ops"]) == []


def test_a_url_apprise_does_not_know_is_told_by_its_place_and_not_shown():
    (problem,) = check_routes(settings({"Shared Ops": ["json://localhost", "nonsense://s3cret"]}))
    assert "route 2 of 'Shared Ops'" in problem
    assert "s3cret" not in problem


def test_an_unknown_owner_is_told_with_the_nearest_one():
    (problem,) = check_routes(settings({"Shard Ops": ["json://localhost"]}))
    assert "did you mean 'Shared Ops'?" in problem


def test_a_configured_owner_is_known():
    assert check_routes(settings({"Tyre Lab": ["json://localhost"]}, owners=["Tyre Lab"])) == []


def test_an_owner_in_use_needs_a_route():
    problems = check_routes(
        settings({"Shared Ops": ["json://localhost"]}), ["Webshop", "Shared Ops"]
    )
    assert len(problems) == 1
    assert "'Webshop'" in problems[0]


def test_an_alertmanager_leads_to_every_owner():
    made = settings(alertmanager_url="http://am:9093")
    assert check_routes(made, ["Webshop"]) == []
    assert [channel.name for channel in channels_for(made, "Webshop")] == ["alertmanager"]


def test_the_same_url_twice_is_one_channel():
    made = settings({"Webshop": ["json://localhost", "json://localhost"]})
    assert len(channels_for(made, "Webshop")) == 1
