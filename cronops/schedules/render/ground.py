"""What all manifests of one environment share, worked out once."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

from cronops.schedules.render.quoting import Verbatim
from cronops.schedules.resolve import ResolvedEnvironment, shortened, variables

LONGEST_NAME = 63
LONGEST_HASHED = LONGEST_NAME - len("-h0123456789")
"""What may stand before a hash."""


@dataclass(frozen=True, slots=True)
class Ground:
    """One environment, and what is the same in each of its files."""

    environment: ResolvedEnvironment
    settings: Mapping[str, str]
    """Variables that every pod is given, sorted."""
    said_to_all: frozenset[str]
    """Those of them that the file gives, and a schedule may take away again."""
    settings_name: str
    """Of their ConfigMap."""
    generator: str
    """``cronops 0.1.0``."""
    egress_texts: dict[int, Verbatim] = field(default_factory=dict)
    """What network policies let out, by the identity of the mapping it was made of."""

    def named(self, name: str, hashed: str = "") -> str:
        """An object's name: the environment's prefix first, a hash of `hashed` last."""
        whole = f"{self.environment.said.name_prefix}{name}"
        if not hashed:
            return shortened(whole, LONGEST_NAME)
        # A letter first: a hash of digits only would be read as a number by some parsers.
        end = f"-h{sha256(hashed.encode()).hexdigest()[:10]}"
        return shortened(whole, LONGEST_HASHED) + end


def ground_of(environment: ResolvedEnvironment) -> Ground:
    """What the environment's manifests share."""
    settings = dict(sorted(environment.settings.items()))
    made = Ground(
        environment=environment,
        settings=settings,
        said_to_all=frozenset(variables(environment.common)),
        settings_name="",
        generator=f"cronops {environment.declarations.version}",
    )
    return replace(made, settings_name=made.named("cronops-settings", _hashed(settings)))


def _hashed(settings: Mapping[str, str]) -> str:
    """A line a setting, in a form that the chart's templates can write too."""
    lines = (f"{name}={b64encode(text.encode()).decode()}\n" for name, text in settings.items())
    return "".join(lines)
