"""Deletes session files in a directory that is held open: streaming, by name in that directory.

A name from the directory is only a hint. What it is and how old is asked right before the unlink,
in the same directory, without following links; nothing is remembered in between. So there is
nothing to swap: a link that takes a name's place is no regular file, and unlinking a name never
touches what a link points to.
"""

import errno
import fnmatch
import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from itertools import islice

from cronops.clients.confined import open_directory
from cronops.errors import ConfigurationError, TransientError

_AHEAD = 10_000
"""So many names are read at once: all that is held in memory, whatever the directory holds."""
_PULSE = 500
"""So many names are looked at between two looks at whether to go on."""
_TOLERANCE_NS = 60 * 10**9
"""A file server's clock may be a little ahead of ours: that is no time in the future."""


@dataclass(frozen=True)
class Rule:
    """Which files go. Times are nanoseconds since the epoch."""

    pattern: str
    """A shell pattern for names."""
    cutoff: int
    """What was last written strictly before it is old."""
    now: int
    most: int
    """So many are deleted at most."""
    depth: int = 0
    """Levels of one-character directories to look into."""
    is_rehearsal: bool = False
    """Count, and delete nothing."""


@dataclass
class Tally:
    """What was found."""

    deleted: int = 0
    kept: int = 0
    """Not old enough."""
    future: int = 0
    """Of those, written in the future."""
    other: int = 0
    """Called like a session, and no regular file; or a directory that is not looked into."""
    vanished: int = 0
    """Gone before it could be deleted: somebody else's work."""
    denied: int = 0

    def since(self, earlier: "Tally") -> dict[str, int]:
        """What came on top of an earlier one, without zeros."""
        more = {
            one.name: getattr(self, one.name) - getattr(earlier, one.name) for one in fields(self)
        }
        return {name: count for name, count in more.items() if count}


class Sweep:
    """One sweep; `go_on` is asked every few hundred names, `show` told of each old file."""

    def __init__(
        self,
        rule: Rule,
        *,
        go_on: Callable[[Tally], bool],
        show: Callable[[str, os.stat_result], None] | None = None,
    ) -> None:
        self.tally = Tally()
        self.is_capped = False
        """Whether it left off because it had deleted as many as it may."""
        self.first_denial = ""
        self._rule = rule
        self._fits = re.compile(fnmatch.translate(rule.pattern)).match
        self._go_on = go_on
        self._show = show
        self._device = -1

    def run(self, directory: int) -> None:
        """Sweep the directory, and those below it that the rule names."""
        # What is mounted below is another store, with an age of its own.
        self._device = os.fstat(directory).st_dev
        try:
            self._sweep(directory, self._rule.depth)
        except FileNotFoundError:
            # A directory itself was removed while it was read.
            self.tally.vanished += 1
        except OSError as error:
            raise TransientError(f"the session directory fails: {error.strerror}") from None

    def _sweep(self, directory: int, levels: int) -> bool:
        with os.scandir(directory) as entries:
            while names := self._names(entries):
                below: list[str] = []
                for start in range(0, len(names), _PULSE):
                    some = names[start : start + _PULSE]
                    if not self._take(some, directory, levels, below):
                        return False
                    if not self._go_on(self.tally):
                        return False
                # Only names of one character: there is but a handful of them.
                for name in below:
                    if not self._enter(name, directory, levels - 1):
                        return False
        return True

    @staticmethod
    def _names(entries: "Iterator[os.DirEntry[str]]") -> list[str]:
        """The next names, by inode: on a disk, what lies together is then deleted together."""
        read = sorted((entry.inode(), entry.name) for entry in islice(entries, _AHEAD))
        return [name for _, name in read]

    def _enter(self, name: str, parent: int, levels: int) -> bool:
        try:
            held = open_directory(name, parent)
        except FileNotFoundError:
            self.tally.vanished += 1
            return True
        except PermissionError as error:
            self._deny(error)
            return True
        except OSError as error:
            if error.errno not in (errno.ENOTDIR, errno.ELOOP):
                raise
            # A file, or a link that somebody put into its place.
            self.tally.other += 1
            return True
        try:
            if os.fstat(held).st_dev != self._device:
                self.tally.other += 1
                return True
            return self._sweep(held, levels)
        except FileNotFoundError:
            self.tally.vanished += 1
            return True
        finally:
            os.close(held)

    def _take(self, names: list[str], directory: int, levels: int, below: list[str]) -> bool:
        """Delete what is old of these names; False where no more may be deleted."""
        tally, rule, fits, show = self.tally, self._rule, self._fits, self._show
        look, is_file, cutoff = os.stat, stat.S_ISREG, rule.cutoff
        for name in names:
            if levels and len(name) == 1:
                below.append(name)
                continue
            if not fits(name):
                continue
            try:
                facts = look(name, dir_fd=directory, follow_symlinks=False)
                if not is_file(facts.st_mode):
                    tally.other += 1
                elif facts.st_mtime_ns >= cutoff:
                    tally.kept += 1
                    tally.future += facts.st_mtime_ns > rule.now + _TOLERANCE_NS
                elif tally.deleted >= rule.most:
                    self.is_capped = True
                    return False
                else:
                    if not rule.is_rehearsal:
                        os.unlink(name, dir_fd=directory)
                    tally.deleted += 1
                    if show is not None:
                        show(name, facts)
            except FileNotFoundError:
                tally.vanished += 1
            except OSError as error:
                self._deny(error)
        return True

    def _deny(self, error: OSError) -> None:
        if error.errno == errno.EROFS:
            raise ConfigurationError("the session directory is mounted read-only")
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EBUSY, errno.EISDIR):
            raise error
        self.tally.denied += 1
        self.first_denial = self.first_denial or error.strerror or type(error).__name__
