"""Files as suppliers send them, at any size, the same for the same seed.

``python -m cronops.samples.suppliers --rows 1000 --directory DIR`` writes one of each dialect to
``DIR/ID/incoming``, and prints the commands that set the suppliers up. They match the articles of
`cronops.samples.articles`; a few rows are as bad as life.
"""

import argparse
import io
import random
import shlex
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from cronops.config import load_settings
from cronops.samples.articles import ean_of
from cronops.samples.tour import Step

COLUMNS = ("sku", "ean", "mpn", "qty", "price", "delivery_days")


@dataclass(frozen=True, slots=True)
class Offer:
    """One row, as texts; decimals have a point."""

    sku: str
    ean: str
    mpn: str
    qty: str
    price: str
    delivery_days: str


def offers(
    count: int, *, seed: int = 1, articles: int | None = None, bad_share: float = 0.01
) -> Iterator[Offer]:
    """Offers of the articles 1 to `articles` (as many as rows, by default).

    `bad_share` of them have something wrong: no quantity, a ruined EAN, an EAN and a part number
    of different articles.
    """
    known = articles or count
    for number in range(1, count + 1):
        dice = random.Random(seed * 1_000_003 + number)  # noqa: S311 - sample data
        article = (number - 1) % known + 1
        offer = {
            "sku": f"S{number:07d}",
            "ean": "" if article % 20 == 19 else ean_of(article),
            "mpn": "" if article % 15 == 14 else f"MPN-{article * 13:08d}",
            "qty": str(dice.randrange(0, 60)),
            "price": f"{dice.randrange(500, 40_000) / 100:.2f}",
            "delivery_days": str(dice.randrange(1, 8)),
        }
        if int(offer["qty"]) > 20:
            offer["qty"] = dice.choice((">20", "20+", offer["qty"], offer["qty"]))
        if dice.random() < bad_share:
            offer |= dice.choice(_MISTAKES)(offer, article, known)
        yield Offer(**offer)


_Mistake = Callable[[Mapping[str, str], int, int], dict[str, str]]
_MISTAKES: tuple[_Mistake, ...] = (
    lambda offer, article, known: {"qty": "call us"},  # noqa: ARG005
    lambda offer, article, known: {"ean": "4.00001E+12"},  # noqa: ARG005
    lambda offer, article, known: {"ean": offer["ean"][:-1] + "x"},  # noqa: ARG005
    lambda offer, article, known: {"qty": "-4"},  # noqa: ARG005
    # An EAN with an MPN of another article: one of them is wrong.
    lambda offer, article, known: {"mpn": f"MPN-{(article % known + 1) * 13:08d}"},  # noqa: ARG005
)


@dataclass(frozen=True)
class Dialect:
    """How one supplier writes its files."""

    supplier: int
    name: str
    file: str
    write: Callable[[Iterator[Offer]], Iterator[bytes]]
    setting: tuple[str, ...]
    """What `cronops suppliers set` is told of it."""


def _csv(
    delimiter: str, decimal: str, encoding: str, quote: str, header: tuple[str, ...]
) -> Callable[[Iterator[Offer]], Iterator[bytes]]:
    def write(rows: Iterator[Offer]) -> Iterator[bytes]:
        # A byte order mark stands at the beginning only.
        yield (delimiter.join(header) + "\r\n").encode(encoding)
        follows = encoding.removesuffix("-sig")
        for row in rows:
            cells = [getattr(row, name) for name in COLUMNS]
            cells[4] = cells[4].replace(".", decimal)
            line = delimiter.join(f"{quote}{cell}{quote}" for cell in cells)
            yield f"{line}\r\n".encode(follows)

    return write


def _xml(rows: Iterator[Offer]) -> Iterator[bytes]:
    yield b'<?xml version="1.0" encoding="utf-8"?>\n<stock>\n'
    for row in rows:
        yield (
            f'<item sku="{row.sku}"><ident ean="{row.ean}" mpn="{row.mpn}"/>'
            f"<total>{escape(row.qty)}</total><price>{row.price}</price>"
            f"<days>{row.delivery_days}</days></item>\n"
        ).encode()
    yield b"</stock>\n"


def _zip(rows: Iterator[Offer]) -> Iterator[bytes]:
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(zipfile.ZipInfo("stock.csv"), "w", force_zip64=True) as member,
    ):
        for chunk in _SEMICOLON(rows):
            member.write(chunk)
    yield packed.getvalue()


_GERMAN = ("ArtNr", "EAN", "MPN", "Bestand", "Preis", "Liefertage")
_ENGLISH = ("Item", "Barcode", "Part number", "Stock", "Net price", "Days")
_SEMICOLON = _csv(";", ",", "windows-1252", "", _GERMAN)


def _maps(names: tuple[str, ...]) -> tuple[str, ...]:
    pairs = zip(COLUMNS, names, strict=True)
    return tuple(word for field, name in pairs for word in ("--map", f"{field}={name}"))


DIALECTS = (
    Dialect(101, "Nord", "nord.csv", _SEMICOLON, ("--decimal", ",", *_maps(_GERMAN))),
    Dialect(
        102,
        "Wheels",
        "wheels.txt",
        _csv("\t", ".", "utf-8-sig", '"', _ENGLISH),
        ("--glob", "*.txt", "--delimiter", "tab", *_maps(_ENGLISH)),
    ),
    Dialect(
        103,
        "Markup",
        "stock.xml",
        _xml,
        (
            "--glob",
            "*.xml",
            "--format",
            "xml",
            "--row-tag",
            "item",
            *_maps(("@sku", "ident/@ean", "ident/@mpn", "total", "price", "days")),
        ),
    ),
    Dialect(
        104, "Packed", "stock.zip", _zip, ("--glob", "*.zip", "--decimal", ",", *_maps(_GERMAN))
    ),
)


def write_file(
    dialect: Dialect, directory: Path, count: int, *, seed: int = 1, bad_share: float = 0.01
) -> Path:
    """Write a supplier's file to its ``incoming`` below `directory`."""
    target = directory / str(dialect.supplier) / "incoming" / dialect.file
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        for chunk in dialect.write(offers(count, seed=seed, bad_share=bad_share)):
            file.write(chunk)
    return target


def set_command(dialect: Dialect) -> str:
    """The command that sets the supplier up."""
    words = ("suppliers", "set", str(dialect.supplier), "--name", dialect.name, *dialect.setting)
    return shlex.join(words)


def tour(rows: int = 1_000) -> Iterator[Step]:
    """The commands of a tour through supplier imports; the files it needs are written first."""
    root = load_settings().settings.suppliers.root
    nord, markup = DIALECTS[0], DIALECTS[2]
    for dialect in (nord, markup):
        write_file(dialect, root, rows)
    yield Step("Tell how a supplier writes its files: CSV with a decimal comma.", set_command(nord))
    yield Step("Another one sends XML.", set_command(markup))
    yield Step(
        "Import what they have sent: 1 % of the rows are bad, and listed beside the files.",
        "suppliers import-stock --all",
    )
    yield Step("What came of each file, and why rows were left out?", "suppliers files --limit=4")
    yield Step(
        "Some rows name two articles at once: a person has to say which.",
        "suppliers review list --supplier=101 --limit=3",
    )
    write_file(nord, root, rows)
    yield Step(
        "The same file comes once more: it is known by its content, and skipped.",
        "suppliers import-stock --supplier=101",
    )


def main() -> int:
    """Write the files that the arguments ask for."""
    parser = argparse.ArgumentParser(
        prog="python -m cronops.samples.suppliers", description=__doc__
    )
    parser.add_argument("--rows", type=int, default=1000, help="so many rows a file")
    parser.add_argument("--seed", type=int, default=1, help="others for another seed")
    parser.add_argument("--directory", type=Path, required=True, help="the suppliers' root")
    given = parser.parse_args()
    for dialect in DIALECTS:
        path = write_file(dialect, given.directory, given.rows, seed=given.seed)
        sys.stdout.write(f"# {path}\ncronops {set_command(dialect)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
