"""Settings of `simulator send-mak-files`."""

from pathlib import Path

from cronops.config.kinds import choice, integer, path, text
from cronops.config.setting import Section


class SimulatorSettings(Section):
    """`simulator send-mak-files`."""

    destination = text(
        None,
        "Where MAK takes its files: sftp://, ftps:// or ftp:// with a host and a directory; or a "
        "directory below `root`.",
    )
    login = text("mak", "What CRONOPS_CLIENTS__CREDENTIALS calls our login there.")
    root = path(
        Path("/var/lib/cronops/simulator"), "Where a destination that is a directory has to lie."
    )
    delimiter = text(
        ";", "What stands between two fields.", pattern=r"[;,|\t]", must="must be ; , | or a tab"
    )
    encoding = choice("Of the CSV files.", "utf-8", "utf-8", "windows-1252", "iso-8859-1")
    decimal_mark = choice("In numbers.", ".", ".", ",")
    max_drop_pct = integer(
        50,
        "By so many percent a file may have fewer rows than MAK has now; else --accept-drop.",
        at_least=0,
        at_most=100,
    )
