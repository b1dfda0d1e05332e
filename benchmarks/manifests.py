"""Schedules checked and rendered, against what others need to read or make the same objects."""

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import yaml

from benchmarks.database import ROOT, Database
from benchmarks.harness import Goal, Ratio, Row, Section, Series, Unmeasurable, alternate
from benchmarks.workers import PeerEnvironment, command_of

ENVIRONMENT = "production"
SIZES = (14, 1_000, 10_000)
# Kustomize's time grows with the square of the objects: at 10,000 schedules it takes hours.
COMPARED = 1_000

RENDER = "cronops schedules render"
VALIDATE = "cronops schedules validate"
KUSTOMIZE = "kubectl kustomize, the same files"
HELM_PYTHON = ROOT / ".tools" / "bin" / "python"

HEAD = """\
version: 1
defaults:
  timeZone: Europe/Brussels
  image:
    repository: registry.example.com/cronops
    tag: 0.1.0
    digest: sha256:{digest}
  resources:
    requests: {{cpu: 100m, memory: 128Mi, ephemeral-storage: 64Mi}}
    limits: {{cpu: "1", memory: 512Mi, ephemeral-storage: 256Mi}}
  secrets:
    database: {{secretName: cronops-database, key: url, env: CRONOPS_DATABASE_URL_FILE}}
  egress:
    dns:
      to: [{{namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: kube-system}}}}}}]
      ports: [{{port: 53, protocol: UDP}}, {{port: 53, protocol: TCP}}]
    database:
      to: [{{namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: postgresql}}}}}}]
      ports: [{{port: 5432}}]
environments:
  production: {{namespace: cronops}}
schedules:
  - name: queue-clean
    cr: CR-005
    command: queue clean
    schedule: "20 3 * * *"
    confirmed: {{by: Benchmark, on: 2026-01-01}}
"""
ENTRY = """\
  - name: queue-process-{number:05}
    cr: CR-006
    command: queue process --queue=queue-{number}
    description: Work the messages of queue {number}.
    schedule: "{minute} {hours} * * {days}"
    confirmed: {{by: Benchmark, on: 2026-01-01}}
    env: {{CRONOPS_QUEUE__BATCH_SIZE: "{batch}"}}
    resources: {{limits: {{memory: {memory}Mi}}}}
"""


def run(database: Database, peers: PeerEnvironment, quick: bool) -> Sequence[Section]:
    """Whole processes: validate and render; others over the files and objects that render wrote."""
    with tempfile.TemporaryDirectory(prefix="cronops-manifests-") as directory:
        root = Path(directory)
        few = _against_others(database, peers, root, 2 if quick else 5, SIZES[0])
        many = _against_others(database, peers, root, 1 if quick else 3, 100 if quick else COMPARED)
        if not quick:
            many.ratios.append(_mark(many, COMPARED))
        return [
            few,
            many,
            _growth(database, root, 1 if quick else 5, SIZES[:2] if quick else SIZES),
        ]


def _against_others(
    database: Database, peers: PeerEnvironment, root: Path, rounds: int, count: int
) -> Section:
    section = Section(
        f"Manifests: {count:,} schedules",
        "s",
        "Whole processes. cronops reads the file, checks every rule and writes a service account, "
        "a network policy and a CronJob for each schedule. kustomize reads those files and prints "
        "them as they are; cdk8s is handed the same objects and writes them; Helm's linter reads "
        "the chart of the same schedules and renders it.",
        digits=2,
    )
    file, out, chart = write_schedules(root, count), root / "rendered", root / "chart"
    _render(database, file, out)
    alone = _cronjobs_alone(out, root / "alone")
    objects = _objects(out, root / "objects.json")
    _chart(database, file, chart)
    subjects: Mapping[str, Callable[[], float]] = {
        RENDER: lambda: _render(database, file, out),
        VALIDATE: lambda: _seconds(
            [command_of("cronops"), "schedules", "validate", str(file), "--env", ENVIRONMENT],
            database,
        ),
        KUSTOMIZE: lambda: _kustomize(database, out),
        f"{KUSTOMIZE}, the CronJobs alone": lambda: _kustomize(database, alone),
        "cdk8s, the same objects": lambda: _cdk8s(database, peers, objects, root / "synthesized"),
        "Helm's linter, the chart": lambda: _helm(database, chart),
    }
    section.add(alternate(subjects, rounds))
    for name in list(subjects)[2:]:
        section.compare(f"{name} / cronops schedules render", name, RENDER)
    return section


def _mark(section: Section, count: int) -> Ratio:
    """The goal: kustomize over the same files takes 25 times as long."""
    (index,) = (n for n, one in enumerate(section.ratios) if one.name.startswith(f"{KUSTOMIZE} /"))
    found = section.ratios.pop(index)
    return replace(found, name=f"{found.name}, {count:,} schedules", goal=Goal(25))


def _growth(database: Database, root: Path, rounds: int, sizes: Sequence[int]) -> Section:
    section = Section(
        "Manifests: growth",
        "s",
        "`cronops schedules render` as a whole process, the start of which (the row of 14) is in "
        "each.",
        digits=2,
    )
    files = {size: write_schedules(root, size) for size in sizes}
    subjects: dict[str, Callable[[], float]] = {
        f"{size:,} schedules": lambda size=size: _render(  # type: ignore[misc]
            database, files[size], root / f"rendered-{size}"
        )
        for size in sizes
    }
    section.add(alternate(subjects, rounds))
    per_schedule = _per_schedule(section, sizes)
    section.rows += [
        Row(f"each further schedule, from {below:,} to {above:,}, in ms", Series((value,)))
        for (below, above), value in per_schedule.items()
    ]
    return section


def _per_schedule(section: Section, sizes: Sequence[int]) -> dict[tuple[int, int], float]:
    found = {}
    for below, above in pairwise(sizes):
        less, more = (section.median(f"{size:,} schedules") for size in (below, above))
        if less is not None and more is not None:
            found[below, above] = 1000 * (more - less) / (above - below)
    return found


def write_schedules(root: Path, count: int) -> Path:
    """A schedules file of `count` entries, hardly two of which are alike."""
    entries = (
        ENTRY.format(
            number=number,
            minute=number % 60,
            hours=f"*/{1 + number % 11}",
            days=("*", "1-5", "0,6", "MON-FRI")[number % 4],
            batch=1 + number % 500,
            memory=256 + number % 512,
        )
        for number in range(count - 1)
    )
    file = root / f"schedules-{count}.yaml"
    file.write_text(HEAD.format(digest="ab" * 32) + "".join(entries), encoding="utf-8")
    return file


def _render(database: Database, file: Path, out: Path) -> float:
    shutil.rmtree(out, ignore_errors=True)
    command = [command_of("cronops"), "schedules", "render", str(file)]
    return _seconds([*command, "--env", ENVIRONMENT, "--out", str(out)], database)


def _cronjobs_alone(out: Path, directory: Path) -> Path:
    """A copy of the rendered files with nothing but the CronJobs in them."""
    directory.mkdir(exist_ok=True)
    names = []
    for file in sorted((out / "schedules").glob("*.yaml")):
        (directory / file.name).write_text(file.read_text("utf-8").rsplit("\n---\n", 1)[1], "utf-8")
        names.append(file.name)
    listed = "".join(f"  - {name}\n" for name in names)
    (directory / "kustomization.yaml").write_text(f"resources:\n{listed}", "utf-8")
    return directory


def _objects(out: Path, file: Path) -> Path:
    objects = [
        found
        for manifest in sorted((out / "schedules").glob("*.yaml"))
        for found in yaml.load_all(manifest.read_text("utf-8"), Loader=yaml.CSafeLoader)
    ]
    file.write_text(json.dumps(objects), "utf-8")
    return file


def _chart(database: Database, file: Path, chart: Path) -> None:
    shutil.rmtree(chart, ignore_errors=True)
    command = [command_of("cronops"), "schedules", "chart", str(file), "--out", str(chart)]
    _seconds(command, database)
    shutil.copy(chart / f"values-{ENVIRONMENT}.yaml", chart / "values.yaml")


def _kustomize(database: Database, out: Path) -> float:
    if shutil.which("kubectl") is None:
        raise Unmeasurable("kubectl is not installed")
    return _seconds(["kubectl", "kustomize", str(out)], database)


def _cdk8s(database: Database, peers: PeerEnvironment, objects: Path, out: Path) -> float:
    if shutil.which("node") is None:
        raise Unmeasurable("Node.js is not installed")
    return _seconds(peers.command("cdk8s", str(objects), str(out)), database)


def _helm(database: Database, chart: Path) -> float:
    if not HELM_PYTHON.exists():
        raise Unmeasurable("not installed; run: make tools")
    command = [str(HELM_PYTHON), str(ROOT / "tests" / "helm_driver.py")]
    return _seconds(command, database, json.dumps({"do": "lint", "chart": str(chart)}) + "\n")


def _seconds(command: Sequence[str], database: Database, told: str = "") -> float:
    began = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=database.env,
        input=told,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise Unmeasurable(f"exit {done.returncode}: {last[:200]}")
    return seconds
