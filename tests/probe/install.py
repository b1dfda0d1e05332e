"""Makes a directory look like an installed distribution that brings jobs and handlers."""

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path

_MODULES = [Path(__file__).parent / name for name in ("probe_pkg.py", "probe_misdeeds.py")]
_GROUPS = {"job": "cronops.jobs", "handler": "cronops.handlers"}


def install_probe(directory: Path) -> Path:
    """Put the probe's modules into `directory` with the metadata an installer would write."""
    for module in _MODULES:
        shutil.copy(module, directory)
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
    nodes = [(module, node) for module in _MODULES for node in ast.parse(module.read_text()).body]
    for module, node in nodes:
        if not isinstance(node, ast.FunctionDef):
            continue
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name):
                name = ast.literal_eval(decorator.args[0])
                path = name.replace(" ", ".")
                yield _GROUPS[decorator.func.id], f"{path} = {module.stem}:{node.name}"
