"""A shop with images to edit: directories, batches, and the two commands that work them."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from cronops.samples.images import HEADER, environment, image_bytes
from tests.commands import CommandLine
from tests.databases import Database

RENDITIONS = json.dumps(
    [
        {"name": "big", "width": 300, "height": 300},
        {"name": "thumb", "width": 60, "height": 60, "fit": "cover", "format": "webp"},
    ]
)


class Studio:
    """Where batches arrive, where sources lie, and what is made of them."""

    def __init__(self, root: Path, database: Database, cli: CommandLine) -> None:
        self.root = root
        self.database = database
        self.batches, self.sources, self.store = (
            root / name for name in ("batches", "sources", "store")
        )
        for directory in (self.batches, self.sources, self.store):
            directory.mkdir(parents=True)
        self.env = dict(environment(root)) | {
            "CRONOPS_IMAGES__RENDITIONS": RENDITIONS,
            "CRONOPS_QUEUE__BACKOFF": "0",
        }
        self._cli = cli

    def source(self, name: str, number: int = 1, **options: Any) -> str:
        """Put an image among the sources; its name."""
        path = self.sources / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(image_bytes(number, size=options.pop("size", (400, 300)), **options))
        return name

    def batch(self, name: str, *rows: str, header: str = HEADER) -> Path:
        """Put a batch among the batches; its path."""
        path = self.batches / name
        path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
        return path

    def enqueue(
        self, *options: str, env: Mapping[str, str] | None = None, code: int | None = 0
    ) -> subprocess.CompletedProcess[str]:
        """``images enqueue-batches``, which is to end with `code`."""
        done = self._cli("images", "enqueue-batches", *options, env=self.env | dict(env or {}))
        assert code is None or done.returncode == code, done.stderr
        return done

    def process(
        self, env: Mapping[str, str] | None = None, *, options: Sequence[str] = ()
    ) -> subprocess.CompletedProcess[str]:
        """``queue process``."""
        done = self._cli("queue", "process", *options, env=self.env | dict(env or {}))
        assert done.returncode == 0, done.stderr
        return done

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Start a command that is not waited for."""
        return self._cli.start(*words, env=self.env)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """``images …``, whatever it ends with."""
        return self._cli("images", *words, env=self.env)

    def counts(self) -> dict[str, int]:
        """What the last run counted."""
        found = self.database.query("SELECT counts FROM run ORDER BY started_at DESC LIMIT 1")
        counts: dict[str, int] = found[0][0]
        return counts

    def files(self) -> dict[str, list[str]]:
        """What lies among the batches, by folder."""
        return {
            str(folder.relative_to(self.batches)): sorted(
                path.name for path in folder.iterdir() if path.name not in ("archive", "quarantine")
            )
            for folder in (self.batches, self.batches / "archive", self.batches / "quarantine")
            if folder.exists()
        }

    def edits(self) -> list[tuple[Any, ...]]:
        """Every row of every batch: line, state, reason."""
        return self.database.query(
            "SELECT line, state, reason FROM image_edit ORDER BY batch_id, line"
        )

    def stored(self) -> list[str]:
        """Every file in the store, without the shard."""
        return sorted(
            "/".join(path.relative_to(self.store).parts[1:])
            for path in self.store.rglob("*")
            if path.is_file()
        )


@pytest.fixture
def studio(shop: Database, cli: CommandLine, tmp_path: Path) -> Studio:
    """Empty directories, and a shop with 200 articles."""
    return Studio(tmp_path / "images", shop, cli)
