"""The body of an answer as it comes, unpacked in pieces of a bounded size."""

import zlib
from collections.abc import Iterable, Iterator

from cronops.clients.landing import BLOCK
from cronops.errors import PermanentError, TransientError

# Both a zlib header and a gzip header are recognized.
_ANY_HEADER = 32 + zlib.MAX_WBITS


def unpacked(raw: Iterable[bytes], encoding: str, origin: str) -> Iterator[bytes]:
    """The blocks of `raw` without their `Content-Encoding`, none larger than `BLOCK`.

    However much a few bytes unpack to, no more than a block of it is ever in memory.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        yield from raw
        return
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise PermanentError(f"{origin} answered in the encoding {encoding!r}, not asked for")
    stream = zlib.decompressobj(_ANY_HEADER)
    try:
        for block in raw:
            waiting = block
            while waiting:
                yield stream.decompress(waiting, BLOCK)
                waiting = stream.unconsumed_tail
        yield stream.flush()
    except zlib.error as error:
        raise TransientError(f"{origin}: what came packed cannot be unpacked: {error}") from None
    if not stream.eof:
        raise TransientError(f"{origin}: the answer was cut off")
