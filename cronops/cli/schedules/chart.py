"""``cronops schedules chart``."""

from cronops.cli.schedules.file import USUAL, FileName, check_or_stop, read_file
from cronops.cli.schedules.made import Check, Out, write_or_compare
from cronops.cli.session import Json
from cronops.cli.tree import examples, operator_app

app = operator_app()


@app.command(
    epilog=examples(
        "cronops schedules chart --out charts/cronops",
        "cronops schedules chart --out charts/cronops --check",
    )
)
def chart(
    out: Out,
    file: FileName = USUAL,
    check: Check = False,
    as_json: Json = False,
) -> None:
    """Write the Helm chart, with a file of values for each environment.

    The file is validated first; where it is not valid nothing is written (exit 65).
    """
    from cronops.schedules.chart import chart as made

    read = read_file(file)
    report = check_or_stop(read)
    again = f"cronops schedules chart --out {out}"
    write_or_compare(
        made(report.environments, read.text), out, check=check, as_json=as_json, again=again
    )
