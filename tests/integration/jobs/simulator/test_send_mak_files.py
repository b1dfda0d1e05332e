"""``cronops simulator send-mak-files``: what is sent, and what the other end sees meanwhile."""

import json
from typing import Any

import pytest
from pyftpdlib.handlers import FTPHandler

from tests.integration.jobs.simulator.conftest import FILES, JOB, Mak
from tests.partners import CUT, Trouble, ftp_server, sftp_server
from tests.stepping import run_to_step


def server_of(kind: str, mak: Mak, **options: Any) -> Any:
    """One of the kinds of server, over the directory that is MAK's."""
    if kind == "sftp":
        return sftp_server(mak.there, **options)
    return ftp_server(mak.there, tls=kind == "ftps", **options)


@pytest.mark.parametrize("kind", ["sftp", "ftps", "ftp"])
def test_a_set_arrives_whole_and_is_not_sent_again(mak: Mak, kind: str) -> None:
    with server_of(kind, mak) as server:
        mak.goes_to(server)
        done = mak.send()
        manifest = mak.check_is_whole()
        assert [file["rows"] for file in manifest["files"]] == [9, 18, 54]
        assert "9 vehicles, 18 wheels, 54 fitments, 1 delivered" in done.stdout
        assert "1 unchanged" in mak.send().stdout
        assert mak.states() == ["delivered"]
        assert "1 delivered" in mak.send("--force").stdout
        assert mak.manifest() == {**manifest, "created_at": mak.manifest()["created_at"]}  # type: ignore[index]
        mak.change()
        mak.send()
        assert mak.check_is_whole()["set"] != manifest["set"]
    assert sorted(path.name for path in mak.there.iterdir()) == sorted([*FILES, "manifest.json"])
    for text in (done.stdout, done.stderr):
        assert "pass word" not in text


def test_what_the_files_say(mak: Mak) -> None:
    mak.send()
    heading, first, *_ = (mak.there / "vehicles.csv").read_text().splitlines()
    assert heading == "vehicle_id;make;model;generation;variant;built_from;built_until"
    assert first == "1;Borealis;Model 0;G1;1.4;2001;2005"
    heading, *_ = (mak.there / "wheels.csv").read_text().splitlines()
    assert heading == "article_number;ean;brand;diameter;width;pcd;centre_bore;wheel_offset"
    tyres = [one for one in (mak.there / "fitments.csv").read_text().splitlines() if "tyre;" in one]
    assert tyres[0] == "1;tyre;both;1;195;65;15;;;;;;;manual"

    mak.database.query("UPDATE vehicle SET active = false WHERE id = 1")
    mak.database.query("UPDATE vehicle SET model = 'Ü;\"x\"\ny' WHERE id = 2")
    mak.database.query("UPDATE fitment SET wheel_width = 7.5 WHERE product_type = 'wheel'")
    mak.send(
        env={
            "CRONOPS_SIMULATOR__DECIMAL_MARK": ",",
            "CRONOPS_SIMULATOR__ENCODING": "windows-1252",
            "CRONOPS_SIMULATOR__DELIMITER": ",",
        }
    )
    vehicles = (mak.there / "vehicles.csv").read_bytes().decode("windows-1252")
    assert '2,Corona,"Ü;""x""\ny",' in vehicles
    assert not any(line.startswith("1,") for line in vehicles.splitlines())
    fitments = (mak.there / "fitments.csv").read_text()
    assert not any(line.startswith("1,") for line in fitments.splitlines())
    assert ',"7,5",5x112,"57,1",' in fitments


def test_a_character_that_the_encoding_lacks(mak: Mak) -> None:
    mak.database.query("UPDATE vehicle SET model = '型' WHERE id = 2")
    refused = mak.send(env={"CRONOPS_SIMULATOR__ENCODING": "iso-8859-1"}, code=65)
    assert "CRONOPS_SIMULATOR__ENCODING" in refused.stderr
    assert list(mak.there.iterdir()) == []


@pytest.mark.parametrize(
    ("emptied", "file"),
    [
        ("UPDATE vehicle SET active = false", "vehicles.csv, fitments.csv"),
        ("DELETE FROM fitment", "fitments.csv"),
        ("UPDATE article SET is_active = false", "wheels.csv"),
    ],
)
def test_nothing_is_sent_where_a_file_would_be_empty(mak: Mak, emptied: str, file: str) -> None:
    mak.database.query(emptied)
    refused = mak.send("--force", "--accept-drop", code=65)
    assert f"{file} would have no rows" in refused.stderr
    assert list(mak.there.iterdir()) == []


def test_a_sudden_drop_wants_a_person(mak: Mak) -> None:
    mak.send()
    before = mak.manifest()
    mak.database.query("UPDATE vehicle SET active = false WHERE id > 4")
    refused = mak.send("--force", code=1)
    assert "4 rows, and MAK has 9" in refused.stderr
    assert mak.manifest() == before
    mak.send(env={"CRONOPS_SIMULATOR__MAX_DROP_PCT": "60"})
    mak.database.query("UPDATE vehicle SET active = false WHERE id > 1")
    mak.send(code=1)
    mak.send("--accept-drop")
    assert mak.check_is_whole()["files"][0]["rows"] == 1


def test_a_dry_run_sends_and_records_nothing(mak: Mak) -> None:
    done = mak.send("--dry-run")
    assert "dry run: nothing was sent or recorded" in done.stderr + done.stdout
    assert "9 vehicles" in done.stdout
    assert list(mak.there.iterdir()) == []
    assert mak.states() == []


@pytest.mark.parametrize(
    ("kind", "at"),
    [
        *(("sftp", at) for at in ("connect", "login", "list", "upload", "rename")),
        *((kind, at) for kind in ("ftps", "ftp") for at in ("upload", "rename")),
    ],
)
def test_a_connection_that_is_cut_leaves_no_mix_behind_a_manifest(
    mak: Mak, kind: str, at: str
) -> None:
    """The second file is cut, of a set that replaces another; then all goes well again."""
    mak.send()
    mak.change()
    # Of uploads and renames the announcement and the first file go through.
    trouble = Trouble(at, CUT, after=0)
    lets_through = 2 if at in ("upload", "rename") else 0
    strikes = trouble.strikes

    def later(point: str, moved: int = 0) -> bool:
        nonlocal lets_through
        if point == at and lets_through > 0 and (at == "rename" or moved == 0):
            lets_through -= 1
            return False
        return strikes(point, moved)

    trouble.strikes = later  # type: ignore[method-assign]
    with server_of(kind, mak, trouble=trouble) as server:
        mak.goes_to(server, total_timeout="20s", read_timeout="3s", connect_timeout="3s")
        failed = mak.send("--wait", "1s", code=1)
        assert "pass word" not in failed.stderr + failed.stdout
        manifest = mak.manifest()
        assert manifest is not None
        if manifest["complete"]:
            mak.check_is_whole()
        assert mak.states()[-1] == "failed"
        trouble.times = 0
        mak.send()
        mak.check_is_whole()
    assert mak.states()[-1] == "delivered"


def test_a_first_set_that_is_cut_has_no_manifest(mak: Mak) -> None:
    trouble = Trouble("rename", CUT)
    with sftp_server(mak.there, trouble=trouble) as server:
        mak.goes_to(server)
        mak.send(code=1)
        assert mak.manifest() is None
        assert not [path for path in mak.there.iterdir() if path.name in FILES]


def test_who_the_other_end_is_has_to_be_known(mak: Mak) -> None:
    with sftp_server(mak.there) as server:
        mak.goes_to(server)
        known = json.loads(mak.env["CRONOPS_CLIENTS__CREDENTIALS"])
        known["partner"]["host_key"] = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43
        assert (
            "host"
            in mak.send(env={"CRONOPS_CLIENTS__CREDENTIALS": json.dumps(known)}, code=78).stderr
        )
    with ftp_server(mak.there, tls=True, hosts=("other.example.com",)) as server:
        mak.goes_to(server)
        assert "not trusted" in mak.send(code=78).stderr
    assert list(mak.there.iterdir()) == []


@pytest.mark.parametrize(
    ("destination", "said"),
    [
        ("", "CRONOPS_SIMULATOR__DESTINATION"),
        ("ftp://user:secret@mak.example.com/", "inside the URL is refused"),
        ("gopher://mak.example.com/", "not known here"),
        ("../elsewhere", "lies outside of"),
    ],
)
def test_a_destination_that_is_none(mak: Mak, destination: str, said: str) -> None:
    refused = mak.send(env={"CRONOPS_SIMULATOR__DESTINATION": destination}, code=78)
    assert said in refused.stderr
    assert "secret" not in refused.stderr.replace("secret file", "")


STEPS = [
    "generate",
    "record",
    "announce",
    "upload",
    "upload",
    "upload",
    "publish",
    "confirm",
]


def test_a_run_killed_at_any_step(mak: Mak, tmp_path) -> None:
    mak.send()
    whole = mak.check_is_whole()["set"]
    for number in range(1, len(STEPS) + 1):
        mak.change()
        steps = run_to_step(mak.database, tmp_path, number, *JOB, env=mak.env)
        assert steps == STEPS[:number]
        manifest = mak.manifest()
        assert manifest is not None
        if manifest["complete"]:
            # Before the announcement it is the old set, after publishing the new one.
            assert mak.check_is_whole()["set"] == whole or STEPS[number - 1] == "confirm"
        run_to_step(mak.database, tmp_path, 0, *JOB, "--wait", "10s", env=mak.env)
        whole = mak.check_is_whole()["set"]
        assert mak.states()[-1] == "delivered"


def test_the_sets_are_listed(mak: Mak) -> None:
    mak.send()
    listed = mak.cli("simulator", "sets", "--json", env=mak.env)
    [row] = json.loads(listed.stdout)
    assert row["set"] == mak.check_is_whole()["set"]
    assert row["state"] == "delivered"


def test_a_reply_that_repeats_the_password_is_not_recorded(
    mak: Mak, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        FTPHandler, "ftp_PASS", lambda self, line: self.respond(f"530 {line} is wrong.")
    )
    with ftp_server(mak.there, password="Tiger-4711") as server:
        mak.goes_to(server)
        told = mak.send(code=78)
    recorded = mak.database.query("SELECT problem FROM mak_set")
    assert "is wrong" in recorded[0][0]
    assert "Tiger" not in str(recorded) + told.stderr + told.stdout
