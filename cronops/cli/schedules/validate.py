"""``cronops schedules validate``."""

from typing import Annotated

import typer

from cronops.cli.output import print_line, show_json
from cronops.cli.schedules.file import USUAL, FileName, check, read_file
from cronops.cli.schedules.shown import report_record, show_annotations, show_findings, summary
from cronops.cli.session import Json
from cronops.cli.tree import examples, operator_app
from cronops.errors import ExitCode

app = operator_app()


@app.command(
    epilog=examples(
        "cronops schedules validate",
        "cronops schedules validate --env production --strict",
        "cronops schedules validate - --json < schedules.yaml",
    )
)
def validate(
    file: FileName = USUAL,
    environment: Annotated[
        str | None,
        typer.Option("--env", metavar="NAME", help="Only this environment.", show_default=False),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail as well.")] = False,
    github: Annotated[
        bool,
        typer.Option(
            "--github",
            envvar="GITHUB_ACTIONS",
            show_envvar=False,
            help="Print findings as GitHub's annotations; by itself where GITHUB_ACTIONS is true.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Check a schedules file: its text, its commands, and every rule.

    Exit 0 where nothing is wrong; 65 where there is an error that the file does not waive.
    Warnings and notes alone exit 0. Each rule is explained by: cronops schedules rules RULE.
    """
    read = read_file(file)
    report = check(read, environment)
    if as_json:
        show_json(report_record(read.name, report))
    else:
        if github:
            show_annotations(read.name, report)
        else:
            show_findings(read.name, report)
        print_line(summary(report))
    warned = any(
        finding.severity == "warning" and finding.waived is None for finding in report.findings
    )
    if not report.is_valid or (strict and warned):
        raise typer.Exit(ExitCode.BAD_INPUT)
