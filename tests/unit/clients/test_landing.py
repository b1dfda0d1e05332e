"""A file that arrives is there as a whole, or not."""

import pytest

from cronops.clients.landing import landing, temporary_name
from cronops.clients.patience import Deadline
from cronops.config import Settings
from cronops.errors import BadInput, ConfigurationError, TransientError


def arrive(target, *blocks: bytes, limit: int = 100, size: int | None = None) -> None:
    deadline = Deadline(Settings().clients.total_timeout, "a.csv")
    with landing(target, limit=limit, origin="sftp://h/a.csv", deadline=deadline) as arriving:
        assert not target.exists()
        for block in blocks:
            arriving.take(block)
        arriving.expect(size)


def test_it_is_there_when_the_block_ends(tmp_path):
    arrive(tmp_path / "a.csv", b"one", b"two", size=6)
    assert [file.name for file in tmp_path.iterdir()] == ["a.csv"]
    assert (tmp_path / "a.csv").read_bytes() == b"onetwo"


@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({"limit": 5}, BadInput, "sftp://h/a.csv is larger than 5 bytes"),
        ({"size": 7}, TransientError, "6 bytes came where there should be 7"),
    ],
)
def test_it_is_not_there_where_something_was_wrong(tmp_path, options, kind, said):
    with pytest.raises(kind, match=said):
        arrive(tmp_path / "a.csv", b"one", b"two", **options)
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_missing_is_told(tmp_path):
    with pytest.raises(ConfigurationError, match=r"cannot write .*No such file"):
        arrive(tmp_path / "missing" / "a.csv", b"x")


def test_a_temporary_name_is_hidden_the_same_each_time_and_short_enough():
    assert temporary_name("a.csv") == ".a.csv.part"
    long = "ü" * 127
    assert temporary_name(long) == temporary_name(long) != temporary_name(long + "x")
    assert len(temporary_name(long).encode()) <= 255
