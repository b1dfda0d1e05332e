from pathlib import Path

from tests.commands import CommandLine
from tests.databases import Database
from tests.integration.jobs.stock.exports import add_export, add_rule, files_below, runs


def test_smoke(goods: Database, cli: CommandLine, export_dir: Path) -> None:
    add_export(goods, transport_surcharge="2.50")
    add_rule(goods, "percent", "10", brand="Pirelli")
    done = cli("stock", "export")
    print(done.stdout, done.stderr)
    print(files_below(export_dir))
    print(runs(goods, "*"))
    done = cli("stock", "export")
    print(done.stdout, done.stderr)
    done = cli("stock", "export", "--skip-generation")
    print(done.stdout, done.stderr)
    print(runs(goods, "*"))
    assert 0
