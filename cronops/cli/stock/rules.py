"""``cronops stock rules``: list, set, remove and import margin rules."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronops.cli.output import Column, print_line, show_json, show_table
from cronops.cli.session import Json, MaybeReason, session
from cronops.cli.tree import examples, operator_app
from cronops.errors import BadInput, ExitCode, UsageError

if TYPE_CHECKING:
    from cronops.jobs.stock.pricing import Rule

app = operator_app()

_COLUMNS = (
    Column("id"),
    Column("for", shrinks=True),
    Column("margin"),
    Column("priority"),
    Column("supplier_id", "supplier"),
    Column("customer_id", "customer"),
    Column("valid_from", "from"),
    Column("valid_until", "until"),
    Column("active"),
)
_NAMES = ("article_number", "category", "brand", "product_type", "wheel_diameter", "tyre_size")


def _option(flag: str, metavar: str, text: str) -> Any:
    return typer.Option(flag, metavar=metavar, help=text, show_default=False)


@app.command(
    "list",
    epilog=examples("cronops stock rules list", "cronops stock rules list --brand Pirelli --json"),
)
def list_(
    brand: Annotated[str | None, _option("--brand", "TEXT", "Only rules naming it.")] = None,
    category: Annotated[str | None, _option("--category", "TEXT", "Only rules naming it.")] = None,
    article: Annotated[str | None, _option("--article", "NUMBER", "Only rules naming it.")] = None,
    as_json: Json = False,
) -> None:
    """List the rules in the order in which they are tried: the first that applies wins."""
    from dataclasses import asdict

    from cronops.jobs.stock.upkeep import load_rules

    with session("stock rules list") as at:
        rules = load_rules(at.connection)
    wanted = {"brand": brand, "category": category, "article_number": article}
    found = [
        rule
        for rule in sorted(rules, key=lambda rule: rule.order)
        if all(getattr(rule, name) == value for name, value in wanted.items() if value)
    ]
    rows = [{**asdict(rule), "for": names_of(rule), "margin": margin_of(rule)} for rule in found]
    empty = "No rule matches." if any(wanted.values()) else "There is no rule: every margin is 0."
    show_table(rows, _COLUMNS, as_json=as_json, empty=empty)


@app.command(
    "set",
    epilog=examples(
        "cronops stock rules set --percent 12.5 --brand Pirelli --category winter",
        "cronops stock rules set --amount 3.00 --article A0000017",
        "cronops stock rules set 17 --percent 9 --until 2026-12-31",
        "cronops stock rules set 17 --brand none  # whatever the brand",
    ),
)
def set_(
    rule: Annotated[
        int | None,
        typer.Argument(metavar="ID", help="A rule's id; without it a new one is made."),
    ] = None,
    percent: Annotated[
        str | None, _option("--percent", "NUMBER", "Margin in per cent of the purchase price.")
    ] = None,
    amount: Annotated[str | None, _option("--amount", "EUR", "Margin in EUR.")] = None,
    article: Annotated[
        str | None, _option("--article", "NUMBER|none", "For this article; names nothing else.")
    ] = None,
    category: Annotated[str | None, _option("--category", "TEXT|none", "Must match.")] = None,
    brand: Annotated[str | None, _option("--brand", "TEXT|none", "Must match.")] = None,
    product_type: Annotated[
        str | None, _option("--type", "tyre|wheel|accessory|none", "Must match.")
    ] = None,
    wheel_diameter: Annotated[
        str | None, _option("--diameter", "INCHES|none", "Must match.")
    ] = None,
    tyre_size: Annotated[str | None, _option("--tyre-size", "TEXT|none", "Must match.")] = None,
    supplier: Annotated[
        str | None, _option("--supplier", "ID|none", "Only for what this supplier delivers.")
    ] = None,
    customer: Annotated[
        str | None, _option("--customer", "ID|none", "Only in exports for this customer.")
    ] = None,
    priority: Annotated[
        str | None, _option("--priority", "NUMBER", "Of rules naming as much, the highest wins.")
    ] = None,
    valid_from: Annotated[str | None, _option("--from", "DATE|none", "First day.")] = None,
    valid_until: Annotated[str | None, _option("--until", "DATE|none", "Last day.")] = None,
    active: Annotated[
        bool | None,
        typer.Option("--active/--inactive", help="Whether it counts.", show_default=False),
    ] = None,
    reason: MaybeReason = None,
    as_json: Json = False,
) -> None:
    """Change a margin rule, or make a new one.

    A rule applies where everything it names matches. An article's own rule wins; else the one
    that names most; then the higher priority; then one for a customer, for a supplier; then
    category before brand, type, diameter and tyre size; then the lowest id.
    """
    if percent is not None and amount is not None:
        raise UsageError("a margin is --percent or --amount, not both")
    margin = percent if amount is None else amount
    given = {
        "kind": None if margin is None else "amount" if percent is None else "percent",
        "value": margin,
        "article_number": article,
        "category": category,
        "brand": brand,
        "product_type": product_type,
        "wheel_diameter": wheel_diameter,
        "tyre_size": tyre_size,
        "supplier_id": supplier,
        "customer_id": customer,
        "priority": priority,
        "valid_from": valid_from,
        "valid_until": valid_until,
        "active": None if active is None else str(active),
    }
    said = {name: text for name, text in given.items() if text is not None}
    if not said:
        raise UsageError("say what to set; see: cronops stock rules set --help")
    if rule is None and margin is None:
        raise UsageError("a new rule needs --percent or --amount")
    from cronops.jobs.stock.upkeep import load_rules, save_rules

    with session("stock rules set") as at:
        before = None
        if rule is not None:
            before = next((one for one in load_rules(at.connection) if one.id == rule), None)
            if before is None:
                raise BadInput(f"there is no rule {rule}; see: cronops stock rules list")
        after = _changed(before, said)
        done = save_rules(
            at.connection,
            [after],
            actor=at.actor,
            action="stock rules set",
            subject=names_of(after) if rule is None else f"rule {rule}: {names_of(after)}",
            reason=reason,
        )
    number = rule or done["added"][0]
    if as_json:
        show_json({"id": number, "created": rule is None, "changed": bool(done["changed"])})
        return
    verb = "Made" if rule is None else "Changed" if done["changed"] else "Unchanged:"
    print_line(f"{verb} rule {number}: {margin_of(after)} on {names_of(after)}.")


@app.command(epilog=examples('cronops stock rules remove 17 18 --reason "the promotion is over"'))
def remove(
    ids: Annotated[list[int], typer.Argument(metavar="ID...", help="Ids of rules.")],
    reason: MaybeReason = None,
    as_json: Json = False,
) -> None:
    """Remove margin rules; what they said stays in the audit trail."""
    from cronops.jobs.stock.upkeep import remove_rules

    with session("stock rules remove") as at:
        removed = remove_rules(at.connection, ids, actor=at.actor, reason=reason)
    unknown = sorted(set(ids) - set(removed))
    if as_json:
        show_json({"removed": removed, "unknown": unknown})
    else:
        for number in removed:
            print_line(f"Removed rule {number}.")
        for number in unknown:
            print_line(f"There is no rule {number}.")
    if unknown:
        raise typer.Exit(ExitCode.FAILED)


@app.command(
    "import",
    epilog=examples(
        "cronops stock rules import rules.csv --dry-run",
        'cronops stock rules import rules.csv --replace --reason "prices of 2027"',
    ),
)
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with a header, in UTF-8.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Remove all rules that are not in the file.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check the file, and change nothing.")
    ] = False,
    reason: MaybeReason = None,
    as_json: Json = False,
) -> None:
    """Import margin rules from CSV: all of the file, or nothing where a line is wrong.

    Columns kind (percent or amount) and value, and any of id, priority, supplier_id, customer_id,
    article_number, category, brand, product_type, wheel_diameter, tyre_size, valid_from,
    valid_until and active. A line with an id changes that rule, one without adds a rule.
    """
    from cronops.jobs.stock.rule_file import read_rules

    rules = read_rules(file)
    if dry_run:
        if as_json:
            show_json({"rules": len(rules), "dry_run": True})
        else:
            print_line(f"{file} is right: {len(rules)} rules; nothing was changed.")
        return
    from cronops.jobs.stock.upkeep import save_rules

    with session("stock rules import") as at:
        done = save_rules(
            at.connection,
            rules,
            actor=at.actor,
            action="stock rules import",
            subject=file.name,
            reason=reason,
            replace=replace,
        )
    if as_json:
        show_json({name: len(ids) for name, ids in done.items()})
    else:
        print_line(", ".join(f"{len(ids)} {name}" for name, ids in done.items()) + ".")


def names_of(rule: "Rule") -> str:
    """What a rule names, for people."""
    named = [
        f"{name.replace('_', ' ')} {value}"
        for name in _NAMES
        if (value := getattr(rule, name)) is not None
    ]
    return ", ".join(named) or "everything"


def margin_of(rule: "Rule") -> str:
    """``+12.5 %`` or ``+3.00 EUR``."""
    if rule.kind == "percent":
        return f"{rule.value.normalize():+f} %"
    return (
        f"{rule.value:+.2f} EUR" if rule.value == round(rule.value, 2) else f"{rule.value:+f} EUR"
    )


def _changed(before: "Rule | None", said: dict[str, str]) -> "Rule":
    """`before`, or nothing, with what was said."""
    from dataclasses import asdict

    from cronops.jobs.stock.rule_file import rule_from

    texts: dict[str, str | None] = {}
    if before is not None:
        texts = {
            name: None if value is None else str(value) for name, value in asdict(before).items()
        }
    texts |= {name: None if text.lower() == "none" else text for name, text in said.items()}
    try:
        return rule_from(texts)
    except ValueError as error:
        raise BadInput(f"nothing was changed: {error}") from None
