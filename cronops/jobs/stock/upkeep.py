"""What operators change of exports and margin rules, each change with a line in the audit trail."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from cronops.errors import BadInput
from cronops.jobs.stock.pricing import Rule
from cronops.jobs.stock.setting import COLUMNS, ExportSetting, load_settings

if TYPE_CHECKING:
    import psycopg
    from psycopg.sql import Composed

RULE_COLUMNS = tuple(field.name for field in fields(Rule))

_INSERT_EXPORT = "INSERT INTO export_setting ({columns}) VALUES ({values}) RETURNING id"
_UPDATE_EXPORT = """
UPDATE export_setting SET ({columns}) = ROW({values}), changed_at = clock_timestamp()
WHERE id = %(id)s RETURNING id
"""
_TAKEN = "SELECT id FROM export_setting WHERE name = %(name)s AND id <> %(id)s"
_ACTIVATE = """
UPDATE export_setting SET active = %(active)s, changed_at = clock_timestamp() WHERE id = %(id)s
"""
_LOCK_EXPORTS = "LOCK TABLE export_setting IN SHARE ROW EXCLUSIVE MODE"
_LOCK_RULES = "LOCK TABLE margin_rule IN SHARE ROW EXCLUSIVE MODE"
_RULES = "SELECT {columns} FROM margin_rule ORDER BY id"
_INSERT_RULE = "INSERT INTO margin_rule ({columns}) VALUES ({values}) RETURNING id"
_UPDATE_RULE = "UPDATE margin_rule SET ({columns}) = ROW({values}) WHERE id = %(id)s RETURNING id"
_REMOVE_RULES = "DELETE FROM margin_rule WHERE id = ANY(%(ids)s) RETURNING id"
_NEW = 0


def find_export(settings: Sequence[ExportSetting], number: int) -> ExportSetting:
    """The export of that id. Raises `BadInput`, and says which there are."""
    for setting in settings:
        if setting.id == number:
            return setting
    known = ", ".join(setting.label for setting in settings[:10]) or "none yet"
    raise BadInput(f"there is no export {number}; there are {known}")


def save_export(
    connection: "psycopg.Connection[Any]", setting: ExportSetting, *, actor: str, reason: str | None
) -> tuple[ExportSetting | None, int]:
    """Write an export's settings, a new one where its id is 0; what they were, and the id."""
    from psycopg.types.json import Jsonb

    values: dict[str, Any] = {name: getattr(setting, name) for name in COLUMNS}
    values["column_map"] = Jsonb([list(pair) for pair in setting.column_map])
    with connection.transaction():
        connection.execute(_LOCK_EXPORTS)
        taken = connection.execute(_TAKEN, {"name": setting.name, "id": setting.id}).fetchone()
        if taken:
            raise BadInput(f"export {taken[0]} is called {setting.name!r} already; choose another")
        before = None
        if setting.id != _NEW:
            before = find_export(load_settings(connection), setting.id)
            if before == setting:
                return before, setting.id
        statement = _INSERT_EXPORT if before is None else _UPDATE_EXPORT
        row = connection.execute(_write(statement, COLUMNS), values).fetchone()
        assert row is not None  # noqa: S101 - RETURNING of one row that is locked
        _audit(
            connection,
            actor,
            "stock exports set",
            f"export {row[0]} {setting.name!r}",
            reason,
            {
                name: {"before": _plain(old), "after": _plain(new)}
                for name, (old, new) in changes(before, setting).items()
            },
        )
    return before, int(row[0])


def activate(
    connection: "psycopg.Connection[Any]",
    number: int,
    *,
    active: bool,
    actor: str,
    reason: str | None,
) -> tuple[ExportSetting, bool]:
    """Enable or disable an export; the export, and whether that changed anything."""
    with connection.transaction():
        connection.execute(_LOCK_EXPORTS)
        setting = find_export(load_settings(connection), number)
        if setting.active == active:
            return setting, False
        connection.execute(_ACTIVATE, {"id": number, "active": active})
        verb = "enable" if active else "disable"
        subject = f"export {setting.label}"
        _audit(connection, actor, f"stock exports {verb}", subject, reason, {})
    return setting, True


def changes(before: Any, after: Any) -> dict[str, tuple[Any, Any]]:
    """Which fields differ: their old and new values. All that is set, where there was nothing."""
    found = {}
    for field in fields(after):
        old = None if before is None else getattr(before, field.name)
        new = getattr(after, field.name)
        if old != new and field.name != "id":
            found[field.name] = (old, new)
    return found


def load_rules(connection: "psycopg.Connection[Any]") -> list[Rule]:
    """Every margin rule, by id."""
    from psycopg import sql
    from psycopg.rows import dict_row

    columns = sql.SQL(", ").join(map(sql.Identifier, RULE_COLUMNS))
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(sql.SQL(_RULES).format(columns=columns)).fetchall()
    return [Rule(**row) for row in rows]


def save_rules(
    connection: "psycopg.Connection[Any]",
    rules: Iterable[Rule],
    *,
    actor: str,
    action: str,
    subject: str,
    reason: str | None = None,
    replace: bool = False,
) -> dict[str, list[int]]:
    """Write rules, new ones where the id is 0; ids by what became of them.

    With `replace` every other rule is removed. All or nothing.
    """
    listed = list(rules)
    done: dict[str, list[int]] = {"added": [], "changed": [], "unchanged": [], "removed": []}
    with connection.transaction():
        connection.execute(_LOCK_RULES)
        known = {rule.id: rule for rule in load_rules(connection)}
        unknown = [rule.id for rule in listed if rule.id != _NEW and rule.id not in known]
        if unknown:
            raise BadInput(
                f"there is no rule {', '.join(map(str, unknown[:10]))}; leave the id out to add one"
            )
        insert, update = _write(_INSERT_RULE, RULE_COLUMNS), _write(_UPDATE_RULE, RULE_COLUMNS)
        for rule in listed:
            if rule == known.get(rule.id):
                done["unchanged"].append(rule.id)
                continue
            statement = insert if rule.id == _NEW else update
            row = connection.execute(statement, asdict(rule)).fetchone()
            assert row is not None  # noqa: S101 - RETURNING of one row that is locked
            done["added" if rule.id == _NEW else "changed"].append(int(row[0]))
        if replace:
            others = set(known) - {rule.id for rule in listed}
            done["removed"] = _removed(connection, others)
        details = {name: ids for name, ids in done.items() if ids and name != "unchanged"}
        if details:
            _audit(connection, actor, action, subject, reason, details)
    return done


def remove_rules(
    connection: "psycopg.Connection[Any]",
    ids: Collection[int],
    *,
    actor: str,
    reason: str | None,
) -> list[int]:
    """Remove rules; the ids of those there were. What they said is kept in the audit trail."""
    with connection.transaction():
        connection.execute(_LOCK_RULES)
        gone = [asdict(rule) for rule in load_rules(connection) if rule.id in ids]
        removed = _removed(connection, ids)
        if removed:
            subject = f"{len(removed)} margin rules" if len(removed) > 1 else f"rule {removed[0]}"
            said = {str(rule["id"]): {k: _plain(v) for k, v in rule.items()} for rule in gone}
            _audit(connection, actor, "stock rules remove", subject, reason, said)
    return removed


def _removed(connection: "psycopg.Connection[Any]", ids: Collection[int]) -> list[int]:
    rows = connection.execute(_REMOVE_RULES, {"ids": list(ids)}).fetchall()
    return sorted(row[0] for row in rows)


def _write(statement: str, columns: Sequence[str]) -> "Composed":
    """The statement for all columns but the id."""
    from psycopg import sql

    names = [name for name in columns if name != "id"]
    return sql.SQL(statement).format(
        columns=sql.SQL(", ").join(map(sql.Identifier, names)),
        values=sql.SQL(", ").join(map(sql.Placeholder, names)),
    )


def _audit(
    connection: "psycopg.Connection[Any]",
    actor: str,
    action: str,
    subject: str,
    reason: str | None,
    details: Mapping[str, Any],
) -> None:
    from cronops.db.audit import write_audit

    write_audit(
        connection, actor=actor, action=action, subject=subject, reason=reason, details=details
    )


def _plain(value: Any) -> Any:
    """As JSON takes it."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return str(value)
