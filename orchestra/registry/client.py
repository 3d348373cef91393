"""One repository at one endpoint: manifests and blobs. OCI distribution-spec 1.1, Docker v2.

Requests are repeated after a 401 with what the registry asked for, and after passing failures
with growing pauses. Which endpoint, and what is done with the bytes, is decided by others.
"""

from __future__ import annotations

import hashlib
import random
import re
import time
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urljoin

import msgspec

from orchestra.errors import DigestMismatch, RegistryError
from orchestra.image.manifest import MANIFEST_TYPES, MAX_MANIFEST_BYTES
from orchestra.model.container import Frozen
from orchestra.named import NamedTuple
from orchestra.registry.auth import is_password, login_required
from orchestra.registry.failures import BlobUnknown, ManifestUnknown, http_failure
from orchestra.registry.retry import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from orchestra.registry.auth import Authorizer, Scopes
    from orchestra.registry.credentials import Secret
    from orchestra.registry.transport import Reply, Transport

_MAX_ERROR_BYTES = 1 << 16
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")
_DIGEST = re.compile(r"sha256:[a-f0-9]{64}")
_NEXT_PAGE = re.compile(r'<([^>]{1,2000})>\s*;\s*rel="?next"?')
_MAX_TAG_PAGES = 10_000
_ACCEPT = ", ".join(MANIFEST_TYPES)
_FOUND_OR_NOT = frozenset({200, 404})
_PARTIAL = frozenset({200, 206, 404, 416})
_CREATED = frozenset({200, 201, 202, 204})


class _TagList(Frozen, frozen=True, kw_only=True):
    tags: tuple[str, ...] | None = None


def _tags_in(body: bytes, host: str) -> tuple[str, ...]:
    try:
        return msgspec.json.decode(body, type=_TagList).tags or ()
    except (msgspec.DecodeError, RecursionError) as exc:
        raise RegistryError(f"{host} sends no list of tags") from exc


class Fetched(NamedTuple):
    """A manifest or index as the registry keeps it."""

    data: bytes
    media_type: str
    digest: str


class Upload(NamedTuple):
    """Bytes to be sent: *open* gives them anew for each attempt."""

    digest: str
    size_bytes: int
    open: Callable[[], Iterable[bytes]]


class _Request(NamedTuple):
    """*what* is being done, for messages; *expected* are the statuses that are no failures."""

    method: str
    location: str
    what: str
    expected: frozenset[int]
    headers: Mapping[str, str] = {}
    body: Upload | None = None
    is_repeatable: bool = True


class Patience(NamedTuple):
    """How failures are waited out. *sleep* is whoever may end the pauses early."""

    backoff: Backoff = Backoff()
    sleep: Callable[[float], None] | None = None
    jitter: Callable[[], float] = random.random

    def pause(self, seconds: float) -> None:
        (self.sleep or time.sleep)(seconds)


class RegistryClient:
    """The repository *path* ("library/redis"); threads share it."""

    def __init__(
        self,
        transport: Transport,
        authorizer: Authorizer,
        path: str,
        scopes: Scopes,
        patience: Patience,
    ) -> None:
        self._transport = transport
        self._authorizer = authorizer
        self._base = f"/v2/{path}"
        self._path = path
        self._scopes = scopes
        self.patience = patience

    def paused_by(self, sleep: Callable[[float], None]) -> RegistryClient:
        """The same, which waits by *sleep* unless it was made with another."""
        patience = self.patience
        if patience.sleep is None:
            patience = patience._replace(sleep=sleep)
        return RegistryClient(self._transport, self._authorizer, self._path, self._scopes, patience)

    @property
    def host(self) -> str:
        return self._transport.host

    # -- manifests ----------------------------------------------------------------------------
    def digest_of(self, target: str) -> str | None:
        """The digest of the tag or digest *target*, without fetching it; None if not told.

        Raises ManifestUnknown.
        """
        with self._manifest("HEAD", target) as reply:
            reply.read_all(_MAX_ERROR_BYTES)
        digest = reply.headers.get("Docker-Content-Digest", "")
        return digest if _DIGEST.fullmatch(digest) else None

    def manifest(self, target: str) -> Fetched:
        """The manifest or index *target*; verified when that is a digest.

        Raises ManifestUnknown, DigestMismatch.
        """
        with self._manifest("GET", target) as reply:
            data = reply.read_all(MAX_MANIFEST_BYTES)
            media_type = reply.headers.get("Content-Type", "")
        if media_type.startswith("text/html"):
            raise RegistryError(
                f"{self.host} answers with a web page where the manifest {target} should be",
                fix="check the registry's address; a network may want a login by browser first",
            )
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        if _DIGEST.fullmatch(target) and digest != target:
            raise DigestMismatch(
                f"{self.host} sends {digest} for {target}",
                fix="do not trust this registry or the proxy in front of it",
            )
        return Fetched(data, media_type, digest)

    def tags(self) -> tuple[str, ...]:
        """All tags of the repository, page by page. Raises ManifestUnknown for no repository."""
        found: list[str] = []
        location = f"{self._base}/tags/list?n=1000"
        seen: set[str] = set()
        while location not in seen and len(seen) < _MAX_TAG_PAGES:
            seen.add(location)
            request = _Request("GET", location, f"the tags of {self._path}", _FOUND_OR_NOT)
            with self._call(request) as reply:
                body = reply.read_all(MAX_MANIFEST_BYTES)
            if reply.status == 404:
                raise ManifestUnknown(
                    f"{self.host} has no {self._path}", fix="check the image's name"
                )
            found += _tags_in(body, self.host)
            following = _NEXT_PAGE.search(reply.headers.get("Link", ""))
            if following is None:
                return tuple(found)
            location = urljoin(reply.url, following[1])
        raise RegistryError(f"{self.host} lists tags of {self._path} without end")

    def put_manifest(self, target: str, data: bytes, media_type: str) -> None:
        """Make *data*, whose blobs are all there, known as the tag or digest *target*."""
        request = _Request(
            "PUT",
            f"{self._base}/manifests/{quote(target, safe=':')}",
            f"pushing the manifest {target}",
            _CREATED,
            {"Content-Type": media_type},
            Upload("", len(data), lambda: [data]),
        )
        with self._call(request) as reply:
            reply.read_all(_MAX_ERROR_BYTES)

    def _manifest(self, method: str, target: str) -> Reply:
        name = f"{self._path}{'@' if ':' in target else ':'}{target}"
        location = f"{self._base}/manifests/{quote(target, safe=':')}"
        reply = self._call(_Request(method, location, name, _FOUND_OR_NOT, {"Accept": _ACCEPT}))
        if reply.status != 404:
            return reply
        with reply:
            reply.read_all(_MAX_ERROR_BYTES)
        raise ManifestUnknown(
            f"{self.host} has no {name}",
            fix="check the image's name and tag; a private image needs `orchestra login`",
        )

    # -- blobs, down --------------------------------------------------------------------------
    def blob(self, digest: str, offset: int) -> tuple[Reply, int]:
        """The blob from *offset* on, and where the answer really begins: there, or at 0.

        Raises BlobUnknown.
        """
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        location = f"{self._base}/blobs/{digest}"
        reply = self._call(_Request("GET", location, self._naming(digest), _PARTIAL, headers))
        if reply.status == 200:
            return reply, 0
        span = _CONTENT_RANGE.fullmatch(reply.headers.get("Content-Range", ""))
        if reply.status == 206 and span is not None and int(span[1]) == offset:
            return reply, offset
        with reply:
            reply.read_all(_MAX_ERROR_BYTES)
        if reply.status == 404:
            raise BlobUnknown(
                f"{self.host} has lost the blob {digest} of {self._path}",
                fix="push the image again, or pull another tag",
            )
        if not offset:
            raise RegistryError(f"{self.host} answers with HTTP status {reply.status}")
        return self.blob(digest, 0)

    # -- blobs, up ----------------------------------------------------------------------------
    def has_blob(self, digest: str) -> bool:
        location = f"{self._base}/blobs/{digest}"
        with self._call(_Request("HEAD", location, self._naming(digest), _FOUND_OR_NOT)) as reply:
            reply.read_all(_MAX_ERROR_BYTES)
        return reply.status == 200

    def begin_upload(self, digest: str, mount_from: str | None) -> str | None:
        """Where to send the blob; None when it has been mounted from that other repository."""
        query = f"?{urlencode({'mount': digest, 'from': mount_from})}" if mount_from else ""
        location = f"{self._base}/blobs/uploads/{query}"
        no_body = {"Content-Length": "0"}
        request = _Request("POST", location, f"pushing to {self._path}", _CREATED, no_body)
        with self._call(request) as reply:
            reply.read_all(_MAX_ERROR_BYTES)
        if reply.status == 201:
            return None
        goal = reply.headers.get("Location")
        if not goal:
            raise RegistryError(f"{self.host} does not tell where to push to")
        return urljoin(reply.url, goal)

    def upload_part(self, location: str, offset: int, part: Upload) -> str:
        """Send *part* of the blob, which begins at *offset*; where the next one goes.

        OCI distribution-spec 1.1, "Pushing a blob in chunks".
        """
        span = f"{offset}-{offset + part.size_bytes - 1}"
        headers = {"Content-Type": "application/octet-stream", "Content-Range": span}
        request = _Request(
            "PATCH",
            location,
            f"pushing to {self._naming(part.digest)}",
            _CREATED,
            headers,
            part,
            is_repeatable=False,
        )
        with self._call(request) as reply:
            reply.read_all(_MAX_ERROR_BYTES)
        return urljoin(reply.url, reply.headers.get("Location") or location)

    def finish_upload(self, location: str, rest: Upload) -> None:
        """Send the whole blob, or what no part has sent, and have its digest compared."""
        joint = "&" if "?" in location else "?"
        request = _Request(
            "PUT",
            f"{location}{joint}digest={quote(rest.digest, safe='')}",
            f"pushing to {self._naming(rest.digest)}",
            _CREATED,
            {"Content-Type": "application/octet-stream"},
            rest,
            is_repeatable=False,
        )
        with self._call(request) as reply:
            reply.read_all(_MAX_ERROR_BYTES)

    # -- requests -----------------------------------------------------------------------------
    def check_login(self) -> None:
        """Raises AuthRequired when the credentials do not open this registry."""
        with self._call(_Request("GET", "/v2/", "login", frozenset({200}))) as reply:
            reply.read_all(_MAX_ERROR_BYTES)

    def _naming(self, digest: str) -> str:
        return f"{self._path}: {digest[:19]}"

    def _call(self, request: _Request) -> Reply:
        """The answer to *request*. Raises RegistryError for every unexpected one."""
        failures = 0
        while True:
            try:
                return self._attempt(request)
            except RegistryError as exc:
                failures += 1
                patience = self.patience
                delay = patience.backoff.delay_s(exc, failures, patience.jitter())
                if delay is None or not request.is_repeatable:
                    raise
                patience.pause(delay)

    def _attempt(self, request: _Request) -> Reply:
        authorization = self._authorizer.header(self._scopes)
        reply = self._send(request, authorization)
        if reply.status == 401 and 401 not in request.expected:
            challenge = reply.headers.get("WWW-Authenticate", "")
            with reply:
                reply.read_all(_MAX_ERROR_BYTES)
            authorization = self._authorizer.answer(challenge, self._scopes, authorization)
            reply = self._send(request, authorization)
        if reply.status in request.expected:
            return reply
        with reply:
            body = reply.read_all(_MAX_ERROR_BYTES)
        if reply.status == 401 and authorization and is_password(authorization):
            raise login_required(self.host, refused=True)
        raise http_failure(reply.status, reply.headers, body, what=request.what, host=reply.host)

    def _send(self, request: _Request, authorization: Secret | None) -> Reply:
        headers = dict(request.headers)
        if authorization is not None and self._transport.is_own(request.location):
            headers["Authorization"] = authorization.reveal()
        body = request.body
        if body is not None:
            headers["Content-Length"] = str(body.size_bytes)
        return self._transport.request(
            request.method,
            request.location,
            headers=headers,
            body=body.open() if body is not None else None,
        )
