from __future__ import annotations

import hashlib
import os
import threading
from typing import TYPE_CHECKING

import pytest

from orchestra.errors import DigestMismatch, NotFound, RegistryError
from orchestra.image.blobs import Blobs, digest_of

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = b"layer" * 1000
DIGEST = digest_of(CONTENT)


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(str(tmp_path / "blobs"))


def test_a_blob_appears_only_when_it_is_committed(blobs: Blobs) -> None:
    with blobs.ingest(DIGEST, len(CONTENT)) as ingest:
        ingest.write(CONTENT)
        assert not blobs.has(DIGEST)
        ingest.commit()

    assert blobs.read(DIGEST) == CONTENT
    assert blobs.size(DIGEST) == len(CONTENT)
    assert list(blobs.all()) == [DIGEST]


def test_a_broken_download_goes_on_where_it_ended(blobs: Blobs) -> None:
    with blobs.ingest(DIGEST, len(CONTENT)) as ingest:
        ingest.write(CONTENT[:1234])

    with blobs.ingest(DIGEST, len(CONTENT)) as again:
        assert again.offset == 1234
        again.write(CONTENT[1234:])
        again.commit()

    assert blobs.read(DIGEST) == CONTENT


def test_wrong_content_is_refused_and_forgotten(blobs: Blobs) -> None:
    with blobs.ingest(DIGEST, len(CONTENT)) as ingest:
        ingest.write(CONTENT[:-1] + b"!")
        with pytest.raises(DigestMismatch):
            ingest.commit()

    assert not blobs.has(DIGEST)
    with blobs.ingest(DIGEST, len(CONTENT)) as again:
        assert again.offset == 0


def test_more_than_was_announced_is_refused_at_once(blobs: Blobs) -> None:
    with blobs.ingest(DIGEST, 10) as ingest, pytest.raises(RegistryError):
        ingest.write(CONTENT)

    assert not blobs.has(DIGEST)


def test_a_second_writer_waits_and_finds_the_blob_present(blobs: Blobs) -> None:
    entered, results = threading.Event(), []

    def second() -> None:
        entered.set()
        with blobs.ingest(DIGEST, len(CONTENT)) as ingest:
            results.append(ingest.present)

    thread = threading.Thread(target=second)
    with blobs.ingest(DIGEST, len(CONTENT)) as ingest:
        thread.start()
        entered.wait(5)
        ingest.write(CONTENT)
        ingest.commit()
    thread.join(5)

    assert results == [True]


def test_a_blob_of_unknown_digest_is_named_by_what_it_holds(blobs: Blobs) -> None:
    with blobs.create() as new:
        new.write(CONTENT[:10])
        new.write(CONTENT[10:])
        digest = new.commit()

    assert digest == DIGEST
    assert blobs.read(DIGEST) == CONTENT


def test_abandoned_partials_are_swept_and_those_being_written_are_not(blobs: Blobs) -> None:
    other = "sha256:" + hashlib.sha256(b"other").hexdigest()
    with blobs.ingest(DIGEST, None) as ingest:
        ingest.write(CONTENT)

    with blobs.ingest(other, 5) as ingest:
        ingest.write(b"oth")
        assert blobs.remove_abandoned_partials() >= len(CONTENT)
        ingest.write(b"er")
        ingest.commit()

    assert blobs.read(other) == b"other"


@pytest.mark.parametrize(
    "digest", ["sha256:../../etc/passwd", "md5:abc", "sha256:" + "A" * 64, "", "sha256:" + "a" * 63]
)
def test_a_digest_that_is_none_never_becomes_a_path(blobs: Blobs, digest: str) -> None:
    with pytest.raises(RegistryError):
        blobs.has(digest)


def test_a_missing_blob_is_not_found(blobs: Blobs) -> None:
    with pytest.raises(NotFound):
        os.close(blobs.open(DIGEST))
