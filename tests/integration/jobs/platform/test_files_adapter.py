"""Files that change under the reader's hands, at the adapter itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cronops.config import Settings
from cronops.jobs.platform.adapters.files import FilesAdapter
from cronops.jobs.platform.adapters.protocol import Place
from cronops.jobs.platform.adapters.table import Caller, adapter_for
from cronops.jobs.platform.platforms import Platform
from cronops.samples.orders import as_opentrans, orders

WHOLE = as_opentrans(next(orders(1)))


@pytest.fixture
def inbound(tmp_path: Path) -> Path:
    directory = tmp_path / "inbound"
    directory.mkdir()
    (directory / "a.xml").write_bytes(WHOLE[:200])
    (directory / "b.xml").write_bytes(WHOLE)
    return directory


@pytest.fixture
def adapter(inbound: Path) -> Iterator[FilesAdapter]:
    settings = Settings(platform={"root": inbound.parent})
    platform = Platform(
        1, "check24", "Check24", "files", {"location": "inbound"}, None, None, True, {}
    )
    made = adapter_for(platform, Caller(settings, "c", lambda _: True))
    assert isinstance(made, FilesAdapter)
    yield made
    made.close()


def test_a_file_that_is_appended_to_after_it_was_listed_is_not_taken(
    adapter: FilesAdapter, inbound: Path
) -> None:
    place = adapter.open({})
    assert place == Place(1, "a.xml")
    with (inbound / "a.xml").open("ab") as file:
        file.write(WHOLE[200:])

    assert adapter.fetch(place) is None
    assert list(adapter.waiting()) == ["a.xml changed, or went, while it was read"]


def test_a_file_that_somebody_else_takes_away_is_no_error(
    adapter: FilesAdapter, inbound: Path
) -> None:
    place = adapter.open({})
    assert place is not None
    (inbound / "a.xml").unlink()

    assert adapter.fetch(place) is None


def test_the_others_are_fetched_whole_and_moved(adapter: FilesAdapter, inbound: Path) -> None:
    adapter.open({})
    fetched = adapter.fetch(Place(2, "b.xml"))

    assert fetched is not None
    assert fetched.content == WHOLE
    assert [order.external_id for order in adapter.read(fetched).orders] == ["ORD-000001"]
    adapter.file_away("b.xml", rejected=False)
    assert (inbound / "backup" / "b.xml").read_bytes() == WHOLE


def test_a_file_that_was_replaced_after_it_was_read_is_not_moved_unread(
    adapter: FilesAdapter, inbound: Path
) -> None:
    adapter.open({})
    adapter.fetch(Place(2, "b.xml"))
    newer = as_opentrans(next(orders(1, first=2)))
    (inbound / "b.xml").write_bytes(newer)

    adapter.file_away("b.xml", rejected=False)

    assert (inbound / "b.xml").read_bytes() == newer
    assert list(adapter.waiting()) == ["b.xml changed, or went, while it was read"]
