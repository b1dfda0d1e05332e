"""Makes a directory look like an installed distribution that brings jobs and handlers."""

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path

_MODULE = Path(__file__).parent / "probe_pkg.py"
_GROUPS = {"job": "cronops.jobs", "handler": "cronops.handlers"}


def install_probe(directory: Path) -> Path:
    """Put ``probe_pkg.py`` into `directory` with the metadata an installer would write."""
    shutil.copy(_MODULE, directory)
    metadata = directory / "probe_pkg-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: probe-pkg\nVersion: 1.0\n")
    lines: list[str] = []
    for group in _GROUPS.values():
        lines.append(f"[{group}]")
        lines += [entry for entry_group, entry in _entries() if entry_group == group]
    (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return directory


def _entries() -> Iterator[tuple[str, str]]:
    """Group and line of each declaration, read off the source: what is declared is found."""
    for node in ast.parse(_MODULE.read_text()).body:
        if not isinstance(node, ast.FunctionDef):
            continue
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name):
                name = ast.literal_eval(decorator.args[0])
                path = name.replace(" ", ".")
                yield _GROUPS[decorator.func.id], f"{path} = probe_pkg:{node.name}"
