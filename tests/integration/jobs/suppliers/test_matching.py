"""Which article a row is of; what is left to a person, and what that person said."""

from collections.abc import Callable

import pytest

from cronops.samples.articles import ean_of
from tests.integration.jobs.suppliers.conftest import Suppliers

EAN, OTHER_EAN = ean_of(900_001), ean_of(900_002)
ALL = {
    "sku": "Item",
    "qty": "Stock",
    "ean": "EAN",
    "mpn": "MPN",
    "article_number": "Nr",
    "tyre24_id": "T24",
    "topm_id": "TM",
}
HEADER = "Item;Stock;EAN;MPN;Nr;T24;TM\n"
AddArticle = Callable[..., int]


@pytest.fixture(autouse=True, params=["few", "many"])
def ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rows look up their articles, many are joined with all: the answer is the same."""
    if request.param == "many":
        monkeypatch.setattr("cronops.jobs.suppliers.merge._FEW", 0)


@pytest.fixture
def x(article: AddArticle) -> int:
    return article("X-1", ean=EAN, mpn="MPX-0001", tyre24_id="T-X", topm_id="TM-X")


@pytest.fixture
def y(article: AddArticle) -> int:
    return article("Y-1", ean=OTHER_EAN, mpn="MPY-0001", tyre24_id="T-Y", topm_id="TM-Y")


def reviews(suppliers: Suppliers) -> dict[str, tuple[str, str, int | None, list[int]]]:
    rows = suppliers.database.query(
        "SELECT sku, state, reason, article_id, candidates FROM supplier_match_review"
    )
    return {row[0]: row[1:] for row in rows}


def test_every_identifier_finds_its_article_and_what_finds_none_is_kept(
    suppliers: Suppliers, article: AddArticle, x: int
) -> None:
    suppliers.add(1, column_map=ALL)
    eight = article("E-8", ean="96385074")
    suppliers.arrive(
        1,
        "a.csv",
        f"by ean;1;{EAN};;;;",
        "by mpn;1;;MPX-0001;;;",
        "by number;1;;;X-1;;",
        "by tyre24;1;;;;T-X;",
        "by topm;1;;;;;TM-X",
        f"all agree;1;{EAN};MPX-0001;X-1;T-X;TM-X",
        f"only one is known;1;{OTHER_EAN};nobody's;X-1;;",
        "ean of eight;1;96385074;;;;",
        "ean with zeros;1;0000096385074;;;;",
        "none;1;;;;;",
        "unknown;1;;who knows;;;",
        header=HEADER,
    )

    suppliers.run("--supplier=1")

    found = suppliers.articles(1)
    assert {sku for sku, article in found.items() if article == x} == {
        "by ean",
        "by mpn",
        "by number",
        "by tyre24",
        "by topm",
        "all agree",
        "only one is known",
    }
    assert (found["ean of eight"], found["ean with zeros"]) == (eight, eight)
    assert (found["none"], found["unknown"]) == (None, None)
    assert reviews(suppliers) == {}


def test_what_is_not_certain_is_left_to_a_person(
    suppliers: Suppliers, article: AddArticle, x: int, y: int
) -> None:
    suppliers.add(1, column_map=ALL)
    twins = [article(f"TWIN-{n}", mpn="TWIN-0001") for n in (1, 2)]
    short = article("S-1", mpn="R16")
    suppliers.arrive(
        1,
        "a.csv",
        f"conflict;1;{EAN};MPY-0001;;;",
        f"late conflict;1;{EAN};MPX-0001;;;TM-Y",
        "ambiguous;1;;TWIN-0001;;;",
        "short;1;;R16;;;",
        header=HEADER,
    )

    done = suppliers.run("--supplier=1")

    assert suppliers.articles(1) == dict.fromkeys(
        ("ambiguous", "conflict", "late conflict", "short")
    )
    assert done.counts["review"] == 4
    assert reviews(suppliers) == {
        "conflict": ("open", "ean_against_mpn", x, [x, y]),
        "late conflict": ("open", "ean_against_topm_id", x, [x, y]),
        "ambiguous": ("open", "mpn_ambiguous", twins[0], twins),
        "short": ("open", "short_mpn", short, [short]),
    }


def test_an_accepted_match_holds_at_once_and_in_later_imports(
    suppliers: Suppliers, x: int, y: int
) -> None:
    suppliers.add(1, column_map=ALL)
    row = f"A1;5;{EAN};MPY-0001;;;"
    suppliers.arrive(1, "a.csv", row, header=HEADER)
    suppliers.run("--supplier=1")

    unclear = suppliers.cli("suppliers", "review", "accept", "--supplier=1", "A1")
    assert unclear.returncode == 64
    assert f"--article: {x}, {y}" in unclear.stderr
    done = suppliers.cli(
        "suppliers", "review", "accept", "--supplier=1", "A1", f"--article={y}", "--reason=asked"
    )

    assert done.returncode == 0, done.stderr
    assert suppliers.articles(1) == {"A1": y}
    suppliers.arrive(1, "b.csv", row.replace(";5;", ";6;"), header=HEADER)
    suppliers.run("--supplier=1")
    assert suppliers.articles(1) == {"A1": y}
    assert suppliers.stock(1) == {"A1": 6}
    assert reviews(suppliers)["A1"][0] == "accepted"
    assert suppliers.database.query(
        "SELECT subject, reason, details FROM audit WHERE action = 'suppliers review accept'"
    ) == [("1 A1", "asked", {"article_id": y})]


def test_a_rejected_match_is_not_asked_again_unless_it_is_another(
    suppliers: Suppliers, x: int, y: int
) -> None:
    suppliers.add(1, column_map=ALL)
    suppliers.arrive(1, "a.csv", f"A1;5;{EAN};MPY-0001;;;", header=HEADER)
    suppliers.run("--supplier=1")
    done = suppliers.cli("suppliers", "review", "reject", "--supplier=1", "A1")
    assert done.returncode == 0, done.stderr

    suppliers.arrive(1, "b.csv", f"A1;6;{EAN};MPY-0001;;;", header=HEADER)
    assert suppliers.run("--supplier=1").counts["review"] == 0
    assert reviews(suppliers)["A1"][0] == "rejected"

    suppliers.arrive(1, "c.csv", f"A1;6;{OTHER_EAN};MPX-0001;;;", header=HEADER)
    assert suppliers.run("--supplier=1").counts["review"] == 1
    assert reviews(suppliers)["A1"] == ("open", "ean_against_mpn", y, [x, y])
    assert suppliers.articles(1) == {"A1": None}


def test_a_question_that_is_open_is_not_asked_twice(suppliers: Suppliers, x: int, y: int) -> None:
    suppliers.add(1, column_map=ALL)
    for name in ("a.csv", "b.csv"):
        suppliers.arrive(
            1, name, f"A1;{len(name)};{EAN};MPY-0001;;;", f"{name};1;;;;;", header=HEADER
        )
        done = suppliers.run("--supplier=1")

    assert done.counts["review"] == 0


def test_an_article_that_comes_later_is_found_by_rows_that_did_not_change(
    suppliers: Suppliers, article: AddArticle
) -> None:
    suppliers.add(1, column_map=ALL)
    suppliers.arrive(1, "a.csv", f"A1;5;{EAN};;;;", header=HEADER)
    suppliers.run("--supplier=1")
    assert suppliers.articles(1) == {"A1": None}
    made = article("LATE", ean=EAN)

    suppliers.run("--supplier=1", "--update-anyway")

    assert suppliers.articles(1) == {"A1": made}
