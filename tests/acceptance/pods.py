"""Runs a rendered container as a kubelet would: its command line, its environment, its mounts."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cronops.schedules.objects import read_objects

ROOT = Path(__file__).parents[2]
MANIFESTS = ROOT / "k8s"


@dataclass(frozen=True)
class Pod:
    """One pod that a CronJob, or the migration Job, of the repository would start."""

    environment: str
    owner: Mapping[str, Any]
    """The CronJob or Job."""
    config_maps: Mapping[str, Mapping[str, str]]
    index: int | None
    """The pod's index, where the Job is an Indexed one."""

    def __str__(self) -> str:
        shard = "" if self.index is None else f"-{self.index}"
        return f"{self.environment}-{self.name}{shard}"

    @property
    def name(self) -> str:
        return str(self.owner["metadata"]["name"])

    @property
    def schedule(self) -> str:
        return str(self.owner["metadata"]["labels"]["cronops/schedule"])

    @property
    def spec(self) -> Mapping[str, Any]:
        job = self.owner["spec"].get("jobTemplate", self.owner)
        spec: Mapping[str, Any] = job["spec"]["template"]["spec"]
        return spec

    @property
    def container(self) -> Mapping[str, Any]:
        (container,) = self.spec["containers"]
        found: Mapping[str, Any] = container
        return found

    @property
    def command(self) -> Sequence[str]:
        return [*self.container["command"], *self.container["args"]]

    def job_name(self, scheduled: datetime) -> str:
        """As the CronJob controller names the Job of that slot."""
        return f"{self.name}-{int(scheduled.timestamp()) // 60}"

    def run(
        self,
        scheduled: datetime,
        secrets: Mapping[str, Mapping[str, str]],
        node: Path,
        *,
        trusted: Path | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run the container; what it mounts lies below `node`.

        A path of the container is this machine's path below `node`, in whatever names it: a
        process has no mount namespace of its own here. Nothing else is changed, and nothing of
        this process's environment reaches the container; `trusted` is an authority that the image
        would trust.
        """
        mounts = self._mount(secrets, node)
        environment = self._environment(self.job_name(scheduled))
        for name, value in environment.items():
            for inside, outside in mounts.items():
                if value == inside or value.startswith(f"{inside}/"):
                    environment[name] = f"{outside}{value.removeprefix(inside)}"
                elif value.startswith("["):  # a JSON list, of paths perhaps
                    for end in '"/':
                        environment[name] = environment[name].replace(
                            f'"{inside}{end}', f'"{outside}{end}'
                        )
        if trusted is not None:
            environment["CRONOPS_CLIENTS__CA_FILE"] = str(trusted)
        # The image's own: where the entry point lies.
        environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.defpath])
        return subprocess.run(
            self.command,
            env=environment,
            cwd=node,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    def _environment(self, job_name: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for source in self.container.get("envFrom", ()):
            found |= self.config_maps[source["configMapRef"]["name"]]
        labels = {"batch.kubernetes.io/job-name": job_name, "job-name": job_name}
        facts = {f"metadata.labels['{name}']": value for name, value in labels.items()}
        facts["metadata.name"] = f"{job_name}-x7k2p"
        for variable in self.container["env"]:
            field = variable.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath")
            found[variable["name"]] = facts[field] if field else variable["value"]
        if self.index is not None:
            found["JOB_COMPLETION_INDEX"] = str(self.index)
        return found

    def _mount(self, secrets: Mapping[str, Mapping[str, str]], node: Path) -> dict[str, Path]:
        """Make what the pod's volumes hold; gives each path inside its path on this machine."""
        made = {"/dev/termination-log": node / "termination-log"}
        volumes = {volume["name"]: volume for volume in self.spec["volumes"]}
        for mount in self.container["volumeMounts"]:
            volume, directory = volumes[mount["name"]], node / "volumes" / mount["name"]
            directory.mkdir(parents=True, exist_ok=True)
            if "secret" in volume:
                name = volume["secret"]["secretName"]
                assert name in secrets, f"say in secrets_for() what the Secret {name!r} holds"
                stored = secrets[name]
                for item in volume["secret"]["items"]:
                    (directory / item["path"]).write_text(stored[item["key"]], encoding="utf-8")
            made[mount["mountPath"]] = directory
        return made


def pods(kind: str) -> Iterator[Pod]:
    """Every pod of every object of that kind in the repository: ``CronJob``, or ``Job``."""
    for directory in sorted(path for path in MANIFESTS.iterdir() if path.is_dir()):
        objects = [
            found
            for file in sorted(directory.rglob("*.yaml"))
            for found in read_objects(file.read_text())
        ]
        config_maps = {
            found["metadata"]["name"]: found["data"]
            for found in objects
            if found["kind"] == "ConfigMap"
        }
        for found in objects:
            if found["kind"] == kind:
                job = found["spec"].get("jobTemplate", found)
                shards = job["spec"].get("completions")
                for index in range(shards) if shards else (None,):
                    yield Pod(directory.name, found, config_maps, index)
