"""Defaults are held to the same rules as what is given."""

from pathlib import Path

from cronops.config import Settings, leaves, load_settings


def test_the_home_directory_is_filled_in() -> None:
    assert Settings().data_dir == Path.home() / ".local/share/cronops"
    assert load_settings({"CRONOPS_DATA_DIR": "~/here"}).settings.data_dir == Path.home() / "here"


def test_every_default_would_be_accepted_if_it_were_given() -> None:
    assert Settings(**dict(Settings())) == Settings()


def test_no_two_settings_share_a_variable() -> None:
    variables = [leaf.variable for leaf in leaves()]

    assert len(variables) == len(set(variables))
