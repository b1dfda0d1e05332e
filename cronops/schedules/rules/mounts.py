"""Rules about the directories that are mounted into a pod."""

from collections.abc import Iterator, Mapping
from posixpath import normpath

from cronops.schedules.parts import Volume
from cronops.schedules.rules.rule import Problem
from cronops.schedules.rules.template import template_rule

_SOURCES = {
    "persistentVolumeClaim": "persistent_volume_claim",
    "configMap": "config_map",
    "emptyDir": "empty_dir",
}
_TAKEN = (
    *("/tmp", "/run/secrets", "/var/run/secrets", "/dev", "/proc", "/sys"),  # noqa: S108
    *("/etc", "/usr", "/bin", "/sbin", "/lib", "/lib64", "/boot", "/opt/cronops"),
)

Volumes = Mapping[str, Volume | None]


@template_rule(
    "volume-source",
    "volumes",
    title="Each volume says where it is mounted and what lies behind it, once",
    why="The API rejects a mount without a volume, and a volume of two kinds; what is nowhere "
    "mounted helps nobody.",
    instead="write mountPath, and one of persistentVolumeClaim, configMap, emptyDir",
    waivable=False,
)
def _volume_source(volumes: Volumes) -> Iterator[Problem]:
    for name, volume in _said(volumes):
        given = [field for field, attribute in _SOURCES.items() if getattr(volume, attribute)]
        field = ("volumes", name)
        if not given:
            yield Problem(f"nothing lies behind the volume {name!r}", field=field)
        elif len(given) > 1:
            yield Problem(
                f"the volume {name!r} is {' and '.join(given)} at once",
                "keep one of them; take the other away with null",
                (*field, given[-1]),
            )
        if volume.mount_path is None:
            yield Problem(
                f"the volume {name!r} is mounted nowhere",
                "write mountPath: the directory as the job sees it",
                field,
            )


@template_rule(
    "mount-path",
    "volumes",
    title="Volumes are mounted at directories of their own",
    why="The API rejects relative paths and two mounts at one; a mount over what the image or the "
    "pod has there hides it.",
    instead="write an absolute path such as /data/stock",
    waivable=False,
)
def _mount_path(volumes: Volumes) -> Iterator[Problem]:
    mounted: dict[str, str] = {}
    for name, volume in _said(volumes):
        path, field = volume.mount_path, ("volumes", name, "mountPath")
        if path is not None:
            fault = _fault_of(path)
            if fault:
                yield Problem(f"{path[:100]!r} {fault}", field=field)
            elif path in mounted:
                yield Problem(
                    f"{path!r} is mounted twice: by {mounted[path]!r} and by {name!r}",
                    "mount each at a directory of its own",
                    field,
                )
            mounted.setdefault(path, name)
        inside = volume.sub_path
        if inside is not None and (inside.startswith("/") or ".." in inside.split("/")):
            yield Problem(
                f"subPath {inside[:100]!r} must lead into the volume",
                "write a relative path without '..'",
                ("volumes", name, "subPath"),
            )


@template_rule(
    "volume-writable",
    "volumes",
    title="Volumes are writable where, and only where, somebody can write",
    why="A temporary directory that cannot be written is of no use, and a ConfigMap cannot be "
    "written at all.",
    instead="leave readOnly out: only an emptyDir is writable then",
)
def _volume_writable(volumes: Volumes) -> Iterator[Problem]:
    for name, volume in _said(volumes):
        field = ("volumes", name, "readOnly")
        if volume.empty_dir is not None and volume.read_only:
            yield Problem(
                f"the temporary directory {name!r} cannot be written",
                "leave readOnly out",
                field,
            )
        elif volume.config_map is not None and volume.read_only is False:
            yield Problem(f"the ConfigMap {name!r} cannot be written", "leave readOnly out", field)


def _said(volumes: Volumes) -> Iterator[tuple[str, Volume]]:
    for name, volume in volumes.items():
        if volume is not None:
            yield name, volume


def _fault_of(path: str) -> str | None:
    if not path.startswith("/"):
        return "is no absolute path"
    if ":" in path or ".." in path.split("/"):
        return "must hold neither ':' nor '..'"
    if path == "/":
        return "would hide the whole image"
    if normpath(path) != path:
        return f"is not written plainly: {normpath(path)[:100]!r}"
    for taken in _TAKEN:
        if path == taken or path.startswith(f"{taken}/") or taken.startswith(f"{path}/"):
            return f"would lie over, in, or around {taken}, which the pod needs"
    return None


RULES = (_volume_source, _mount_path, _volume_writable)
