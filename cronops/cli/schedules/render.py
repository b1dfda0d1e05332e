"""``cronops schedules render``."""

import io
import sys
from typing import Annotated

import typer

from cronops.cli.output import print_line
from cronops.cli.schedules.file import USUAL, FileName, check_or_stop, read_file
from cronops.cli.schedules.made import STREAM, Check, Out, write_or_compare
from cronops.cli.session import Json
from cronops.cli.tree import examples, operator_app
from cronops.errors import UsageError

app = operator_app()


@app.command(
    epilog=examples(
        "cronops schedules render --env production --out k8s/production",
        "cronops schedules render --env production --out k8s/production --check",
        "cronops schedules render --env staging --out - | kubectl diff -f -",
    )
)
def render(
    environment: Annotated[
        str, typer.Option("--env", metavar="NAME", help="The environment to render.")
    ],
    out: Out,
    file: FileName = USUAL,
    check: Check = False,
    as_json: Json = False,
) -> None:
    """Write one environment's manifests into a directory of their own.

    The file is validated first; where it is not valid nothing is written (exit 65). The same
    file gives the same bytes. Stale manifests are removed, files that are not ours are left.
    """
    from cronops.schedules.render import WITHOUT_OBJECTS
    from cronops.schedules.render import render as rendered

    read = read_file(file)
    report = check_or_stop(read, environment)
    files = rendered(report.environments[environment], read.text)
    if out != STREAM:
        again = f"cronops schedules render --env {environment} --out {out}"
        write_or_compare(files, out, check=check, as_json=as_json, again=again)
        return
    if check or as_json:
        raise UsageError(f"{'--check' if check else '--json'} tells of a directory; name one")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # as the files are, whatever the terminal has
    for path, text in files.items():
        if not path.endswith(WITHOUT_OBJECTS):
            print_line(f"---\n# {path}\n{text}".rstrip())
