"""What every kind of transfer promises, kept by each of them against a real server."""

import os
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cronops.clients.transfer import Transfer, open_transfer
from cronops.config import Settings
from cronops.errors import BadInput, ConfigurationError, TransientError
from tests.partners import (
    CUT,
    SHORT,
    STALL,
    Trouble,
    client_settings,
    ftp_server,
    https_file_server,
    sftp_server,
)

NAMES = ["stock.csv", "Bestände vom 3. Mai.csv", "a'b (1);x.csv"]
LARGE = bytes(range(256)) * 1500
KINDS = ("directory", "sftp", "ftp", "ftps", "https")
SERVERS = ("sftp", "ftp", "ftps")


@dataclass
class Place:
    """One place of files, and how it is opened."""

    kind: str
    files: Path
    settings: Settings
    url: str
    root: Path
    server: Any = None

    def open(self, path: str = "", **options: Any) -> Transfer:
        options.setdefault("settings", self.settings)
        credential = "partner" if self.server is not None and self.server.credential else None
        return open_transfer(
            self.url + path,
            options.pop("settings"),
            root=self.root,
            credential=options.pop("credential", credential),
            **{"pause": lambda _: True, **options},
        )


Opener = Callable[..., AbstractContextManager[Place]]


@pytest.fixture
def place_of(tmp_path) -> Opener:
    """Opens a place of a kind, with options of its server and, as `limits`, of the clients."""

    @contextmanager
    def opener(kind: str, limits: dict[str, Any] | None = None, **options: Any) -> Iterator[Place]:
        files = tmp_path / "there"
        files.mkdir(exist_ok=True)
        limits = limits or {}
        with ExitStack() as stack:
            if kind == "directory":
                yield Place(kind, files, client_settings(**limits), "there", tmp_path)
                return
            server: Any
            if kind == "sftp":
                server = stack.enter_context(sftp_server(files, **options))
            elif kind == "https":
                server = stack.enter_context(https_file_server(files, **options))
                yield Place(
                    kind,
                    files,
                    client_settings(server, **limits),
                    f"{server.url}/",
                    tmp_path,
                    server,
                )
                return
            else:
                server = stack.enter_context(ftp_server(files, tls=kind == "ftps", **options))
            settings = client_settings(server, **limits)
            yield Place(kind, files, settings, server.url, tmp_path, server)

    return opener


@pytest.fixture(params=KINDS)
def place(request, place_of) -> Iterator[Place]:
    with place_of(request.param) as made:
        yield made


@pytest.fixture(params=[kind for kind in KINDS if kind != "https"])
def directory_place(request, place_of) -> Iterator[Place]:
    """Each kind that lists and moves."""
    with place_of(request.param) as made:
        yield made


def test_a_listing_tells_name_size_and_time_of_regular_files(directory_place):
    files = directory_place.files
    moment = datetime(2026, 5, 3, 4, 5, 6, tzinfo=UTC)
    for name in NAMES:
        (files / name).write_bytes(b"12345")
        os.utime(files / name, (moment.timestamp(), moment.timestamp()))
    for name in (".hidden.csv", "growing.csv.part", "other.tmp", "notes.txt"):
        (files / name).write_text("x")
    (files / "directory.csv").mkdir()

    with directory_place.open() as there:
        found = there.list("*.csv")

    assert [file.name for file in found] == sorted(NAMES)
    assert {(file.size, file.modified) for file in found} == {(5, moment)}


def test_an_empty_directory_lists_nothing(directory_place):
    with directory_place.open() as there:
        assert list(there.list()) == []


@pytest.mark.parametrize("content", [b"", b"x", LARGE], ids=["empty", "byte", "large"])
def test_a_download_is_the_file(place, tmp_path, content):
    target = tmp_path / "here" / "got.csv"
    target.parent.mkdir()
    target.write_text("what was here before")
    for name in NAMES:
        (place.files / name).write_bytes(content)

    with place.open() as there:
        for name in NAMES:
            got = there.download(name, target, limit=len(LARGE))
            assert (got.name, got.size) == (name, len(content))
            assert target.read_bytes() == content
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("content", [b"", LARGE], ids=["empty", "large"])
def test_an_upload_makes_the_file_or_replaces_it(place, tmp_path, content):
    source = tmp_path / "source"
    source.write_bytes(content)
    (place.files / NAMES[1]).write_text("old")

    with place.open() as there:
        for name in NAMES:
            there.upload(source, name)

    assert {file.name: file.read_bytes() for file in place.files.iterdir()} == dict.fromkeys(
        NAMES, content
    )


def test_readers_see_the_old_file_or_the_new_one_never_a_part(directory_place, tmp_path):
    sizes = {5, len(LARGE)}
    published = directory_place.files / "stock.csv"
    published.write_bytes(b"x" * 5)
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_bytes(b"x" * 5)
    new.write_bytes(LARGE)
    seen: set[int] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            seen.add(published.stat().st_size)

    reader = threading.Thread(target=watch)
    reader.start()
    try:
        with directory_place.open() as there:
            for _ in range(4):
                there.upload(new, "stock.csv")
                there.upload(old, "stock.csv")
    finally:
        done.set()
        reader.join()
    assert seen <= sizes


def test_a_move_makes_the_directory_and_overwrites_nothing(directory_place):
    files = directory_place.files
    with directory_place.open() as there:
        for number in range(3):
            (files / NAMES[1]).write_text(str(number))
            assert (
                there.move(NAMES[1], "backup/2026")
                == [
                    "Bestände vom 3. Mai.csv",
                    "Bestände vom 3. Mai.1.csv",
                    "Bestände vom 3. Mai.2.csv",
                ][number]
            )
        assert list(there.list()) == []
    kept = (files / "backup" / "2026").iterdir()
    assert {file.read_text() for file in kept} == {"0", "1", "2"}


def test_a_move_reaches_a_directory_beside_the_open_one(directory_place):
    (directory_place.files / "inbound").mkdir()
    (directory_place.files / "inbound" / "a.csv").write_text("a")
    path = "/inbound" if directory_place.kind == "directory" else "inbound"
    with directory_place.open(path) as there:
        assert there.move("a.csv", "../backup") == "a.csv"
    assert (directory_place.files / "backup" / "a.csv").read_text() == "a"


def test_what_is_gone_is_bad_input_that_names_it(directory_place, tmp_path):
    with directory_place.open() as there:
        with pytest.raises(BadInput, match=r"/gone\.csv: there is no such file"):
            there.download("gone.csv", tmp_path / "x", limit=1)
        with pytest.raises(BadInput, match=r"/gone\.csv: there is no such file"):
            there.move("gone.csv", "backup")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", ".hidden", "a\r\nDELE b", "a\0b", ""])
def test_hostile_names_go_nowhere(place, tmp_path, name):
    source = tmp_path / "source"
    source.write_text("x")
    with place.open() as there:
        for attempt in (
            lambda: there.download(name, tmp_path / "x", limit=1),
            lambda: there.upload(source, name),
            lambda: (
                there.move(name, "backup") if place.kind != "https" else there.upload(source, name)
            ),
        ):
            with pytest.raises(BadInput, match="no name of a file"):
                attempt()
    assert list(place.files.iterdir()) == []


def test_more_than_the_limit_is_refused_and_leaves_nothing(place, tmp_path):
    (place.files / "a.csv").write_bytes(LARGE)
    here = tmp_path / "here"
    here.mkdir()
    with place.open() as there:
        with pytest.raises(BadInput, match="larger than 1,000 bytes"):
            there.download("a.csv", here / "x", limit=1000)
        # The connection is as good as before.
        assert there.download("a.csv", here / "y", limit=len(LARGE)).size == len(LARGE)
    assert [file.name for file in here.iterdir()] == ["y"]


def test_memory_does_not_grow_with_the_file(directory_place, tmp_path):
    size = 12 << 20
    with (directory_place.files / "a.csv").open("wb") as file:
        file.truncate(size)
    tracemalloc.start()
    try:
        with directory_place.open() as there:
            there.download("a.csv", tmp_path / "got", limit=size)
            there.upload(tmp_path / "got", "b.csv")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Of the server as well, which is in this process.
    assert most < size / 2


@pytest.mark.parametrize("kind", ["directory", *SERVERS])
def test_a_directory_that_is_not_there_is_told_before_anything_is_done(place_of, kind):
    with place_of(kind) as place, pytest.raises(ConfigurationError, match=r"nowhere.*[Nn]o such"):
        place.open("/nowhere" if kind == "directory" else "nowhere").__enter__()


@pytest.mark.parametrize("kind", SERVERS)
@pytest.mark.parametrize("wrong", ["username", "password"])
def test_a_wrong_login_is_told_without_the_password(place_of, kind, wrong):
    with place_of(kind) as place:
        credential = {**place.server.credential, wrong: "hunter22"}
        settings = client_settings(
            ca_file=place.server.ca_file, credentials={"partner": credential}, attempts=3
        )
        with pytest.raises(ConfigurationError, match="the login was refused") as raised:
            place.open(settings=settings).__enter__()
    assert place.url.rstrip("/") in str(raised.value)
    assert "hunter22" not in str(raised.value)
    assert "pass word" not in str(raised.value)


@pytest.mark.parametrize("kind", SERVERS)
def test_a_credential_that_nobody_knows_is_told(place_of, kind):
    with place_of(kind) as place, pytest.raises(ConfigurationError, match="did you mean 'partner'"):
        place.open(credential="partnr")


@pytest.mark.parametrize("kind", ["ftps", "https"])
def test_a_certificate_of_an_unknown_authority_or_another_name_is_refused(place_of, kind):
    with place_of(kind) as place:
        known = {"credentials": {"partner": place.server.credential or {"token": "t"}}}
        with pytest.raises(ConfigurationError, match=r"not trusted: .*local issuer"):
            use(place.open(settings=client_settings(**known)))
    with (
        place_of(kind, hosts=("elsewhere.example",)) as place,
        pytest.raises(ConfigurationError, match=r"not trusted: .*not valid for"),
    ):
        use(place.open())


def take_all(transfer: Transfer, directory: Path, source: Path | None = None) -> None:
    """List, fetch each, and publish `source`."""
    with transfer as there:
        for file in there.list():
            there.download(file.name, directory / "got", limit=len(LARGE))
        if source is not None:
            there.upload(source, "b.csv")


def use(transfer: Transfer) -> None:
    with transfer as there:
        there.download("a.csv", Path("/nowhere"), limit=1)


@pytest.mark.parametrize("kind", SERVERS)
@pytest.mark.parametrize("point", ["connect", "login", "list", "download"])
def test_a_listing_and_a_download_survive_a_connection_that_is_cut(place_of, tmp_path, kind, point):
    waits: list[float] = []
    with place_of(kind, {"attempts": 2}, trouble=Trouble(point, CUT, times=1)) as place:
        (place.files / "a.csv").write_bytes(LARGE)
        with place.open(pause=lambda seconds: waits.append(seconds) or True) as there:
            assert [file.name for file in there.list()] == ["a.csv"]
            there.download("a.csv", tmp_path / "got", limit=len(LARGE))
    assert (tmp_path / "got").read_bytes() == LARGE
    assert len(waits) == 1


@pytest.mark.parametrize("kind", SERVERS)
@pytest.mark.parametrize("point", ["connect", "login", "list", "download"])
def test_a_connection_that_is_always_cut_is_transient_after_the_attempts(
    place_of, tmp_path, kind, point
):
    waits: list[float] = []
    (tmp_path / "here").mkdir()
    with place_of(kind, {"attempts": 3}, trouble=Trouble(point, CUT)) as place:
        (place.files / "a.csv").write_bytes(LARGE)
        with (
            pytest.raises(TransientError, match=place.url.rstrip("/")),
        ):
            take_all(
                place.open(pause=lambda seconds: waits.append(seconds) or True),
                tmp_path / "here",
            )
    assert len(waits) == 2
    assert list((tmp_path / "here").iterdir()) == []


@pytest.mark.parametrize("kind", SERVERS)
@pytest.mark.parametrize("point", ["upload", "rename"])
@pytest.mark.parametrize("old", [None, b"old"], ids=["new", "replaced"])
def test_an_upload_that_is_cut_leaves_old_or_new_and_the_next_one_works(
    place_of, tmp_path, kind, point, old
):
    source = tmp_path / "source"
    source.write_bytes(LARGE)
    with place_of(kind, trouble=Trouble(point, CUT, times=1)) as place:
        published = place.files / "stock.csv"
        if old is not None:
            published.write_bytes(old)
        with place.open() as there:
            with pytest.raises(TransientError, match=r"/stock\.csv: "):
                there.upload(source, "stock.csv")
            assert (published.read_bytes() if published.exists() else None) == old
            assert [file.name for file in there.list()] == ["stock.csv"] * (old is not None)
            there.upload(source, "stock.csv")
        assert published.read_bytes() == LARGE
        assert [file.name for file in place.files.iterdir()] == ["stock.csv"]


@pytest.mark.parametrize("kind", SERVERS)
def test_a_move_that_is_cut_leaves_the_file(place_of, kind):
    with place_of(kind, trouble=Trouble("rename", CUT, times=1)) as place:
        (place.files / "a.csv").write_text("a")
        with place.open() as there:
            with pytest.raises(TransientError):
                there.move("a.csv", "backup")
            assert there.move("a.csv", "backup") == "a.csv"
        assert (place.files / "backup" / "a.csv").read_text() == "a"


@pytest.mark.parametrize("kind", SERVERS)
def test_a_download_that_ends_early_as_if_complete_is_noticed(place_of, tmp_path, kind):
    with place_of(kind, trouble=Trouble("download", SHORT)) as place:
        (place.files / "a.csv").write_bytes(LARGE)
        with place.open() as there, pytest.raises(TransientError, match=r"/a\.csv"):
            there.download("a.csv", tmp_path / "got", limit=len(LARGE))
    assert not (tmp_path / "got").exists()


@pytest.mark.parametrize("kind", SERVERS)
def test_an_upload_that_the_server_drops_the_rest_of_is_not_published(place_of, tmp_path, kind):
    source = tmp_path / "source"
    source.write_bytes(LARGE)
    with place_of(kind, trouble=Trouble("upload", SHORT)) as place:
        (place.files / "a.csv").write_text("old")
        with (
            place.open() as there,
            pytest.raises(TransientError, match=r"/a\.csv: .* bytes arrived there where 384,000"),
        ):
            there.upload(source, "a.csv")
        assert {file.name: file.read_text() for file in place.files.iterdir()} == {"a.csv": "old"}


@pytest.mark.parametrize("kind", SERVERS)
def test_the_time_of_one_file_does_not_count_for_the_next(place_of, tmp_path, kind):
    waits: list[float] = []
    limits = {"total_timeout": "1s", "attempts": 2}
    with place_of(kind, limits) as place:
        (place.files / "a.csv").write_text("a")
        with place.open(pause=lambda seconds: waits.append(seconds) or True) as there:
            there.list()
            time.sleep(1.1)
            there.download("a.csv", tmp_path / "got", limit=1)
    assert waits == []


@pytest.mark.parametrize("kind", SERVERS)
@pytest.mark.parametrize("point", ["connect", "login", "list", "download", "upload", "rename"])
def test_a_server_that_falls_silent_is_given_up(place_of, tmp_path, kind, point):
    source = tmp_path / "source"
    source.write_bytes(LARGE)
    began = time.monotonic()
    limits = {"connect_timeout": "1s" if point == "connect" else "20s", "read_timeout": "1s"}
    with place_of(kind, limits, trouble=Trouble(point, STALL)) as place:
        (place.files / "a.csv").write_bytes(LARGE)
        with (
            pytest.raises(TransientError, match=r"silent for 1s|cut|no greeting within 1s"),
        ):
            take_all(place.open(), tmp_path, source)
        assert time.monotonic() - began < 15


@pytest.mark.parametrize("kind", SERVERS)
def test_what_takes_too_long_as_a_whole_is_given_up(place_of, tmp_path, kind):
    began = time.monotonic()
    limits = {"total_timeout": "1s", "read_timeout": "20s", "attempts": 3}
    with place_of(kind, limits, trouble=Trouble("download", STALL)) as place:
        (place.files / "a.csv").write_bytes(LARGE)
        with place.open() as there, pytest.raises(TransientError, match="not done within 1s"):
            there.download("a.csv", tmp_path / "got", limit=len(LARGE))
        assert time.monotonic() - began < 15
