"""Reads our Dockerfile, and carries out its stages without a container engine.

Nothing of a stage's steps is rewritten but where they work: ``/opt``, ``/src`` and ``/usr/local``
are directories below a root of the test's own, which holds a Python as the base image does.
"""

import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path

import pip

ROOT = Path(__file__).parents[1]
DOCKERFILE = ROOT / "Dockerfile"

_MOVED = re.compile(r"(?<![\w.$/-])/(opt|src|usr/local)(?=[/\s;]|$)")
_FLAG = re.compile(r"--[\w-]+=\S+\s+")


@dataclass(frozen=True)
class Step:
    """One instruction: its name in capitals, its flags, the rest."""

    name: str
    flags: tuple[str, ...]
    rest: str


@dataclass
class Stage:
    """What stands between one FROM and the next."""

    base: str
    name: str
    steps: list[Step] = field(default_factory=list)

    def all(self, name: str) -> list[Step]:
        """The stage's steps of this name."""
        return [step for step in self.steps if step.name == name]


def read_dockerfile() -> tuple[list[Step], list[Stage]]:
    """What stands before the first FROM, and the stages."""
    before: list[Step] = []
    stages: list[Stage] = []
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text(), flags=re.M).replace("\\\n", " ")
    for line in filter(None, map(str.strip, text.splitlines())):
        name, rest = line.split(None, 1)
        flags: list[str] = []
        while found := _FLAG.match(rest):
            flags.append(found[0].strip())
            rest = rest[found.end() :]
        step = Step(name.upper(), tuple(flags), " ".join(rest.split()))
        if step.name == "FROM":
            base, _, alias = step.rest.partition(" AS ")
            stages.append(Stage(base, alias))
        else:
            (stages[-1].steps if stages else before).append(step)
    return before, stages


def environment_of(stage: Stage) -> dict[str, str]:
    """What the stage's ENV steps set, as written."""
    pairs = [pair for step in stage.all("ENV") for pair in step.rest.split()]
    return dict(pair.split("=", 1) for pair in pairs)


def lay_base(root: Path) -> None:
    """What the official slim image has in /usr/local: Python, pip, no bytecode, no tests."""
    version = f"python{sysconfig.get_python_version()}"
    base = {"base": sys.base_prefix, "installed_base": sys.base_prefix}
    library = root / "usr/local/lib" / version
    shutil.copytree(
        sysconfig.get_path("stdlib", vars=base),
        library,
        ignore=shutil.ignore_patterns(
            "__pycache__",
            "test",
            "tests",
            "idle_test",
            "site-packages",
            "dist-packages",
            "config-*",
        ),
    )
    _copy_pip(library / "site-packages")
    programs = root / "usr/local/bin"
    programs.mkdir(parents=True)
    shutil.copy2(Path(sys.executable).resolve(), programs / version)
    for name in ("python3", "python"):
        (programs / name).symlink_to(version)
    shared = Path(sysconfig.get_config_var("LIBDIR")) / sysconfig.get_config_var("INSTSONAME")
    if shared.suffix != ".a" and shared.exists():
        shutil.copy2(shared, root / "usr/local/lib")


def carry_out(stage: Stage, root: Path, stages: dict[str, Path]) -> None:
    """Do the stage's steps below `root`; `stages` says where the earlier ones stand.

    Raises `AssertionError` with the output of a step that fails.
    """
    directory, variables = root, base_environment(root)
    for step in stage.steps:
        if step.name == "WORKDIR":
            directory = root / step.rest.lstrip("/")
            directory.mkdir(parents=True, exist_ok=True)
        elif step.name == "ENV":
            variables |= moved_environment(stage, root)
        elif step.name == "COPY":
            _copy(step, directory, root, stages)
        elif step.name == "RUN":
            done = subprocess.run(
                ["/bin/sh", "-c", _moved(step.rest, root)],
                cwd=directory,
                env=variables,
                capture_output=True,
                text=True,
                timeout=240,
                check=False,
            )
            assert done.returncode == 0, f"{step.rest}\n{done.stdout}\n{done.stderr}"


def base_environment(root: Path) -> dict[str, str]:
    """What the base image sets, and what this machine's pip needs to reach its index."""
    from tests.databases import clean_environment

    here = {k: v for k, v in clean_environment().items() if not k.startswith("PYTHON")}
    return here | {
        "PATH": f"{root}/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "LD_LIBRARY_PATH": f"{root}/usr/local/lib",
    }


def moved_environment(stage: Stage, root: Path) -> dict[str, str]:
    """What the stage's ENV steps set, for a stage that stands in `root`."""
    path = base_environment(root)["PATH"]
    return {
        name: _moved(value, root).replace("$PATH", path)
        for name, value in environment_of(stage).items()
    }


def _moved(text: str, root: Path) -> str:
    return _MOVED.sub(rf"{root}/\1", text)


def _copy_pip(site_packages: Path) -> None:
    installed = Path(pip.__file__).parent
    for part in (installed, *installed.parent.glob("pip-*.dist-info")):
        shutil.copytree(
            part, site_packages / part.name, ignore=shutil.ignore_patterns("__pycache__")
        )


def _copy(step: Step, directory: Path, root: Path, stages: dict[str, Path]) -> None:
    *sources, target = step.rest.split()
    place = (root / target.lstrip("/")) if target.startswith("/") else directory / target
    stage = next((flag[7:] for flag in step.flags if flag.startswith("--from=")), None)
    for source in sources:
        found = (stages[stage] if stage else ROOT) / source.lstrip("/")
        if found.is_dir():
            # Of our own files .dockerignore keeps bytecode back; from a stage all is copied.
            ignore = None if stage else shutil.ignore_patterns("__pycache__")
            shutil.copytree(found, place, symlinks=True, ignore=ignore, dirs_exist_ok=True)
        else:
            shutil.copy2(found, place)
