"""`cronops schedules`, as it is typed: what it prints, how it ends, and what it never does."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from cronops.cli.declared import InstalledJobs
from cronops.cli.failure import run
from cronops.jobs import JOBS
from cronops.schedules.validate import Report, validate
from tests.databases import clean_environment

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "schedules.yaml"
HEAVY = {"sqlalchemy", "psycopg", "kubernetes", "alembic", "rich", "httpx", "apprise", "tenacity"}
# What stands in for the digest until the first image is pushed.
NO_DIGEST_YET = "image-digest"


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Type = Callable[..., Done]


@pytest.fixture
def typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Type:
    """Run ``cronops schedules …`` in a directory that holds a copy of the committed file."""
    shutil.copy(COMMITTED, tmp_path)
    monkeypatch.chdir(tmp_path)

    def type_(*words: str) -> Done:
        code = run(["schedules", *words])
        sys.stdout.flush()
        done = Done(int(code), *capfd.readouterr())
        assert "Traceback" not in done.err
        assert "defect" not in done.err
        return done

    return type_


def change(**entry: Any) -> None:
    """Say something else of the second schedule, in the file of the current directory."""
    document = yaml.safe_load(Path("schedules.yaml").read_text())
    document["schedules"][1].update(entry)
    Path("schedules.yaml").write_text(yaml.safe_dump(document, sort_keys=False))


# --- the committed file ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def committed() -> Report:
    text = COMMITTED.read_bytes()
    return validate(text, InstalledJobs(), today=datetime.now(UTC).date())


def test_the_committed_file_is_valid(committed: Report) -> None:
    told = [
        f"{finding.position.line}: {finding.rule}: {finding.message}"
        for finding in committed.findings
        if finding.severity != "note"
        and finding.waived is None
        and not ("placeholder" in finding.message and finding.rule == NO_DIGEST_YET)
    ]

    assert told == []
    assert committed.is_valid


def test_every_job_has_its_entry_and_every_entry_its_job(committed: Report) -> None:
    jobs = InstalledJobs()
    document = committed.document
    assert document is not None
    scheduled = {jobs.read(entry.command).job for entry in document.schedules}
    requests = {request for one in document.unscheduled for request in one.cr.split(", ")}
    excused = {name for name, entry in JOBS.items() if entry.cr in requests}

    assert scheduled | excused == set(JOBS)
    for entry in document.schedules:
        assert entry.cr in jobs.read(entry.command).crs


# --- validate ----------------------------------------------------------------------------------


def test_validate_lists_what_it_finds_and_counts_it(typed: Type) -> None:
    done = typed("validate")

    assert done.code == 0
    assert re.search(r"^schedules\.yaml:\d+:\d+: note provisional: queue-clean: ", done.out, re.M)
    assert re.search(
        r"^\d+ schedules in 3 environments: no error, .*\d+ provisional\Z", done.out.rstrip(), re.M
    )


def test_an_error_is_told_with_its_place_and_what_to_write(typed: Type) -> None:
    change(schedule="0 0 * * 7", command="queue clena", timeZone="Europe/Brusels")
    done = typed("validate", "--json")

    assert done.code == 65
    assert not done.json["valid"]
    lines = Path("schedules.yaml").read_text().splitlines()
    found = {finding["rule"]: finding for finding in done.json["findings"]}
    for rule, text in (
        ("cron-syntax", "0 0 * * 7"),
        ("command-unknown", "queue clena"),
        ("time-zone", "Europe/Brusels"),
    ):
        assert text in lines[found[rule]["line"] - 1]
        assert lines[found[rule]["line"] - 1][found[rule]["column"] - 1 :].strip()
        assert found[rule]["instead"]
        assert found[rule]["schedule"] == "queue-clean"
    assert found["command-unknown"]["environments"] == ["development", "staging", "production"]


def test_github_is_told_in_its_own_way(typed: Type, monkeypatch: pytest.MonkeyPatch) -> None:
    change(command="queue clena", description="100% : , \n")
    asked = typed("validate", "--github")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")

    assert typed("validate") == asked
    [line] = [one for one in asked.out.splitlines() if one.startswith("::error ")]
    assert re.match(
        r"::error file=schedules\.yaml,line=\d+,col=\d+,title=command-unknown::queue-clean: ", line
    )
    assert "%0A" in line
    assert typed("validate", "--json").json["errors"] == 1


def test_a_value_of_any_length_is_told_by_its_beginning(typed: Type) -> None:
    change(cr="CR-\x1b[31m\r\n::error::" + "9" * 1_000_000)
    for words in ([], ["--github"]):
        done = typed("validate", *words)
        assert "cr-unknown" in done.out
        assert len(done.out) < 20_000
        assert "\x1b" not in done.out
        assert not re.search("^::error::", done.out, re.MULTILINE)
    assert len(typed("validate", "--json").out) > 1_000_000


def test_warnings_fail_only_where_that_is_asked(typed: Type) -> None:
    change(suspend={"until": "2020-01-01", "by": "ada", "why": "the summer of 2019"})

    assert typed("validate").code == 0
    assert typed("validate", "--strict").code == 65


def test_one_environment_can_be_checked_alone(typed: Type) -> None:
    change(environments={"staging": {"timeZone": "Mars/Olympus"}})

    assert typed("validate", "--env", "production").code == 0
    assert "time-zone" in typed("validate", "--env", "staging").out
    done = typed("validate", "--env", "stagin")
    assert done.code == 65
    assert "did you mean 'staging'" in done.out


HOSTILE = {
    "empty": b"",
    "blank": b"\n \n",
    "binary": bytes(range(256)) * 20,
    "large": b"a" * (50 << 20),
    "tabs": b"version: 1\nschedules:\n\t- name: a\n",
    "twice": b"version: 1\nversion: 1\n",
    "deep": b"[" * 100_000,
    "bomb": b"a: &a [x,x,x,x,x,x,x,x,x,x]\n"
    + b"".join(
        b"%c: &%c [%s]\n" % (one + 1, one + 1, b",".join([b"*%c" % one] * 10))
        for one in range(ord("a"), ord("j"))
    ),
    "documents": b"version: 1\n---\nversion: 1\n",
    "list": b"- version\n",
    "object": b"version: !!python/object/apply:os.system [exit 3]\n",
    "escapes": b'version: 1\n"\\e[31m\\u202ered": 1\n',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_gives_one_clear_message(typed: Type, tmp_path: Path, name: str) -> None:
    file = tmp_path / "hostile.yaml"
    file.write_bytes(HOSTILE[name])
    for command in (
        ["validate", str(file)],
        ["next", "--file", str(file)],
        ["render", "--env", "production", "--out", "out", str(file)],
    ):
        done = typed(*command)
        assert done.code == 65
        assert re.search(
            rf"^{re.escape(str(file))}:\d+:\d+: error [a-z0-9-]+: ", done.out + done.err
        )
        assert len(done.out) + len(done.err) < 3000
        assert "\033" not in done.out + done.err
    assert not Path("out").exists()


def test_a_file_that_cannot_be_read_is_a_usage_error(typed: Type, tmp_path: Path) -> None:
    Path("schedules.yaml").rename("other.yaml")
    for words, said in (
        ([], "there is no file schedules.yaml; name the file"),
        (["nowhere.yaml"], "there is no file nowhere.yaml"),
        ([str(tmp_path)], "is a directory; name the file in it"),
        ([""], "name is empty"),
        (["/proc/self/mem"], "cannot read /proc/self/mem"),
        (["a\0b"], "cannot read"),
    ):
        done = typed("validate", *words)
        assert done.code == 64
        assert said in done.err


def test_a_stream_that_lacks_letters_is_written_all_the_same(tmp_path: Path) -> None:
    text = COMMITTED.read_text().replace("Work the messages", "Réfléchir 日本")
    (tmp_path / "schedules.yaml").write_text(text)

    def run_in_ascii(*words: str) -> bytes:
        done = subprocess.run(
            [sys.executable, "-m", "cronops", "schedules", *words],
            env={**clean_environment(), "PYTHONIOENCODING": "ascii"},
            cwd=tmp_path,
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b"")
        return done.stdout

    field = ("explain", "queue-process-general", "description")
    assert rb"R\xe9fl\xe9chir \u65e5\u672c" in run_in_ascii(*field)
    [fact] = json.loads(run_in_ascii(*field, "--json").decode("ascii"))
    assert fact["value"].startswith("Réfléchir 日本")
    assert "Réfléchir 日本" in run_in_ascii("render", "--env", "staging", "--out", "-").decode()


def test_standard_input_and_pipes_are_read(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cronops", "schedules", "validate"]
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = subprocess.Popen(["/bin/sh", "-c", f"cat {COMMITTED} > {pipe}"])
    for given in (["-"], [str(pipe)]):
        done = subprocess.run(
            [*command, *given],
            input=COMMITTED.read_text(),
            env=clean_environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
    assert writer.wait(10) == 0


# --- rules and schema --------------------------------------------------------------------------


def test_every_rule_is_explained(typed: Type) -> None:
    records = typed("rules", "--json").json
    ids = [record["rule"] for record in records]

    assert {"cron-syntax", "duplicate-key", "command-argument", "waiver-unused"} <= set(ids)
    assert len(ids) == len(set(ids))
    assert all(record["title"] and record["why"] and record["instead"] for record in records)
    assert "autumn" in typed("rules", "dst-twice").out
    done = typed("rules", "dst-twise")
    assert (done.code, "did you mean 'dst-twice'" in done.err) == (64, True)


def test_the_schema_is_the_one_that_the_file_names(typed: Type) -> None:
    assert typed("schema").json == json.loads((ROOT / "docs/schedules.schema.json").read_text())
    assert "$schema=docs/schedules.schema.json" in COMMITTED.read_text().splitlines()[0]


# --- next --------------------------------------------------------------------------------------


def test_next_shows_the_coming_runs_in_both_clocks(typed: Type) -> None:
    done = typed("next", "queue-clean", "--count", "2", "--at", "2027-01-05T00:00:00Z")

    assert done.code == 0
    assert "Tue 2027-01-05 03:20 CET" in done.out
    assert "2027-01-05 02:20" in done.out
    assert "suspended: provisional" in done.out


def test_next_marks_what_clock_changes_do(typed: Type) -> None:
    change(schedule="30 2 * * *")
    spring = typed("next", "queue-clean", "--at", "2027-03-27T12:00:00Z", "--json").json
    autumn = typed("next", "queue-clean", "--at", "2027-10-30T12:00:00Z", "--json").json

    assert spring[0]["skipped"]
    assert spring[0]["utc"] is None
    assert spring[0]["local"] == "2027-03-28T02:30:00"
    assert "does not exist" in spring[0]["surprise"]
    assert spring[1]["utc"] == "2027-03-29T00:30:00Z"
    assert [row["utc"] for row in autumn[:2]] == ["2027-10-31T00:30:00Z", "2027-10-31T01:30:00Z"]
    assert "second of two runs" in autumn[1]["surprise"]
    assert "skipped: this time" in typed("next", "queue-clean", "--at", "2027-03-27T12:00Z").out


def test_an_empty_name_is_no_name(typed: Type) -> None:
    assert typed("next", "").code == 64
    late = typed("next", "--at", "9999-12-31T23:00:00Z")
    assert (late.code, late.err) == (
        64,
        "error: --at: beyond the end of the calendar no runs are told\n",
    )


def test_next_merges_all_schedules_by_time(typed: Type) -> None:
    words = ["next", "--at", "2027-01-05T02:19:00Z", "--env", "staging", "--count", "2", "--json"]
    rows = typed(*words).json

    of_the_queue = [row for row in rows if row["schedule"].startswith("queue-")]
    assert [(row["utc"][11:16], row["schedule"]) for row in of_the_queue] == [
        ("02:20", "queue-process-general"),
        ("02:20", "queue-clean"),
        ("02:21", "queue-process-general"),
        ("02:20", "queue-clean"),
    ]
    assert [row["utc"] for row in rows] == sorted(row["utc"] for row in rows)
    assert set(Counter(row["schedule"] for row in rows).values()) == {2}
    assert len(rows) > len(of_the_queue)
    assert rows[-1]["utc"][:10] >= "2027-01-06"
    assert all(row["suspended"] is None for row in rows)


def test_next_says_why_there_is_nothing_to_show(typed: Type) -> None:
    change(manual=True, schedule=None)
    assert "manual: an operator triggers it" in typed("next", "queue-clean").err
    change(manual=False, schedule="61 * * * *")
    alone, all_of_them = typed("next", "queue-clean"), typed("next", "--count", "1")

    assert alone.code == 65
    assert re.search(r"schedules\.yaml:\d+: queue-clean: ", alone.err)
    assert all_of_them.code == 0
    assert "queue-clean" in all_of_them.err
    assert "queue-process-general" in all_of_them.out
    assert "did you mean 'queue-clean'" in typed("next", "queue-claen").err
    assert typed("next", "--at", "1066-10-14T09:00:00Z").code == 64


# --- explain -----------------------------------------------------------------------------------


def test_explain_names_who_set_a_value_and_what_it_overrides(typed: Type) -> None:
    [fact] = typed("explain", "queue-process-general", "resources.limits.memory", "--json").json
    lines = Path("schedules.yaml").read_text().splitlines()

    assert (fact["value"], fact["set_by"]) == ("1Gi", "schedules.queue-process-general")
    assert "memory: 1Gi" in lines[fact["line"] - 1]
    [over] = fact["over"]
    assert (over["value"], over["set_by"]) == ("512Mi", "defaults")
    assert "memory: 512Mi" in lines[over["line"] - 1]
    text = typed("explain", "queue-process-general", "resources.limits.memory").out
    assert f"line {fact['line']}; over 512Mi (defaults, line {over['line']})" in text


def test_explain_shows_the_formula_of_what_is_computed(typed: Type) -> None:
    [deadline] = typed("explain", "queue-clean", "activeDeadlineSeconds", "--json").json
    change(activeDeadlineSeconds=7200)
    [given] = typed("explain", "queue-clean", "activeDeadlineSeconds", "--json").json

    assert deadline["set_by"] == "computed"
    assert "(2 + 1) pods x (timeout 1800 + grace 60 + start-up 60) + 30" in deadline["formula"]
    assert deadline["value"] == 5820
    assert (given["value"], given["set_by"]) == (7200, "schedules.queue-clean")


def test_explain_knows_overrides_declarations_and_what_is_built_in(typed: Type) -> None:
    change(environments={"staging": {"schedule": "0 5 * * *", "severity": "info"}})
    here = {
        one["field"]: one
        for one in typed("explain", "queue-clean", "--env", "staging", "--json").json
    }

    assert here["schedule"]["value"] == "0 5 * * *"
    assert here["schedule"]["set_by"] == "schedules.queue-clean.environments.staging"
    assert here["schedule"]["over"][0]["value"] == "20 3 * * *"
    assert here["severity"]["over"][0]["set_by"] == "environments.staging"
    assert here["concurrencyPolicy"]["set_by"] == "built in"
    assert here["declared.timeoutSeconds"] == {
        "field": "declared.timeoutSeconds",
        "value": 1800,
        "set_by": "declared by queue clean",
        "line": None,
        "formula": None,
        "over": [],
    }
    assert "did you mean 'suspend'" in typed("explain", "queue-clean", "suspnd").err


def test_no_command_shows_a_secret_that_stands_in_the_file(typed: Type) -> None:
    url = "postgresql://app:hunter2@db.example.com/x"
    change(
        env={"DB_PASSWORD": "hunter2", "TARGET": url},
        annotations={"example.com/link": url},
        command=f"queue clean {url}",
        description=f"see {url}",
        timeZone=url,
        image={"repository": url},
    )
    for words in (
        ["validate"],
        ["validate", "--json"],
        ["validate", "--github"],
        ["next"],
        ["explain", "queue-clean"],
        ["explain", "queue-clean", "--json"],
        ["render", "--env", "production", "--out", "-"],
    ):
        done = typed(*words)
        assert "hunter2" not in done.out + done.err, words
    assert "(not shown: it holds a URL with a password)" in typed("explain", "queue-clean").out


def test_explain_tells_all_that_an_entry_says(typed: Type) -> None:
    change(confirmed={"by": "Jane Doe", "on": "2026-01-15"}, description="Tidy up.")
    here = {one["field"]: one for one in typed("explain", "queue-clean", "--json").json}

    assert here["provisional"]["value"] is True
    assert here["provisional"]["line"] is not None
    assert here["confirmed"]["value"] == {"by": "Jane Doe", "on": "2026-01-15"}
    assert here["description"]["value"] == "Tidy up."
    assert here["namespace"]["set_by"] == "environments.production"
    assert "manual" not in here


# --- render ------------------------------------------------------------------------------------


def test_render_writes_what_check_then_finds_current(typed: Type) -> None:
    words = ["render", "--env", "production", "--out", "k8s/production"]
    assert typed(*words, "--check").code == 1
    assert not Path("k8s").exists()
    written = typed(*words, "--json").json

    assert "schedules/queue-clean.yaml" in written["written"]
    assert json.loads(Path("k8s/production/index.json").read_text())["environment"] == "production"
    assert typed(*words, "--check").code == 0
    assert (
        typed(*words).out
        == f"k8s/production: 0 written, 0 removed, {len(written['written'])} unchanged.\n"
    )


def test_drift_is_shown_as_a_difference_and_a_stale_manifest_removed(typed: Type) -> None:
    words = ["render", "--env", "production", "--out", "k8s/production"]
    typed(*words)
    change(resources={"limits": {"memory": "384Mi"}})
    drift = typed(*words, "--check")
    change(name="queue-tidy")
    renamed = typed(*words, "--check")

    assert drift.code == renamed.code == 1
    assert "384Mi" in drift.out
    assert "k8s/production/schedules/queue-clean.yaml should not be there" in renamed.out
    assert "cronops schedules render --env production --out k8s/production" in drift.err
    done = typed(*words)
    assert "removed schedules/queue-clean.yaml" in done.out
    assert typed(*words, "--check").code == 0
    Path("k8s/production/mine.yaml").write_text("mine\n")
    assert "mine.yaml" in typed(*words).err
    assert "to be removed by hand: mine.yaml" in typed(*words, "--check").err


def test_an_invalid_file_writes_nothing(typed: Type) -> None:
    change(command="queue clena")
    done = typed("render", "--env", "production", "--out", "k8s")

    assert done.code == 65
    assert done.out == ""
    assert "command-unknown" in done.err
    assert not Path("k8s").exists()


def test_a_command_that_finds_many_errors_in_passing_tells_twenty(typed: Type) -> None:
    document = yaml.safe_load(Path("schedules.yaml").read_text())
    entry = document["schedules"][1]
    document["schedules"] += [{**entry, "name": f"x{n}", "command": f"y{n}"} for n in range(30)]
    Path("schedules.yaml").write_text(yaml.safe_dump(document))
    done = typed("render", "--env", "production", "--out", "k8s")

    assert done.err.count(": error ") == 20
    assert "more errors; see: cronops schedules validate" in done.err
    assert typed("validate").out.count(": error ") >= 30


def test_all_manifests_can_be_had_as_one_stream(typed: Type) -> None:
    done = typed("render", "--env", "staging", "--out", "-")

    kinds = {document["kind"] for document in yaml.safe_load_all(done.out) if document}
    assert {"CronJob", "ServiceAccount", "NetworkPolicy", "ConfigMap", "Job"} <= kinds
    assert "Kustomization" not in kinds
    assert typed("render", "--env", "staging", "--out", "-", "--check").code == 64


def test_a_directory_of_somebody_else_is_refused(typed: Type, tmp_path: Path) -> None:
    done = typed("render", "--env", "staging", "--out", str(tmp_path))

    assert done.code == 64
    assert "has not made" in done.err


def test_what_a_rendering_would_not_put_right_is_not_put_down_to_one(typed: Type) -> None:
    words = ["render", "--env", "production", "--out", "k8s"]
    typed(*words)
    Path("k8s/mine\x1b[2J.txt").write_text("\x1b[31mred\rhidden\n")
    done = typed(*words, "--check")

    assert done.code == 1
    assert "to be removed by hand" in done.err
    assert "to bring it up to date" not in done.err
    assert "red\N{REPLACEMENT CHARACTER}hidden" in done.out
    assert "\x1b" not in done.out + done.err


def test_a_directory_must_be_named_and_be_for_the_same(typed: Type) -> None:
    assert typed("render", "--env", "staging", "--out", "").code == 64
    assert typed("chart", "--out", "-").code == 64
    assert typed("render", "--env", "staging", "--out", "-", "--json").code == 64
    assert typed("chart", "--out", "made").code == 0
    for words in (["--check"], []):
        done = typed("render", "--env", "staging", "--out", "made", *words)
        assert done.code == 64
        assert (
            "made holds a chart, and is not overwritten with the manifests of staging" in done.err
        )
    assert typed("chart", "--out", "made", "--check").code == 0


# --- what every pod and every check pays -------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ["validate"],
        ["rules"],
        ["next"],
        ["explain", "queue-clean"],
        ["render", "--env", "production", "--out", "-"],
        ["schema"],
    ],
    ids=lambda words: words[0],
)
def test_no_command_loads_a_database_driver_or_the_cluster_client(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "cronops", "schedules", *words],
        env=clean_environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    # A package by itself may be no more than an import that was tried and refused.
    imported = set(re.findall(r"\| +(\w+)\.[\w.]+$", done.stderr, re.M))

    assert done.returncode == 0
    assert "yaml" in imported or words[0] in ("rules", "schema")
    assert imported & HEAVY == set()
