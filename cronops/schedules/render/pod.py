"""One pod as its template wants it: environment, files, and what it may use."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cronops.schedules.model import Template
from cronops.schedules.parts import EmptyDir, SecretFile, Toleration, Volume
from cronops.schedules.render.failure_policy import CONTAINER
from cronops.schedules.render.ground import Ground
from cronops.schedules.resolve import image_reference, shortened, variables

USER = 10001
"""Of the image, and the group of every volume."""
SECRETS = "/run/secrets"
SECRET_MODE = 0o440
TEMPORARY = "/tmp"  # noqa: S108  # the pod's own
TERMINATION_LOG = "/dev/termination-log"
JOB_NAME_LABEL = "metadata.labels['batch.kubernetes.io/job-name']"
_LONGEST_VOLUME_NAME = 63
_TEMPORARY_SIZE = "64Mi"
_REFERENCE = re.compile(r"\$(?=[$(])")
_NOT_IN_A_NAME = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable: its value, or the field of the pod it is taken from."""

    name: str
    value: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class Mount:
    """A directory of the pod, and the volume behind it: exactly one of the last three."""

    volume: str
    path: str
    read_only: bool
    sub_path: str | None = None
    secret: SecretFile | None = None
    source: Volume | None = None
    empty_dir: EmptyDir | None = None

    @property
    def mode(self) -> int:
        """Permissions of a secret's file; those of an owner's group, unless given."""
        given = self.secret.default_mode if self.secret else None
        return SECRET_MODE if given is None else given


@dataclass(frozen=True, slots=True)
class Pod:
    """What the template ``job.yaml.j2`` needs of its pods."""

    service_account: str
    settings: str
    """The ConfigMap's name."""
    image: str
    pull_policy: str
    args: Sequence[str]
    variables: Sequence[Variable]
    mounts: Sequence[Mount]
    requests: Mapping[str, str]
    limits: Mapping[str, str]
    grace: int
    restart_policy: str
    node_selector: Mapping[str, str]
    tolerations: Sequence[Toleration]
    pull_secrets: Sequence[str]
    priority_class: str | None
    user: int = USER
    container: str = CONTAINER
    termination_log: str = TERMINATION_LOG


def make_pod(
    ground: Ground,
    template: Template,
    *,
    service_account: str,
    args: Sequence[str],
    own: Sequence[Variable],
    grace: int,
) -> Pod:
    """A pod of `template`; `own` are the variables that the manifest itself gives."""
    mounts = tuple(_mounts(template))
    resources = template.resources
    return Pod(
        service_account=service_account,
        settings=ground.settings_name,
        image=image_reference(template),
        pull_policy=_pull_policy(template),
        args=[literal(word) for word in args],
        variables=tuple(_variables(ground, template, own, mounts)),
        mounts=mounts,
        requests=_given(resources.requests) if resources else {},
        limits=_given(resources.limits) if resources else {},
        grace=grace,
        restart_policy=template.restart_policy or "Never",
        node_selector=_given(template.node_selector),
        tolerations=template.tolerations or (),
        pull_secrets=[secret.name for secret in template.image_pull_secrets or ()],
        priority_class=template.priority_class_name,
    )


def _pull_policy(template: Template) -> str:
    """A digest always names the same image, so that a registry out of reach stops no run."""
    return "IfNotPresent" if template.image and template.image.digest else "Always"


def _variables(
    ground: Ground,
    template: Template,
    own: Sequence[Variable],
    mounts: Sequence[Mount],
) -> Iterator[Variable]:
    yield from own
    taken = {variable.name for variable in own}
    files = {
        mount.secret.env: f"{mount.path}/{mount.secret.key}"
        for mount in mounts
        if mount.secret and mount.secret.env
    }
    said = variables(template)
    # A variable taken away again comes with the ConfigMap all the same; empty means unset.
    taken_away = {name: "" for name in ground.said_to_all if name not in said}
    differing = {name: text for name, text in said.items() if ground.settings.get(name) != text}
    for name, text in sorted((taken_away | differing | files).items()):
        if name not in taken:
            yield Variable(name, literal(text))


def _mounts(template: Template) -> Iterator[Mount]:
    volumes = {name: volume for name, volume in template.volumes.items() if volume is not None}
    if all(volume.mount_path != TEMPORARY for volume in volumes.values()):
        # The container's limit counts this directory too: a smaller one would only evict sooner.
        limit = template.resources.limits.get("ephemeral-storage") if template.resources else None
        empty_dir = EmptyDir.model_construct(medium=None, size_limit=limit or _TEMPORARY_SIZE)
        yield Mount("tmp", TEMPORARY, read_only=False, empty_dir=empty_dir)
    for name, secret in sorted(template.secrets.items()):
        if secret is not None:
            yield Mount(volume_name("secret", name), f"{SECRETS}/{name}", True, secret=secret)
    for name, volume in sorted(volumes.items()):
        read_only = volume.read_only
        if read_only is None:
            # Nobody else could have filled it.
            read_only = volume.empty_dir is None
        yield Mount(
            volume_name("volume", name),
            volume.mount_path or "",
            read_only,
            sub_path=volume.sub_path,
            source=volume,
        )


def volume_name(kind: str, name: str) -> str:
    """A volume's name in the pod; two names of the file never become one."""
    made = _NOT_IN_A_NAME.sub("-", name.lower()).strip("-")
    if made != name:
        made = f"{made}-h{sha256(name.encode()).hexdigest()[:7]}".lstrip("-")
    return shortened(f"{kind}-{made}", _LONGEST_VOLUME_NAME)


def literal(text: str) -> str:
    """The text so that Kubernetes hands it on unchanged: it replaces ``$(NAME)`` otherwise."""
    return _REFERENCE.sub("$$", text) if "$" in text else text


def _given(values: Mapping[str, str | None]) -> dict[str, str]:
    return {name: values[name] or "" for name in sorted(values) if values[name] is not None}
