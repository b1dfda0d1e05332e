"""Writes the pages that are made from the code: the command line, the settings, the exit codes,
the rules and fields of schedules.yaml, and its JSON Schema for editors.

``make docs`` writes them, ``make check`` compares (``--check``).
"""

import json
import sys
from collections.abc import Callable, Iterator
from difflib import unified_diff
from pathlib import Path
from typing import Any
from unittest.mock import patch

from typer.main import get_command

from cronops.cli.main import app
from cronops.cli.schedules.rules import rule_records
from cronops.config import Leaf, Settings, leaves
from cronops.config.setting import Section
from cronops.errors import ExitCode, PodFailureAction
from cronops.jobs import registry
from cronops.schedules.model import json_schema

DOCS = Path(__file__).parent
NOTE = "<!-- Made from the code by `make docs`; change the code instead. -->"
WIDTH = 100
MAIN_PARTS = ("Defaults", "Environment", "Schedule", "Override", "Migration", "Unscheduled")

ACTION_NAMES = {
    PodFailureAction.NONE: "(success)",
    PodFailureAction.COUNT: "Count",
    PodFailureAction.FAIL_JOB: "FailJob",
    PodFailureAction.COUNT_IF_RETRY_SAFE: "Count if the job is retry-safe, else FailJob",
}


def commands(command: Any, context: Any) -> Iterator[tuple[str, str, bool]]:
    """Path, help text and whether it is a group, of the command and everything below it."""
    is_group = hasattr(command, "list_commands")
    yield context.command_path, command.get_help(context), is_group
    if is_group:
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            inner = child.make_context(name, [], parent=context, resilient_parsing=True)
            yield from commands(child, inner)


def all_commands() -> list[tuple[str, str, bool]]:
    """Every command of ``cronops`` itself, its help laid out for `WIDTH` columns."""
    root = get_command(app)
    context = root.make_context(
        "cronops", [], resilient_parsing=True, terminal_width=WIDTH, max_content_width=WIDTH
    )
    # What other packages bring is not ours to document, wherever this happens to run.
    with patch.object(registry, "entry_points", return_value=()):
        return list(commands(root, context))


def command_line_page() -> str:
    """The help of every command."""
    lines = [NOTE, "# The command line", "", "What `--help` says, command by command.", ""]
    listed = all_commands()
    for path, _, is_group in listed:
        if not is_group:
            lines.append(f"- [`{path}`](#{path.replace(' ', '-')})")
    for path, text, _ in listed:
        lines += ["", f"## {path}", "```text", *map(str.rstrip, text.splitlines()), "```"]
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    """Every setting, section by section."""
    lines = [
        NOTE,
        "# The settings",
        "",
        "Each setting is looked for in this order: its variable in the environment; the file that "
        "its variable with `_FILE` appended names (for secrets); the TOML file that "
        "`CRONOPS_CONFIG` names, under its key; its default. `cronops config show` says where each "
        "came from. A duration is a number of seconds (`90`), ISO 8601 (`PT1M30S`) or short "
        "(`1m30s`). A variable that is empty counts as not set.",
    ]
    sections: dict[tuple[str, ...], list[Leaf]] = {}
    for leaf in leaves():
        sections.setdefault(leaf.path[:-1], []).append(leaf)
    for path, members in sections.items():
        lines += ["", f"## {'.'.join(path) or 'General'}"]
        if path:
            lines += ["", (_section(path).__doc__ or "").strip()]
        lines += ["", "| Variable | Key | Type | Default | Meaning |", "|---|---|---|---|---|"]
        lines += [_row(leaf) for leaf in members]
    return "\n".join(lines) + "\n"


def exit_codes_page() -> str:
    """Every exit code, and what Kubernetes does with it."""
    lines = [
        NOTE,
        "# Exit codes",
        "",
        "The same for every command. The last column is the rule for `podFailurePolicy`. After a "
        "code that may be retried an eviction (`DisruptionTarget`) is ignored: it costs no try. A "
        "job that is not retry-safe fails with its first pod, whatever the code, and when evicted.",
        "",
        "| Code | Name | Meaning | Pod failure policy |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {code:d} | `{code.name}` | {code.meaning} | {ACTION_NAMES[code.action]} |"
        for code in ExitCode
    ]
    return "\n".join(lines) + "\n"


def rules_page() -> str:
    """Every rule of a schedules file."""
    lines = [
        NOTE,
        "# The rules of schedules.yaml",
        "",
        "What `cronops schedules validate` checks, in this order; [schedules.md](schedules.md) "
        "says how to waive a rule. A note or a warning leaves the file valid.",
    ]
    for record in rule_records():
        waivable = "waivable" if record["waivable"] else "never waived"
        lines += [
            "",
            f"## {record['rule']}",
            "",
            f"**{record['title']}.** {record['severity'].capitalize()}, {waivable}.",
            record["why"],
            "",
            f"*Instead:* {record['instead']}",
        ]
        if record["also"]:
            lines += ["", f"*Known elsewhere as:* {', '.join(record['also'])}"]
    return "\n".join(lines) + "\n"


def fields_page() -> str:
    """Every field of a schedules file, by the mapping it stands in."""
    schema = json_schema()
    lines = [
        NOTE,
        "# The fields of schedules.yaml",
        "",
        "Every key there is; any other is an error. [schedules.md](schedules.md) says how they "
        "work together, and [schedules.schema.json](schedules.schema.json) tells an editor.",
        *_fields("The file", schema, set()),
    ]
    parts: dict[str, Any] = schema["$defs"]
    inherited = set(parts["Defaults"]["properties"])
    for name in [*MAIN_PARTS, *sorted(parts.keys() - set(MAIN_PARTS))]:
        lines += _fields(name, parts[name], set() if name == "Defaults" else inherited)
    return "\n".join(lines) + "\n"


def _fields(name: str, schema: dict[str, Any], inherited: set[str]) -> list[str]:
    properties: dict[str, Any] = schema.get("properties", {})
    own = {key: of for key, of in properties.items() if key not in inherited}
    lines = ["", f"## {name}", "", " ".join(schema.get("description", "").split())]
    if len(own) < len(properties):
        lines += ["", "Whatever [Defaults](#defaults) may say" + (", and:" if own else ".")]
    if own:
        required = schema.get("required", ())
        lines += ["", "| Key | Type | Meaning |", "|---|---|---|"]
        for key, of in own.items():
            must = " **Required.**" if key in required else ""
            meaning = " ".join(of.get("description", "").replace("``", "`").split())
            cells = (f"`{key}`", _type(of), f"{meaning}{must}".strip())
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return lines


def _type(of: dict[str, Any]) -> str:
    if "$ref" in of:
        name = of["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    for several in ("anyOf", "oneOf"):
        if several in of:
            kinds = [_type(one) for one in of[several] if one.get("type") != "null"]
            return " or ".join(dict.fromkeys(kinds))
    if "enum" in of:
        return " or ".join(f"`{one}`" if one else "empty" for one in of["enum"] if one is not None)
    if "const" in of:
        return f"`{of['const']}`"
    if of.get("type") == "array":
        return f"list of {_type(of['items'])}"
    if of.get("type") == "object":
        return f"mapping to {_type(of['additionalProperties'])}"
    return {"string": "text", "integer": "whole number", "boolean": "true or false"}.get(
        of.get("type", ""), of.get("type", "anything")
    )


def schema_file() -> str:
    """What `cronops schedules schema` prints."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "cli.md": command_line_page,
    "configuration.md": settings_page,
    "exit-codes.md": exit_codes_page,
    "schedule-fields.md": fields_page,
    "schedule-rules.md": rules_page,
    "schedules.schema.json": schema_file,
}


def differences() -> Iterator[str]:
    """Unified diffs of the pages that do not say what the code says."""
    for name, make in PAGES.items():
        path = DOCS / name
        written = path.read_text(encoding="utf-8") if path.exists() else ""
        made = make()
        yield from unified_diff(
            written.splitlines(), made.splitlines(), f"docs/{name}", "the code", lineterm=""
        )


def _section(path: tuple[str, ...]) -> type[Section]:
    found: type[Section] = Settings
    for name in path:
        found = found.settings[name].section or found
    return found


def _row(leaf: Leaf) -> str:
    cells = (
        f"`{leaf.variable}`",
        f"`{leaf.key}`",
        leaf.setting.kind,
        _default(leaf),
        leaf.setting.description,
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(leaf: Leaf) -> str:
    shown = leaf.setting.default_text
    return "unset" if shown == "-" else f"`{shown}`"


def main() -> int:
    """Write the pages, or with ``--check`` only compare them; the exit code."""
    if "--check" in sys.argv[1:]:
        found = list(differences())
        if found:
            sys.stderr.write("\n".join([*found, "", "The pages are out of date: make docs\n"]))
        return int(bool(found))
    for name, make in PAGES.items():
        (DOCS / name).write_text(make(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
