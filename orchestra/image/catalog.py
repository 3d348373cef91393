"""Which images there are and what they are called: a SQLite file that every process may write.

Each change is one IMMEDIATE transaction, so a process may die anywhere and two agree. What an image
consists of is in its blobs; here are only the digests to begin with. A connection lasts for one
call: nothing is inherited by a process that is forked.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import TYPE_CHECKING

from orchestra.image.reference import Reference
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BUSY_TIMEOUT_S = 20.0
_NAME_COLUMNS = "repository, tag, target, image, checked_ns"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS images (
  id TEXT PRIMARY KEY, manifest TEXT NOT NULL, added_ns INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS names (
  repository TEXT NOT NULL, tag TEXT NOT NULL, target TEXT NOT NULL,
  image TEXT NOT NULL REFERENCES images, checked_ns INTEGER NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS names_by_tag ON names (repository, tag) WHERE tag <> '';
CREATE UNIQUE INDEX IF NOT EXISTS names_by_target ON names (repository, target) WHERE tag = '';
CREATE INDEX IF NOT EXISTS names_by_image ON names (image);
"""


def catalog_below(directory: str) -> Catalog:
    """The catalog of the image store below *directory* (`Layout.images`)."""
    return Catalog(os.path.join(directory, "images.db"))


class ImageRow(NamedTuple):
    """*id* is the digest of the image's config."""

    id: str
    manifest: str
    added_ns: int


class NameRow(NamedTuple):
    """A tag, or (*tag* is "") a digest by which a registry knows the image.

    *target* is that digest; for a tag what the registry had under it, "" for one given here.
    *checked_ns* is when it was last compared with the registry, 0 for never.
    """

    repository: str
    tag: str
    target: str
    image: str
    checked_ns: int = 0

    @property
    def reference(self) -> Reference:
        """The name as a reference, by tag where there is one."""
        domain, _, path = self.repository.partition("/")
        return Reference(domain, path, self.tag, "" if self.tag else self.target)


class Catalog:
    """The images and names in the database *path*, which is made when something is written."""

    def __init__(self, path: str) -> None:
        self._path = path

    def tagged(self, repository: str, tag: str) -> NameRow | None:
        return self._name("repository = ? AND tag = ? AND tag <> ''", repository, tag)

    def digested(self, repository: str, digest: str) -> NameRow | None:
        return self._name("repository = ? AND target = ? AND tag = ''", repository, digest)

    def images(self) -> tuple[ImageRow, ...]:
        """All images, the latest first."""
        with self._reading() as db:
            rows = db.execute("SELECT id, manifest, added_ns FROM images ORDER BY added_ns DESC")
            return tuple(ImageRow(*row) for row in rows)

    def image(self, image_id: str) -> ImageRow | None:
        with self._reading() as db:
            query = "SELECT id, manifest, added_ns FROM images WHERE id = ?"
            row = db.execute(query, (image_id,)).fetchone()
            return None if row is None else ImageRow(*row)

    def ids_beginning(self, prefix: str) -> tuple[str, ...]:
        """The ids "sha256:…" that begin with *prefix*, which must be plain text."""
        with self._reading() as db:
            rows = db.execute("SELECT id FROM images WHERE substr(id, 1, ?) = ?",
                              (len(prefix), prefix))  # fmt: skip
            return tuple(row[0] for row in rows)

    def names(self, image_id: str | None = None) -> tuple[NameRow, ...]:
        """The names of one image, or all names."""
        with self._reading() as db:
            rows = db.execute(
                f"SELECT {_NAME_COLUMNS} FROM names WHERE ?1 IS NULL OR image = ?1 "  # noqa: S608
                "ORDER BY repository, tag, target",
                (image_id,),
            )
            return tuple(NameRow(*row) for row in rows)

    def register(self, image: ImageRow, names: tuple[NameRow, ...]) -> None:
        """Add *image*, or its newer manifest; a tag that another image had goes to this one.

        Whatever *names* say, they become names of *image*.
        """
        self.register_all(((image, names),))

    def register_all(self, images: Iterable[tuple[ImageRow, tuple[NameRow, ...]]]) -> None:
        """As `register` for each, all of them or none."""
        with self._changing() as db:
            for image, names in images:
                db.execute(
                    "INSERT INTO images VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
                    "manifest = excluded.manifest",
                    image,
                )
                for name in names:
                    _put_name(db, name._replace(image=image.id))

    def tag(self, name: NameRow) -> bool:
        """Give the image one more name; False when it is gone."""
        with self._changing() as db:
            if db.execute("SELECT 1 FROM images WHERE id = ?", (name.image,)).fetchone() is None:
                return False
            _put_name(db, name)
            return True

    def untag(self, name: NameRow) -> bool:
        """Take the name away; False when it was gone."""
        with self._changing() as db:
            query = (
                "DELETE FROM names WHERE repository = ? AND tag = ? AND target = ? AND image = ?"
            )
            return db.execute(query, name[:4]).rowcount > 0

    def confirm(self, name: NameRow, checked_ns: int) -> None:
        """The registry had at *checked_ns* what the row says."""
        with self._changing() as db:
            query = (
                "UPDATE names SET checked_ns = ? "
                "WHERE repository = ? AND tag = ? AND target = ? AND image = ?"
            )
            db.execute(query, (checked_ns, *name[:4]))

    def forget(self, image_id: str) -> None:
        """Remove the image and all its names."""
        with self._changing() as db:
            db.execute("DELETE FROM names WHERE image = ?", (image_id,))
            db.execute("DELETE FROM images WHERE id = ?", (image_id,))

    def _name(self, condition: str, *values: str) -> NameRow | None:
        with self._reading() as db:
            query = f"SELECT {_NAME_COLUMNS} FROM names WHERE {condition}"  # noqa: S608 (fixed texts)
            row = db.execute(query, values).fetchone()
            return None if row is None else NameRow(*row)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        if not os.path.exists(self._path):
            with contextlib.closing(sqlite3.connect(":memory:")) as db:
                db.executescript(_SCHEMA)
                yield db
            return
        with contextlib.closing(self._connect()) as db:
            yield db

    @contextlib.contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        os.makedirs(os.path.dirname(self._path), 0o700, exist_ok=True)
        with contextlib.closing(self._connect()) as db:
            db.executescript(_SCHEMA)
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.rollback()
                raise
            db.commit()

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, timeout=_BUSY_TIMEOUT_S, isolation_level=None)
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA synchronous = FULL")
        return db


def _put_name(db: sqlite3.Connection, name: NameRow) -> None:
    if name.tag:
        db.execute("DELETE FROM names WHERE repository = ? AND tag = ?", name[:2])
    db.execute("INSERT OR REPLACE INTO names VALUES (?, ?, ?, ?, ?)", name)
