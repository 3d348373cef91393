"""One blob from a registry into the store: streamed, resumed, verified."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.errors import DigestMismatch, RegistryError
from orchestra.registry.failures import Transient

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.image.base import BlobStore, Ingest
    from orchestra.image.manifest import Descriptor
    from orchestra.registry.client import RegistryClient
    from orchestra.registry.together import Stop


class Download:
    """Downloads blobs of *client*'s repository into *blobs*, one per call and thread."""

    def __init__(self, client: RegistryClient, blobs: BlobStore, stop: Stop) -> None:
        self._client = client
        self._blobs = blobs
        self._stop = stop

    def fetch(
        self,
        blob: Descriptor,
        progress: Callable[[int], None],
        retrying: Callable[[Transient], None],
    ) -> None:
        """Have *blob* in the store; *progress* is told the bytes here, *retrying* each pause.

        A partial blob of an earlier run that turns out wrong is fetched once more from its
        start. Raises RegistryError, DigestMismatch, Interrupted.
        """
        if self._resumed_and_wrong(blob, progress, retrying):
            self._resumed_and_wrong(blob, progress, retrying)

    def _resumed_and_wrong(
        self,
        blob: Descriptor,
        progress: Callable[[int], None],
        retrying: Callable[[Transient], None],
    ) -> bool:
        with self._blobs.ingest(blob.digest, blob.size) as ingest:
            if ingest.present:
                return False
            begun_at = ingest.offset
            self._fill(ingest, blob, progress, retrying)
            try:
                ingest.commit()
            except DigestMismatch:
                if not begun_at:
                    raise
                return True
        return False

    def _fill(
        self,
        ingest: Ingest,
        blob: Descriptor,
        progress: Callable[[int], None],
        retrying: Callable[[Transient], None],
    ) -> None:
        patience = self._client.patience
        failures, furthest = 0, ingest.offset
        while ingest.offset < blob.size:
            try:
                self._stream(ingest, blob, progress)
            except Transient as exc:
                self._stop.check()
                failures = 1 if ingest.offset > furthest else failures + 1
                furthest = max(furthest, ingest.offset)
                delay = patience.backoff.delay_s(exc, failures, patience.jitter())
                if delay is None:
                    raise
                retrying(exc)
                patience.pause(delay)

    def _stream(self, ingest: Ingest, blob: Descriptor, progress: Callable[[int], None]) -> None:
        reply, begins_at = self._client.blob(blob.digest, ingest.offset)
        with reply, self._stop.breaking(reply):
            if begins_at != ingest.offset:
                ingest.restart()
            while chunk := reply.read_some():
                self._stop.check()
                if ingest.offset + len(chunk) > blob.size:
                    raise RegistryError(
                        f"{reply.host} sends more than the {blob.size} bytes of {blob.digest}",
                        fix="do not trust this registry or the proxy in front of it",
                    )
                ingest.write(chunk)
                progress(ingest.offset)
        if ingest.offset < blob.size:
            raise Transient(
                f"{reply.host} sends {ingest.offset} of the {blob.size} bytes of {blob.digest}",
                fix="try again; if that does not help, the registry's copy is damaged",
            )
