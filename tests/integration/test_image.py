"""The Dockerfile's own steps, carried out without an engine; what they make runs like a pod."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.databases import Database
from tests.dockerfile import (
    base_environment,
    carry_out,
    lay_base,
    moved_environment,
    read_dockerfile,
)
from tests.places import quick_directory
from tests.tools import missing

UNCHECKED_HASH = 0b01
# No way out to an index, as opposed to one that has not got what the lock names.
NO_INDEX = re.compile(r"Temporary failure in name resolution|Network is unreachable|ConnectTimeout")

IMPORT_ALL = """
import importlib, pkgutil, cronops
for module in pkgutil.walk_packages(cronops.__path__, "cronops."):
    if ".migrations" not in module.name and not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""

WHAT_IT_MAY = """
import os, sys
from pathlib import Path
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
assert int(status["CapEff"], 16) == 0, status["CapEff"]
assert (os.getuid(), os.getgid(), os.getpid()) == (10001, 10001, 1)
for place in sys.argv[1:]:
    try:
        Path(place, "written").touch()
    except OSError as error:
        print(error.strerror)
"""

# What a container runtime does: namespaces of its own, a root that is read-only, an emptyDir for
# /tmp, no privileges. $1 is the image's root, $2 the server's socket or nothing.
AS_A_POD = """
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
mount -t tmpfs -o mode=1777 tmp "$1/tmp"
if [ -n "$2" ]; then touch "$1/tmp/${2##*/}"; mount --bind "$2" "$1/tmp/${2##*/}"; fi
mount -t proc proc /proc
mount -o remount,ro,bind "$1"
mount -o remount,ro,bind /
cd "$1"
shift 2
exec setpriv --reuid 10001 --regid 10001 --clear-groups --bounding-set=-all --inh-caps=-all \
    --no-new-privs -- "$@"
"""


class Image:
    """The final stage's root, and how to start something in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.cronops = root / "opt/cronops/bin/cronops"
        self.python = root / "opt/cronops/bin/python"

    def variables(self, **more: str) -> dict[str, str]:
        """What the image's ENV sets, for its root."""
        _, (_, final) = read_dockerfile()
        own = moved_environment(final, self.root) | {"HOME": f"{self.root}/tmp"}
        return base_environment(self.root) | own | more

    def run(self, *command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run it as whoever we are."""
        return self._run([str(word) for word in command], variables)

    def run_as_a_pod(
        self, *command: str | Path, socket: str = "", **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run it as process 1, user 10001, without a capability, on a read-only root."""
        isolated = ["unshare", "--mount", "--pid", "--fork", "--ipc", "--uts", "--kill-child"]
        words = [*isolated, "sh", "-c", AS_A_POD, "pod", str(self.root), socket]
        return self._run([*words, *map(str, command)], variables)

    def _run(
        self, command: list[str], variables: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            env=self.variables(**variables),
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def image() -> Iterator[Image]:
    """The image's files, made by both stages; not below pytest's directory, which is private."""
    place = quick_directory("cronops-image-")
    place.chmod(0o755)
    _, (build, final) = read_dockerfile()
    root, built = place / "root", place / "built"
    try:
        lay_base(root)
        carry_out(build, root, {})
        root.rename(built)  # scripts and links name the root they were made in: both have one
        lay_base(root)
        carry_out(final, root, {"build": built})
        (root / "tmp").mkdir(mode=0o777)
        yield Image(root)
    except AssertionError as error:
        if NO_INDEX.search(str(error)):
            missing("no index of packages can be reached", "to run this test: go online")
        raise
    finally:
        shutil.rmtree(place, ignore_errors=True)


@pytest.mark.timeout(300)
def test_the_image_runs_a_job_as_a_pod_does(image: Image, database: Database) -> None:
    _holds_what_it_should(image)
    _imports_all_with_what_the_lock_installs(image)
    _runs_isolated(image, database)


def _holds_what_it_should(image: Image) -> None:
    libraries = [image.root / "opt/cronops/lib", image.root / "usr/local/lib"]
    installers = [
        found
        for library in libraries
        for name in ("pip", "setuptools", "wheel", "ensurepip")
        for found in library.glob(f"python3*/**/{name}/__init__.py")
    ]
    assert installers == []
    assert not (image.root / "src").exists()

    for library in libraries:
        compiled = list(library.rglob("*.pyc"))
        assert len(compiled) > 300
        flags = {int.from_bytes(one.read_bytes()[4:8], "little") for one in compiled}
        assert flags == {UNCHECKED_HASH}
    package = image.root / "opt/cronops/lib"
    sources = {one.stem for one in package.glob("python3*/site-packages/cronops/**/*.py")}
    bytecode = {
        one.name.split(".")[0] for one in package.glob("python3*/site-packages/cronops/**/*.pyc")
    }
    assert sources == bytecode


def _imports_all_with_what_the_lock_installs(image: Image) -> None:
    imported = image.run(image.python, "-c", IMPORT_ALL)

    assert imported.returncode == 0, imported.stderr


def _runs_isolated(image: Image, database: Database) -> None:
    allowed = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "mount", "--make-rprivate", "/"],
        capture_output=True,
        check=False,
    )
    if os.geteuid() != 0 or allowed.returncode != 0:
        shown = image.run(image.cronops, "--version")
        assert shown.returncode == 0, shown.stderr
        missing("mount namespaces are not allowed", "to run this test to its end: be root")

    tried = [str(image.root), str(image.root / "opt/cronops"), "/usr", str(image.root / "tmp")]
    may = image.run_as_a_pod(image.python, "-c", WHAT_IT_MAY, *tried)
    assert may.returncode == 0, may.stderr
    assert may.stdout.splitlines() == ["Read-only file system"] * 3

    version = image.run_as_a_pod(image.cronops, "--version")
    assert (version.returncode, version.stdout) == (0, "cronops 0.1.0\n"), version.stderr

    url, socket = _reachable_from_the_pod(database.url, image)
    run = image.run_as_a_pod(
        image.cronops,
        "queue",
        "process",
        "--queue=general",
        socket=socket,
        CRONOPS_DATABASE_URL=url,
        CRONOPS_ENVIRONMENT="test",
    )
    assert run.returncode == 0, run.stderr
    assert database.query("SELECT job, outcome FROM run") == [("queue process", "succeeded")]


def _reachable_from_the_pod(url: str, image: Image) -> tuple[str, str]:
    """The URL as the pod sees it, and the socket to be put into its /tmp, if it is one."""
    asked = parse_qs(urlsplit(url).query)
    if "host" not in asked:
        return url, ""
    directory, port = asked["host"][0], asked.get("port", ["5432"])[0]
    base = url.partition("?")[0]
    return f"{base}?host={image.root}/tmp&port={port}", f"{directory}/.s.PGSQL.{port}"
