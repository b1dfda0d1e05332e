"""What the pages say exists: links, commands with their options, make targets, settings."""

import re
import shlex
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.exceptions import TyperException
from typer.main import get_command

from cronops.cli.main import app
from cronops.config import leaves

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
GENERATED = {"cli.md", "configuration.md", "exit-codes.md", "performance.md"}
GENERATED |= {"schedule-fields.md", "schedule-rules.md"}
WRITTEN = [page for page in PAGES if page.name not in GENERATED]

FENCE = re.compile(r"^( *)```(?P<language>\w*)\n(?P<text>.*?)^\1```$", re.M | re.S)
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
CODE = re.compile(r"`([^`]+)`")
TITLED = re.compile(r"\A# (?P<title>\S+)\n")
SETTING = re.compile(r"CRONOPS_\w*")
NOT_SETTINGS = {"CRONOPS_CONFIG", "CRONOPS_TEST_DATABASE_URL", "CRONOPS_TEST_REQUIRE_TOOLS"}
# Placeholders as the pages write them, and something that can stand there.
# A file that is there stands for one that only its supplier has.
PLACEHOLDERS = {"ID": "4711", "N": "2", "I/N": "1/2", "nord.csv": str(ROOT / "README.md")}
SHELL_ENDS = {"<", ">", "|", "&", ";", "2>/dev/null"}


def blocks(page: Path, language: str) -> list[str]:
    return [m["text"] for m in FENCE.finditer(page.read_text()) if m["language"] == language]


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text())


def inline_code(page: Path) -> list[str]:
    return [" ".join(found.split()) for found in CODE.findall(prose(page))]


def anchors(page: Path) -> set[str]:
    """Headings as GitHub names them."""
    text = FENCE.sub("", page.read_text())
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


def broken_links(page: Path, text: str) -> Iterator[str]:
    for match in LINK.finditer(text):
        target = match["target"]
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists():
            yield f"{target}: there is no such file"
        elif anchor and anchor not in anchors(file):
            yield f"{target}: there is no such heading"


def typed_commands(page: Path) -> list[str]:
    """What stands behind a prompt, up to where the shell takes over."""
    lines = "".join(blocks(page, "console")).splitlines()
    return [line[2:] for line in lines if line.startswith("$ cronops ")]


def words_of(command: str) -> list[str]:
    """The words of a command line, without `cronops` and what is the shell's."""
    words = shlex.split(command, comments=True)[1:]
    ends = [place for place, word in enumerate(words) if word in SHELL_ENDS]
    words = words[: ends[0]] if ends else words
    return [PLACEHOLDERS.get(word, word) for word in words]


def parse(words: list[str], *, whole: bool) -> None:
    """Raise `TyperException` or `LookupError` where the command line does not take it.

    `whole` means that nothing may be missing; else only the names have to exist.
    """
    command = get_command(app)
    context = command.make_context("cronops", [], resilient_parsing=True)
    left = list(words)
    while left and not left[0].startswith("-") and hasattr(command, "list_commands"):
        found = command.get_command(context, left[0])
        if found is None:
            raise LookupError(f"no command {left[0]!r} in {' '.join(words)!r}")
        name = left.pop(0)
        context = found.make_context(name, [], parent=context, resilient_parsing=True)
        command = found
    known = {name for parameter in command.get_params(context) for name in parameter.opts}
    unknown = {word.partition("=")[0] for word in left if word.startswith("--")} - known
    if unknown:
        raise LookupError(f"no option {unknown} in {' '.join(words)!r}")
    if whole and "--help" not in left and not hasattr(command, "list_commands"):
        command.make_context(command.name, left, parent=context.parent)


def install(page: Path, site: Path) -> None:
    """The page's modules and entry points, laid out as an installer would."""
    sections: list[str] = []
    for text in [*blocks(page, "python"), *blocks(page, "toml")]:
        title = TITLED.match(text)
        if title and title["title"].endswith(".py"):
            module = site / title["title"]
            module.parent.mkdir(parents=True, exist_ok=True)
            module.write_text(text)
        elif title and title["title"] == "pyproject.toml":
            for group, entries in tomllib.loads(text)["project"]["entry-points"].items():
                sections += [f"[{group}]", *(f"{name} = {to}" for name, to in entries.items())]
    if sections:
        metadata = site / f"{page.stem.lower()}-1.0.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "entry_points.txt").write_text("\n".join(sections) + "\n")


@pytest.fixture
def packages_of_the_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for page in WRITTEN:
        install(page, tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))


def per_page(found_in: Callable[[Path], list[str]]) -> list[tuple[Path, str]]:
    found = [(page.relative_to(ROOT), one) for page in WRITTEN for one in found_in(page)]
    assert len(found) > 5, "the pages are written otherwise than this test reads them"
    return found


def test_every_link_leads_somewhere() -> None:
    broken = [(page.name, one) for page in PAGES for one in broken_links(page, prose(page))]

    assert broken == []


def test_every_page_is_linked_from_another() -> None:
    linked = {
        (page.parent / match["target"].partition("#")[0]).resolve()
        for page in PAGES
        for match in LINK.finditer(prose(page))
        if match["target"].partition("#")[0]
    }

    assert [page.name for page in PAGES if page not in linked and page.name != "README.md"] == []


@pytest.mark.usefixtures("packages_of_the_pages")
def test_every_command_that_is_typed_is_understood() -> None:
    wrong = []
    for page, command in per_page(typed_commands):
        try:
            parse(words_of(command), whole=True)
        except (TyperException, LookupError) as error:
            wrong.append(f"{page}: {command}: {error}")

    assert wrong == []


@pytest.mark.usefixtures("packages_of_the_pages")
def test_every_command_that_is_mentioned_exists() -> None:
    def mentioned(page: Path) -> list[str]:
        code = [one.replace("…", "").strip() for one in inline_code(page)]
        return [one for one in code if one.startswith("cronops ") and one != "cronops run TOKEN"]

    wrong = []
    for page, command in per_page(mentioned):
        try:
            parse(words_of(command), whole=False)
        except (TyperException, LookupError) as error:
            wrong.append(f"{page}: {command}: {error}")

    assert wrong == []


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.M))

    def mentioned(page: Path) -> list[str]:
        code = "\n".join([*inline_code(page), *blocks(page, "console")])
        return re.findall(r"^(?:\$ )?make ([a-z0-9-]+)", code, re.M)

    assert [one for one in per_page(mentioned) if one[1] not in targets] == []


def test_every_setting_exists() -> None:
    variables = {leaf.variable for leaf in leaves()}
    known = variables | {f"{variable}_FILE" for variable in variables} | NOT_SETTINGS

    def exists(name: str) -> bool:
        return name in known or (
            name.endswith("_") and any(variable.startswith(name) for variable in variables)
        )

    named = per_page(lambda page: SETTING.findall(page.read_text()))

    assert [(page, name) for page, name in named if not exists(name)] == []


def test_every_diagram_has_something_to_draw() -> None:
    diagrams = [(page.name, text) for page in WRITTEN for text in blocks(page, "mermaid")]

    assert len(diagrams) >= 3
    for page, text in diagrams:
        first, *lines = text.strip().splitlines()
        assert first.split()[0] in ("flowchart", "stateDiagram-v2", "sequenceDiagram"), page
        assert sum("--" in line for line in lines) >= 3, page


@pytest.mark.parametrize(
    "command",
    [
        "cronops queue proces",
        "cronops queue enqueue --payload {} --colour red",
        "cronops queue prioritize 4711",
        "cronops queue show first",
        "cronops queue process --concurrency many",
    ],
)
def test_a_wrong_command_is_noticed(command: str) -> None:
    with pytest.raises((TyperException, LookupError)):
        parse(words_of(command), whole=True)


@pytest.mark.parametrize("target", ["docs/nowhere.md", "README.md#no-such-heading", "#nor-this"])
def test_a_broken_link_is_noticed(target: str) -> None:
    assert list(broken_links(ROOT / "README.md", f"see [there]({target})")) != []
