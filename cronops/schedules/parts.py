"""What pods are made of, as the file says it: image, resources, files, peers and tolerations.

`Part`, the base of them all, is that of `cronops.schedules.model` too.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel


def _quantity(value: object) -> object:
    """A quantity may be written as a number: ``cpu: 1``; kept as text, as it is rendered."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return f"{value:g}" if isinstance(value, float) else str(value)


Quantity = Annotated[
    str,
    Field(min_length=1),
    BeforeValidator(_quantity, json_schema_input_type=str | int | float),
]
Text = Annotated[str, Field(min_length=1)]
Port = Annotated[int, Field(ge=1, le=65535)]
AtLeastZero = Annotated[int, Field(ge=0, lt=2**31)]


class Part(BaseModel):
    """Any mapping of the file: closed, strict, and never changed after it was read."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=False,
        use_attribute_docstrings=True,
        defer_build=True,
    )


class Image(Part):
    """The container's image; production pins it by digest."""

    repository: Text | None = None
    """Registry, path and name, without tag: ``registry.example.com/cronops``."""
    tag: Text | None = None
    """For people; the digest decides what runs."""
    digest: Text | None = None
    """``sha256:`` and 64 hexadecimal digits."""


class PullSecret(Part):
    """A Secret with which the image is pulled."""

    name: Text


class Resources(Part):
    """What the container is given; each of cpu, memory and ephemeral-storage wants both."""

    requests: dict[str, Quantity | None] = Field(default_factory=dict)
    limits: dict[str, Quantity | None] = Field(default_factory=dict)


class SecretFile(Part):
    """One key of a Secret, mounted as the file ``/run/secrets/<name>/<key>``."""

    secret_name: Text
    """The Secret in the cluster."""
    key: Text
    """The key in it, and the file's name."""
    env: Text | None = None
    """Environment variable that is given the file's path: ``CRONOPS_DATABASE_URL_FILE``."""
    default_mode: Annotated[int, Field(ge=0, le=0o777)] | None = None
    """The file's permissions, decimal as in JSON; 288 (0440) unless given."""


class Claim(Part):
    """A PersistentVolumeClaim in the namespace; an NFS export, too, is reached through one."""

    claim_name: Text


class ConfigMapSource(Part):
    """A ConfigMap that somebody else keeps."""

    name: Text


class EmptyDir(Part):
    """A directory that ends with the pod."""

    medium: Literal["", "Memory"] | None = None
    size_limit: Quantity | None = None


class Volume(Part):
    """A directory the job reads or writes: where it is mounted, and what lies behind it."""

    mount_path: Text | None = None
    """Absolute path in the container."""
    read_only: bool | None = None
    """True unless the job writes there."""
    sub_path: Text | None = None
    persistent_volume_claim: Claim | None = None
    config_map: ConfigMapSource | None = None
    empty_dir: EmptyDir | None = None


class IpBlock(Part):
    """Addresses outside the cluster."""

    cidr: Text
    except_: list[Text] | None = Field(default=None, alias="except")


class LabelSelector(Part):
    """Objects by their labels."""

    match_labels: dict[str, str]


class Peer(Part):
    """Whom the job talks to."""

    pod_selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None
    ip_block: IpBlock | None = None


class PolicyPort(Part):
    """A port of the peer."""

    port: Port
    end_port: Port | None = None
    protocol: Literal["TCP", "UDP", "SCTP"] = "TCP"


class Egress(Part):
    """One rule of the job's network policy: these peers, on these ports."""

    to: list[Peer]
    ports: list[PolicyPort]


class Toleration(Part):
    """A taint the pod puts up with."""

    key: Text | None = None
    operator: Literal["Exists", "Equal"] | None = None
    value: str | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: AtLeastZero | None = None
