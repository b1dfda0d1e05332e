"""FTP's LIST as servers write it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cronops.clients.transfer.ftp.listings import UnknownListing, read_listing

UNIX = """\
total 12
drwxr-xr-x   2 ftp      ftp          4096 Nov 24 04:00 backup
-rw-r--r--   1 ftp      ftp         12345 Nov 24 04:00 stock.csv
-rw-r--r--   1 1000     1000            0 Jan  1  2024 Bestände vom 3. Mai.csv
lrwxrwxrwx   1 ftp      ftp             9 Nov 24 04:00 link.csv -> stock.csv
-rw-rw-r--+  1 owner    domain users  777 Nov 24 04:00 acl.csv
-rw-r--r--   1 ftp                     42 Nov 24 04:00 no group.csv
-rw-r--r--   1 ftp      ftp            43 2026-11-24 04:00 iso.csv
-rw-r--r--   1 ftp      ftp            44 24. Nov 04:00 german.csv
-rw-r--r--   1 ftp      ftp            45 Nov 24 04:00  leading blank.csv
"""
DOS = """\
11-24-26  04:00AM       <DIR>          backup
11-24-26  04:00PM                12345 stock.csv
11-24-2026  16:00                    0 Bestände vom 3. Mai.csv
"""


def test_unix():
    found = [(file.name, file.size, file.modified) for file in read_listing(UNIX.splitlines())]
    assert found == [
        ("stock.csv", 12345, None),
        ("Bestände vom 3. Mai.csv", 0, None),
        ("acl.csv", 777, None),
        ("no group.csv", 42, None),
        ("iso.csv", 43, None),
        ("german.csv", 44, None),
        (" leading blank.csv", 45, None),
    ]


def test_dos():
    found = [(file.name, file.size) for file in read_listing(DOS.splitlines())]
    assert found == [("stock.csv", 12345), ("Bestände vom 3. Mai.csv", 0)]


@pytest.mark.parametrize("line", ["stock.csv", "+i8388621.29609,m824255902,/,\tdev", "?"])
def test_another_form_is_not_guessed_at(line):
    with pytest.raises(UnknownListing):
        list(read_listing([line]))


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=40))
def test_any_name_comes_out_as_it_went_in(name):
    line = f"-rw-r--r--   1 ftp      ftp         12345 Nov 24 04:00 {name}"
    assert [file.name for file in read_listing([line])] == [name]
