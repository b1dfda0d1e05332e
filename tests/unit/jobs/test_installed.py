"""Entry points, read off the metadata files, agree with the standard library's."""

import sys
from importlib import metadata
from pathlib import Path

import pytest

from cronops.jobs.installed import entry_points


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Puts a distribution's metadata on the path."""
    monkeypatch.setattr(sys, "path", [str(tmp_path)])

    def install(name: str, text: str | bytes) -> Path:
        directory = tmp_path / name
        directory.mkdir()
        (directory / "METADATA").write_text("Metadata-Version: 2.1\nName: x\nVersion: 1\n")
        content = text if isinstance(text, bytes) else text.encode()
        (directory / "entry_points.txt").write_bytes(content)
        return directory

    return install


def test_name_target_and_package_of_one_group(install):
    install(
        "other_package-1.0.dist-info",
        "[console_scripts]\nx = y:z\n\n[cronops.jobs]\n# ours\nprobe.hang = probe_pkg:hang\n"
        "probe.ok=probe_pkg:ok [extra]\n\n[cronops.handlers]\nprobe.echo = probe_pkg:echo\n",
    )
    assert list(entry_points("cronops.jobs")) == [
        ("probe.hang", "probe_pkg:hang", "other-package"),
        ("probe.ok", "probe_pkg:ok", "other-package"),
    ]
    assert list(entry_points("cronops.handlers")) == [
        ("probe.echo", "probe_pkg:echo", "other-package")
    ]


def test_egg_metadata_too_and_nothing_of_broken_files(install):
    install("egg.egg-info", "[cronops.jobs]\na = b:c\n")
    install("binary-1.dist-info", b"[cronops.jobs]\n\xff\xfe")
    install("not-metadata", "[cronops.jobs]\nx = y:z\n")
    assert list(entry_points("cronops.jobs")) == [("a", "b:c", "egg")]


def test_a_path_that_is_no_directory_is_passed_over(tmp_path, monkeypatch):
    (tmp_path / "archive.zip").write_bytes(b"PK")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "archive.zip"), str(tmp_path / "gone")])
    assert list(entry_points("cronops.jobs")) == []


def test_what_is_installed_here_is_found_as_the_standard_library_finds_it():
    for group in ("console_scripts", "pytest11"):
        ours = {(name, target) for name, target, _ in entry_points(group)}
        theirs = {(entry.name, entry.value) for entry in metadata.entry_points(group=group)}
        assert ours == {(name, value.partition("[")[0].strip()) for name, value in theirs}
        assert ours
