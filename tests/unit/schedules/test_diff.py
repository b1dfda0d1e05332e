"""What people are shown of manifests that are not what they should be."""

from cronops.schedules.diff import LONGEST, drift


def test_nothing_is_told_where_nothing_differs() -> None:
    assert drift({"a.yaml": "x: 1\n"}, {"a.yaml": "x: 1\n"}) == ""
    assert drift({}, {}) == ""


def test_a_change_is_told_from_what_is_there_to_what_should_be() -> None:
    told = drift({"a.yaml": "x: 1\ny: 2\n"}, {"a.yaml": "x: 1\ny: 3\n"}, "k8s/production")

    assert told.splitlines() == [
        "--- a/k8s/production/a.yaml",
        "+++ b/k8s/production/a.yaml",
        "@@ -1,2 +1,2 @@",
        " x: 1",
        "-y: 3",
        "+y: 2",
    ]


def test_missing_and_surplus_files_are_named() -> None:
    told = drift({"new.yaml": "x: 1\n"}, {"old.yaml": "y: 2\n"}, "k8s/staging").splitlines()

    assert told[0] == "k8s/staging/new.yaml is missing"
    assert "--- /dev/null" in told
    assert "+x: 1" in told
    assert "k8s/staging/old.yaml should not be there" in told
    assert "+++ /dev/null" in told
    assert "-y: 2" in told


def test_an_empty_file_that_is_missing_or_surplus_counts() -> None:
    assert drift({"a": ""}, {}) == "a is missing\n"
    assert drift({}, {"a": ""}) == "a should not be there\n"


def test_a_lost_line_break_at_the_end_is_seen() -> None:
    assert "\\ No newline at end of file" in drift({"a": "x\n"}, {"a": "x"})


def test_other_line_breaks_are_seen() -> None:
    assert drift({"a": "x\n"}, {"a": "x\r\n"}) != ""


def test_the_index_comes_last_for_it_differs_with_everything() -> None:
    files = {"index.json": "1\n", "settings.yaml": "1\n", "a/z.yaml": "1\n"}
    told = drift(files, dict.fromkeys(files, "2\n")).splitlines()

    assert [line[6:] for line in told if line.startswith("--- ")] == [
        "a/z.yaml",
        "settings.yaml",
        "index.json",
    ]


def test_a_long_diff_is_cut_and_says_how_much_is_left() -> None:
    expected = {"a": "".join(f"{n}\n" for n in range(1000)), "b": "1\n", "c": "1\n"}
    told = drift(expected, {}).splitlines()

    assert len(told) == LONGEST + 2
    # Above the thousand lines stand what is missing, two names and a place.
    assert told[-2] == f"… and {1000 + 4 - LONGEST} more lines of this file"
    assert told[-1] == "… and 2 more files differ"


def test_a_file_that_just_fits_is_told_whole() -> None:
    lines = "".join(f"{n}\n" for n in range(LONGEST - 4))
    told = drift({"a": lines, "b": "1\n"}, {}).splitlines()

    assert told[-2:] == [f"+{LONGEST - 5}", "… and 1 more file differs"]
    assert "more" not in drift({"a": lines}, {})


def test_a_file_too_long_to_compare_is_only_named() -> None:
    many = "".join(f"{n}\n" for n in range(30_000))

    assert drift({"a": many}, {"a": many + "x\n"}) == "a differs\n"
