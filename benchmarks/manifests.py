"""Schedules checked and rendered, against what others need to read or make the same objects."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from benchmarks.database import ROOT, Database
from benchmarks.harness import Goal, Row, Section, Series, Unmeasurable, alternate
from benchmarks.workers import command_of

ENVIRONMENT = "production"
SIZES = (14, 1_000, 10_000)
# Kustomize's time grows with the square of the objects: at 10,000 schedules it takes hours.
COMPARED = 1_000

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


def run(database: Database, quick: bool) -> Sequence[Section]:
    """Whole processes: validate and render, kustomize over the files that render wrote."""
    with tempfile.TemporaryDirectory(prefix="cronops-manifests-") as directory:
        root = Path(directory)
        return [
            _against_others(database, root, 2 if quick else 5, 100 if quick else COMPARED),
            _growth(database, root, 1 if quick else 5, SIZES[:2] if quick else SIZES),
        ]


def _against_others(database: Database, root: Path, rounds: int, count: int) -> Section:
    section = Section(
        f"Manifests: {count:,} schedules",
        "s",
        "Whole processes. cronops reads the file, checks every rule and writes a service account, "
        "a network policy and a CronJob for each schedule; kustomize reads those files and prints "
        "them as they are.",
        digits=2,
    )
    file, out = write_schedules(root, count), root / "rendered"
    ours = f"cronops schedules render, {count:,} schedules"
    theirs = "kubectl kustomize, the same files"
    subjects: Mapping[str, Callable[[], float]] = {
        ours: lambda: _render(database, file, out),
        f"cronops schedules validate, {count:,} schedules": lambda: _seconds(
            [command_of("cronops"), "schedules", "validate", str(file)], database
        ),
        theirs: lambda: _kustomize(database, out),
    }
    section.add(alternate(subjects, rounds))
    section.compare("kustomize / validate + render", theirs, ours, Goal(25))
    return section


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


def _kustomize(database: Database, out: Path) -> float:
    if shutil.which("kubectl") is None:
        raise Unmeasurable("kubectl is not installed")
    return _seconds(["kubectl", "kustomize", str(out)], database)


def _seconds(command: Sequence[str], database: Database) -> float:
    began = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=database.env,
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
