"""The reference pages say what the code says, and nothing is left undescribed."""

from cronops.config import leaves
from docs.generate import all_commands, differences


def test_the_generated_pages_are_up_to_date() -> None:
    assert list(differences()) == [], "run: make docs"


def test_every_command_says_what_it_does() -> None:
    undescribed = []
    for path, text, _ in all_commands():
        usage, _, rest = text.partition("\n\n")
        assert usage.startswith(f"Usage: {path}")
        if not rest.split("\n\n", 1)[0].strip().endswith("."):
            undescribed.append(path)

    assert undescribed == []


def test_every_option_says_what_it_does() -> None:
    undescribed = [
        (path, line.strip())
        for path, text, _ in all_commands()
        for line, following in zip(text.splitlines(), [*text.splitlines()[1:], ""], strict=True)
        if line.startswith("  --")
        and "  " not in line.strip()
        and not following.startswith(" " * 8)
    ]

    assert undescribed == []


def test_every_setting_is_described() -> None:
    assert [leaf.key for leaf in leaves() if not leaf.setting.description] == []
