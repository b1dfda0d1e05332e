"""Where an export's files are kept: ``generated/<export id>/<sha256>.<format>`` in the export dir.

Named by their content, so that the same content is the same file, however often it is generated.
"""

import contextlib
import errno
import hashlib
import os
from collections.abc import Collection, Iterator
from pathlib import Path

from cronops.errors import BadInput, ConfigurationError, TransientError
from cronops.jobs.stock.generate import Generated
from cronops.jobs.stock.setting import ExportSetting

GENERATED = "generated"
"""The directory below the export directory that holds them all."""
_PART = ".part"
_BLOCK = 1 << 20
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Shelf:
    """The files of one export."""

    def __init__(self, export_dir: Path, setting: ExportSetting) -> None:
        self.root = export_dir
        self.directory = export_dir / GENERATED / str(setting.id)
        self._suffix = f".{setting.format}"

    def open(self, run_id: str, token: int) -> Path:
        """Make room; where to generate. What a run that died was generating goes.

        Only the holder of the job's lock comes here. The name is that of the lease `token`: a
        holder that has lost it must not find the file of its successor.
        """
        with local_errors(self.directory):
            self.directory.mkdir(parents=True, exist_ok=True)
            for left in self.directory.glob(f".*{_PART}"):
                left.unlink(missing_ok=True)
        safe = "".join(one if one.isalnum() else "-" for one in run_id)[:80]
        return self.directory / f".{safe}-{token}{_PART}"

    def keep(self, generated: Generated) -> str:
        """Keep a file under its content's name; that, as seen from the export directory."""
        kept = self.directory / f"{generated.sha256}{self._suffix}"
        with local_errors(self.directory):
            generated.file.replace(kept)
            _sync(self.directory)
        return str(kept.relative_to(self.root))

    def find(self, file: str, sha256: str) -> Path:
        """A kept file, its content compared with the record. Raises `BadInput` where it differs.

        A record that was changed by hand, or a link, must not send another of our files out.
        """
        kept = self.root / file
        if kept.parent.resolve() != self.directory.resolve() or kept.is_symlink():
            raise BadInput(
                f"the last good file {kept} is not among the files that were generated, in "
                f"{self.directory}; run without --skip-generation"
            )
        try:
            found = _sha256(kept)
        except FileNotFoundError:
            raise BadInput(
                f"the last good file {kept} is gone; run without --skip-generation"
            ) from None
        except OSError as error:
            raise BadInput(f"the last good file {kept} cannot be read: {error.strerror}") from None
        if found != sha256:
            raise BadInput(
                f"the last good file {kept} was changed after it was generated (its sha256 is "
                f"{found[:12]}…, recorded is {sha256[:12]}…); run without --skip-generation"
            )
        return kept

    def prune(self, keep: Collection[str]) -> int:
        """Delete all files but those, named as `keep` named them; how many went."""
        kept = {Path(file).name for file in keep}
        gone = 0
        with local_errors(self.directory):
            for file in self.directory.iterdir():
                if file.is_file() and file.name not in kept:
                    file.unlink(missing_ok=True)
                    gone += 1
        return gone


def check_is_not_ours(transport: str, export_dir: Path) -> None:
    """Raise `ValueError` for a delivery into the directory where generated files are kept."""
    if "://" in transport and not transport.startswith("file://"):
        return
    place = (export_dir / transport.removeprefix("file://")).resolve()
    ours = (export_dir / GENERATED).resolve()
    if place == export_dir.resolve() or place == ours or ours in place.parents:
        raise ValueError(
            f"deliver to a directory of its own below {export_dir}: in {GENERATED}/ the exports "
            "themselves are kept"
        )


@contextlib.contextmanager
def local_errors(directory: Path) -> Iterator[None]:
    """Tell what a full disk, or one that may not be written to, means to an operator."""
    try:
        yield
    except OSError as error:
        said = error.strerror or type(error).__name__
        if error.errno in _NO_ROOM:
            raise TransientError(
                f"no room in {directory}: {said}; free some, or enlarge the volume"
            ) from None
        raise ConfigurationError(
            f"cannot write to {directory}: {said}; CRONOPS_STOCK__EXPORT_DIR must be a directory "
            "that this program may write to"
        ) from None


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sha256(file: Path) -> str:
    found = hashlib.sha256()
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK):
            found.update(block)
    return found.hexdigest()
