"""The tree of commands: what help lists, what a word stands for, and what is not imported."""

import subprocess
import sys

import pytest
from typer.exceptions import TyperException
from typer.main import get_command

from cronops.cli.main import OPERATOR_COMMANDS, app
from cronops.jobs import JOBS


def context():
    command = get_command(app)
    return command, command.make_context("cronops", ["jobs"], resilient_parsing=True)


def test_help_lists_every_operators_command_and_every_built_in_job():
    command, at = context()
    text = " ".join(command.get_help(at).split())
    for name, entry in OPERATOR_COMMANDS.items():
        assert f"{name} {entry.summary}" in text
    for name, job in JOBS.items():
        assert f"{name} {job.cr} {job.summary}" in text


@pytest.mark.parametrize("name", OPERATOR_COMMANDS)
def test_each_operators_command_has_help_with_examples(name):
    root, at = context()
    command = root.get_command(at, name)
    below = dict(getattr(command, "operators", {name: command}))
    for word, group in [*below.items()]:
        inside = getattr(group, "commands", {})
        below |= {f"{word} {inner}": one for inner, one in inside.items()}
        if inside:
            assert group.help, f"{name} {word} says nothing about itself"
            assert "Examples:" in (group.epilog or ""), f"{name} {word} has no example"
            del below[word]
    assert below
    for word, one in below.items():
        assert one.help, f"{name} {word} says nothing about itself"
        assert "Examples:" in (one.epilog or ""), f"{name} {word} has no example"
        assert any("--json" in option.opts for option in one.params), f"{name} {word} has no --json"
        for option in one.params:
            assert option.help, f"{name} {word}: {option.name} is not explained"


def test_jobs_and_operators_commands_share_a_branch():
    root, at = context()
    queue = root.get_command(at, "queue")
    assert {"status", "enqueue", "process", "clean"} <= set(queue.list_commands(at))
    assert queue.get_command(at, "process").help.startswith("Work the messages of a queue.")
    assert queue.get_command(at, "status").help.startswith("Show how many")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["jbos"], "There is no command 'jbos'. Did you mean jobs"),
        (["queue", "proces"], "There is no command 'queue proces'. Did you mean process"),
        (["zzz"], "There is no command 'zzz'."),
        (["queue", "--status"], "No such option: --status"),
    ],
)
def test_an_unknown_word_is_answered_with_the_nearest(words, said):
    with pytest.raises(TyperException) as caught:
        get_command(app).main(words, prog_name="cronops", standalone_mode=False)
    assert caught.value.exit_code == 2
    assert said in caught.value.format_message()


def test_a_group_by_itself_shows_its_help_and_is_a_usage_error(capsys):
    for words in ([], ["queue"], ["runs"]):
        code = get_command(app).main(words, prog_name="cronops", standalone_mode=False)
        assert code == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert "Usage: cronops" in shown.err


HEAVY = (
    *("rich", "pydantic", "psycopg", "sqlalchemy", "alembic", "structlog", "tenacity", "httpx"),
    *(
        "apprise",
        "prometheus_client",
        "importlib.metadata",
        "cronops.config",
        "cronops.contract.job",
    ),
)


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["-h"]])
def test_help_and_version_import_nothing_heavy(words):
    program = (
        "import sys; sys.argv[1:] = sys.argv[1:]\n"
        "from cronops.__main__ import main\n"
        "code = main()\n"
        f"print(code, *[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, check=True
    )
    assert done.stderr.split() == ["0"]
    assert "cronops" in done.stdout
