"""ZIPs of strangers."""

import io
import zipfile
from pathlib import Path

import pytest

from cronops.errors import BadInput
from cronops.jobs.suppliers.archive import parts_of

CONTENT = b"Item;Stock\nA1;5\n"


def packed(path: Path, *members: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def read(path: Path, glob: str = "*") -> dict[str, bytes]:
    with parts_of(path, glob) as parts:
        found = {}
        for part in parts:
            with part.open() as stream:
                found[part.name] = stream.read()
        return found


def read_at_most(path: Path, limit: int) -> int:
    """How much came out before it was refused."""
    taken = 0
    try:
        with parts_of(path, "*") as parts, parts[0].open() as stream:
            while taken < limit and (block := stream.read(65536)):
                taken += len(block)
    except BadInput:
        return taken
    raise AssertionError(f"{taken:,} bytes came, and nobody refused")


def test_a_plain_file_is_its_own_part(tmp_path: Path) -> None:
    path = tmp_path / "stock.csv"
    path.write_bytes(CONTENT)

    assert read(path) == {"stock.csv": CONTENT}


def test_members_come_in_the_order_of_their_names_and_only_those_wanted(tmp_path: Path) -> None:
    path = packed(
        tmp_path / "stock.zip", ("b.csv", b"2"), ("readme.txt", b"x"), ("a.csv", b"1"), ("d/", b"")
    )

    assert list(read(path, "*.csv").items()) == [
        ("stock.zip/a.csv", b"1"),
        ("stock.zip/b.csv", b"2"),
    ]


@pytest.mark.parametrize(
    "name", ["../up.csv", "a/../../up.csv", "/etc/up.csv", "C:\\up.csv", "..\\up.csv"]
)
def test_a_name_that_leads_outside_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match="leads outside"):
        read(packed(tmp_path / "stock.zip", ("ok.csv", CONTENT), (name, CONTENT)))


def test_a_link_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.csv")
    link.external_attr = 0o120777 << 16

    with pytest.raises(BadInput, match="no regular file"):
        read(packed(tmp_path / "stock.zip", (link, b"/etc/passwd")))


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = packed(tmp_path / "stock.zip", ("stock.csv", b"0" * 40_000_000))
    assert path.stat().st_size < 100_000

    with pytest.raises(BadInput, match="no stock file"):
        read(path)


def test_a_bomb_that_lies_about_its_size_is_stopped(tmp_path: Path) -> None:
    path = packed(tmp_path / "stock.zip", ("stock.csv", b"0" * 40_000_000))
    size = (40_000_000).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(size, (1000).to_bytes(4, "little")))

    assert read_at_most(path, 20_000_000) < 20_000_000


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "stock.zip", ("stock.csv", CONTENT))
    data = bytearray(path.read_bytes())
    data[6] |= 1  # the flag in the member's own header, and in the directory
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)

    with pytest.raises(BadInput, match="encrypted"):
        read(path)


def test_no_member_that_fits(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no member that fits '\*\.csv'"):
        read(packed(tmp_path / "stock.zip", ("a.txt", b"1")), "*.csv")


@pytest.mark.parametrize("cut", [10, 60])
def test_a_part_of_a_zip_is_refused(tmp_path: Path, cut: int) -> None:
    path = packed(tmp_path / "stock.zip", ("stock.csv", CONTENT * 20))
    path.write_bytes(path.read_bytes()[:-cut])

    with pytest.raises(BadInput, match="no whole ZIP"):
        read(path)


def test_a_damaged_member_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "stock.zip", ("stock.csv", CONTENT * 2000))
    data = bytearray(path.read_bytes())
    data[60] ^= 0xFF
    path.write_bytes(data)

    with pytest.raises(BadInput, match=r"unpacked|no whole ZIP"):
        read(path)


def test_too_many_members(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(1_001):
            archive.writestr(f"{number}.csv", b"")
    path = tmp_path / "stock.zip"
    path.write_bytes(buffer.getvalue())

    with pytest.raises(BadInput, match="1,001 members"):
        read(path)


def test_overlapping_members_do_not_raise_what_may_come_out(tmp_path: Path) -> None:
    path = packed(tmp_path / "stock.zip", ("a.csv", b"0" * 11 * 1024**2))
    with zipfile.ZipFile(path) as archive:
        directory = archive.start_dir
    content = bytearray(path.read_bytes())
    # The member says that it is packed to 200 MB, in a file of some kilobytes.
    content[directory + 20 : directory + 24] = (200 * 1024**2).to_bytes(4, "little")
    path.write_bytes(content)

    with pytest.raises(BadInput, match="unpacks to more than"):
        read(path)


def test_a_name_that_steers_a_terminal_is_shown_harmless(tmp_path: Path) -> None:
    path = packed(tmp_path / "stock.zip", ("a\x1b[31m\n.csv", CONTENT))

    assert list(read(path)) == ["stock.zip/a\\x1b[31m\\n.csv"]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_would_unpack_without_bounds_is_refused(tmp_path: Path, method: int) -> None:
    path = tmp_path / "stock.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a.csv", CONTENT)

    with pytest.raises(BadInput, match=f"packed by method {method}"):
        read(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_whatever_byte_is_damaged_nothing_but_a_refusal_comes_of_it(
    tmp_path: Path, method: int
) -> None:
    path = tmp_path / "stock.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("\u00e4.csv", CONTENT * 9)
    whole = path.read_bytes()
    refused = 0

    for place in range(2, len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            read(path)
        except BadInput:
            refused += 1

    assert refused > len(whole) / 2
