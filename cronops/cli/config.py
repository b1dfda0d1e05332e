"""``cronops config``: the settings, and where each came from."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronops.cli.names import nearest
from cronops.cli.output import Column, note, show_table, span
from cronops.cli.session import Json
from cronops.cli.tree import examples, operator_app

if TYPE_CHECKING:
    from cronops.config import Leaf, Loaded

app = operator_app()

_MASK = "********"
_COLUMNS = (
    Column("variable"),
    Column("value", show=lambda value: _readable(value)),
    Column("source"),
    Column("description", "meaning", shrinks=True),
)


@app.callback()
def group() -> None:
    """The settings, and where each came from."""


@app.command(epilog=examples("cronops config show", "cronops config show --changed --json"))
def show(
    changed: Annotated[
        bool, typer.Option("--changed", help="Only those that are not defaults.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show every setting with its value and its source; secrets are masked.

    A value comes from the environment, else a secret file (the variable's name with _FILE), else
    the file CRONOPS_CONFIG names, else the default.
    """
    from cronops.config import leaves, load_settings

    loaded = load_settings()
    rows = [_row(leaf, loaded) for leaf in leaves()]
    if changed:
        rows = [row for row in rows if row["source"] != "default"]
    show_table(rows, _COLUMNS, as_json=as_json, empty="Every setting is at its default.")
    for warning in unknown_variables(loaded):
        note(f"warning: {warning}")


def unknown_variables(loaded: "Loaded") -> list[str]:
    """A sentence for each ``CRONOPS_…`` variable that means nothing."""
    from cronops.config import leaves

    known = [leaf.variable for leaf in leaves()]
    return [
        f"{name} is set, but no setting is called so{nearest(name, known)}"
        for name in loaded.unknown_variables
    ]


def _row(leaf: "Leaf", loaded: "Loaded") -> dict[str, Any]:
    value: Any = loaded.settings
    for part in leaf.path:
        value = dict(value)[part]
    source = next(
        (
            origin
            for key, origin in loaded.sources.items()
            if key == leaf.key or key.startswith(f"{leaf.key}.")
        ),
        "default",
    )
    return {
        "key": leaf.key,
        "variable": leaf.variable,
        "value": masked(value),
        "source": source,
        "description": leaf.setting.description,
    }


def masked(value: Any) -> Any:
    """`value` with every secret in it replaced."""
    from cronops.config.setting import Section
    from cronops.secret import SecretStr

    if isinstance(value, SecretStr):
        return _MASK
    if isinstance(value, Section):
        return {key: masked(item) for key, item in value if item not in (None, "")}
    if isinstance(value, dict):
        return {key: masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [masked(item) for item in value]
    return value


def _readable(value: Any) -> str:
    from cronops.cli.output import as_text

    return span(value) if isinstance(value, timedelta) else as_text(value)
