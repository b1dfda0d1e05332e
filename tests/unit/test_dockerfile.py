"""What the Dockerfile promises: by whom it is run, what is in it, where that comes from."""

import json
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import cronops
from tests.dockerfile import DOCKERFILE, ROOT, environment_of, read_dockerfile
from tests.tools import checkov, hadolint

BEFORE, STAGES = read_dockerfile()
BUILD, FINAL = STAGES
INSTALLS = re.compile(r"\b(apt|apt-get|apk|curl|wget)\b|\b(pip|uv)\b[^&]*\b(install|sync)\b")


def test_every_stage_has_the_one_base_and_that_has_a_tag() -> None:
    [argument] = BEFORE

    assert re.fullmatch(r"PYTHON_IMAGE=python:3\.\d+-slim-\w+", argument.rest)
    assert [stage.base for stage in STAGES] == ["${PYTHON_IMAGE}"] * 2


def test_the_base_has_the_python_that_the_tests_run_on_at_least() -> None:
    minor = int(re.findall(r"python:3\.(\d+)", BEFORE[0].rest)[0])
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]

    assert asked == f">=3.{minor}"


def test_it_runs_as_a_number_that_is_not_root_and_without_a_shell() -> None:
    [user] = FINAL.all("USER")
    [entry] = FINAL.all("ENTRYPOINT")
    [stop] = FINAL.all("STOPSIGNAL")

    assert user.rest == "10001:10001"
    assert json.loads(entry.rest) == ["/opt/cronops/bin/cronops"]
    assert stop.rest == "SIGTERM"
    # After USER nothing may run that wants to write.
    assert FINAL.steps.index(user) > max(map(FINAL.steps.index, FINAL.all("RUN")))


def test_nothing_is_installed_in_the_final_stage() -> None:
    assert [step.rest for step in FINAL.all("RUN") if INSTALLS.search(step.rest)] == []
    assert [step.flags for step in FINAL.all("COPY")] == [("--from=build",)]
    assert FINAL.all("ADD") == BUILD.all("ADD") == []


def test_what_is_installed_is_pinned_by_hashes() -> None:
    commands = [part.strip() for step in BUILD.all("RUN") for part in step.rest.split("&&")]
    installs = [shlex.split(one) for one in commands if INSTALLS.search(one)]

    assert len(installs) == 3
    for words in installs:
        own_wheel = {"--no-index", "--no-deps"} <= set(words)
        assert own_wheel or {"--require-hashes", "--only-binary=:all:", "-r"} <= set(words), words


def test_a_read_only_root_is_enough() -> None:
    variables = environment_of(FINAL)

    assert variables["HOME"] == "/tmp"
    assert variables["PYTHONDONTWRITEBYTECODE"] == "1"
    assert variables["PYTHONSAFEPATH"] == "1"  # a run's directory is no place for modules
    assert variables["PATH"].startswith("/opt/cronops/bin:")


def test_the_build_sees_what_it_copies_and_nothing_else() -> None:
    copied = {word for step in BUILD.all("COPY") for word in step.rest.split()[:-1]}
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]

    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == copied
    assert all((ROOT / name).exists() for name in copied)


def test_the_build_backend_is_in_its_lock() -> None:
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    pinned = _pinned("requirements-build.lock")

    assert set(asked) <= set(pinned)
    assert pinned.items() <= _pinned("requirements.lock").items()


def test_the_locks_name_no_host_and_hash_everything() -> None:
    for name in ("requirements-build.lock", "requirements-tools.lock"):
        text = (ROOT / name).read_text()
        assert "://" not in text
        assert len(re.findall(r"^\S+==.*\\$", text, re.M)) == len(_pinned(name)) > 0


def test_hadolint_finds_nothing() -> None:
    _finds_nothing([hadolint(), "--no-color", DOCKERFILE])


def test_checkov_finds_nothing_in_the_dockerfile() -> None:
    options = ["--framework", "dockerfile", "--skip-download", "--compact", "--quiet"]

    _finds_nothing([checkov(), "-f", DOCKERFILE, *options])


def test_it_has_a_version_to_label_the_image_with() -> None:
    assert "${VERSION}" in FINAL.all("LABEL")[0].rest
    assert re.fullmatch(r"\d+\.\d+\.\d+", cronops.__version__)


def _pinned(lock: str) -> dict[str, str]:
    lines = [line for line in (ROOT / lock).read_text().splitlines() if "==" in line]
    return dict(line.split(";")[0].rstrip(" \\").split("==") for line in lines)


def _finds_nothing(command: list[str | Path]) -> None:
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
