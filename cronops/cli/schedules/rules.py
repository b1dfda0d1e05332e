"""``cronops schedules rules``."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronops.cli.names import nearest
from cronops.cli.output import Column, show_record, show_table
from cronops.cli.session import Json
from cronops.cli.tree import examples, operator_app
from cronops.errors import UsageError

if TYPE_CHECKING:
    from cronops.schedules.rules.rule import Rule
    from cronops.schedules.rules.structural import Explained

app = operator_app()

_COLUMNS = (Column("rule"), Column("severity"), Column("waivable"), Column("title", shrinks=True))


@app.command(
    epilog=examples(
        "cronops schedules rules",
        "cronops schedules rules deadline-budget",
        "cronops schedules rules --json | jq -r '.[].rule'",
    )
)
def rules(
    rule: Annotated[
        str | None, typer.Argument(metavar="[RULE]", help="Explain this one.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """List every rule a schedules file is held to, or explain one.

    A rule that is waivable may be broken where the file says why:
    waivers: [{rule: RULE, reason: TEXT}], in a schedule, an environment or the defaults.
    """
    records = rule_records()
    if rule is None:
        show_table(records, _COLUMNS, as_json=as_json, empty="There are no rules.")
        return
    found = next((record for record in records if record["rule"] == rule), None)
    if found is None:
        hint = nearest(rule, [record["rule"] for record in records])
        raise UsageError(f"no rule is called {rule!r}{hint or '; see: cronops schedules rules'}")
    show_record(found, as_json=as_json)


def rule_records() -> list[dict[str, Any]]:
    """Every id that a check may show, in the order of the check; scripts rely on these names."""
    from cronops.schedules.rules import RULES
    from cronops.schedules.rules.structural import STRUCTURAL

    return [
        *(_record(one, waivable=False) for one in STRUCTURAL),
        *(_record(one, waivable=one.waivable) for one in RULES),
    ]


def _record(one: "Explained | Rule[Any]", *, waivable: bool) -> dict[str, Any]:
    from cronops.schedules.rules.borrowed import kept_by

    return {
        "rule": one.id,
        "severity": one.severity.value,
        "title": one.title,
        "why": one.why,
        "instead": one.instead,
        "waivable": waivable,
        "also": kept_by(one.id),
    }
