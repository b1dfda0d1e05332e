"""Settings of `images enqueue-batches`, and the handler `images.update`."""

from datetime import timedelta
from pathlib import Path

from cronops.config.kinds import boolean, choice, duration, integer, path, text
from cronops.config.renditions import renditions
from cronops.config.setting import Section


class ImagesSettings(Section):
    """`images enqueue-batches`, and the handler `images.update`."""

    batch_dir = path(
        Path("/var/lib/cronops/images/batches"),
        "Where `images_*.csv` arrive; they are moved to `archive/` or `quarantine/` below it.",
    )
    source_root = path(
        Path("/var/lib/cronops/images/sources"), "The root that local sources must lie under."
    )
    store = path(Path("/var/lib/cronops/images/store"), "Where renditions are written.")
    delimiter = text(
        ";",
        "What separates the columns of a batch.",
        pattern=r"[^\"\r\n\x00]",
        must="must be one character, as in ;",
    )
    encoding = choice(
        "How batches are written; a byte order mark is left out.",
        "utf-8",
        "utf-8",
        "cp1252",
        "iso-8859-15",
    )
    settle = duration(
        timedelta(seconds=30),
        "A batch that was changed within this time is still being written.",
        at_least=timedelta(0),
    )
    max_reject_percent = integer(
        10, "A batch with a larger share of bad rows is rejected whole.", at_least=0, at_most=100
    )
    max_batch_bytes = integer(
        256 * 1024 * 1024,
        "A batch of more bytes is rejected unread; this many are some four million rows.",
        at_least=1_024,
    )
    chunk_rows = integer(50, "Rows worked by one message.", at_least=1, at_most=1_000)
    keep_edits = duration(
        timedelta(days=90),
        "How long the rows of a finished batch are kept.",
        at_least=timedelta(seconds=1),
    )
    plain_http = boolean(True, "Fetch sources over http, too; false leaves https.")
    public_only = boolean(
        True, "Fetch sources from public addresses only, never from inside the network."
    )
    max_bytes = integer(
        32 * 1024 * 1024,
        "A source of more bytes is refused.",
        at_least=1_024,
        at_most=1024 * 1024 * 1024,
    )
    max_pixels = integer(
        50_000_000,
        "A source of more pixels is refused before it is decoded; up to 18 bytes of memory each.",
        at_least=1,
        at_most=1_000_000_000,
    )
    renditions = renditions(
        "What is made of each image: a list of name, width, height, fit (contain or cover), "
        "format (jpeg, png or webp) and quality.",
        {"name": "large", "width": 1600, "height": 1600, "quality": 85},
        {"name": "medium", "width": 640, "height": 640, "quality": 82},
        {"name": "thumb", "width": 160, "height": 160, "fit": "cover", "quality": 80},
    )
