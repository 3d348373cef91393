"""A registry on loopback that misbehaves as told: for what a good one never does."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections import deque
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs, urlsplit

from tests.support.images import OCI_MANIFEST, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.images import MadeImage


class Fault(NamedTuple):
    """What happens to one request for a path that contains *where*."""

    where: str
    status: int = 0  # answer with this instead
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    cut_after: int = -1  # send this many bytes of what was asked for and break off
    stall_s: float = 0.0  # send `cut_after` bytes, then nothing for so long
    no_ranges: bool = False  # answer with the whole
    corrupt: bool = False  # change the last byte
    longer_by: int = 0  # announce and send more


class Token(NamedTuple):
    """What the registry asks for: tokens from its own `/token`, for *login* ("user:password")."""

    login: str = ""
    life_s: int = 300


class FaultyRegistry:
    """Its content, what it shall do wrong, and what it was asked."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, tuple[str, bytes]] = {}
        self.faults: deque[Fault] = deque()
        self.requests: list[str] = []
        self.authorizations: list[str] = []
        self.proxy_authorizations: set[str] = set()
        self.token: Token | None = None
        self.tokens: list[str] = []
        self.sent_bytes = 0
        self.host = ""

    def add(self, image: MadeImage, tag: str = "1") -> None:
        self.blobs.update(image.blobs)
        manifest = (OCI_MANIFEST, image.blobs[image.manifest])
        self.manifests.update({tag: manifest, image.manifest: manifest})

    def add_document(self, target: str, data: bytes, media_type: str) -> None:
        self.manifests[target] = self.manifests[digest_of(data)] = (media_type, data)

    def next_fault(self, path: str) -> Fault:
        if self.faults and self.faults[0].where in path:
            return self.faults.popleft()
        return Fault(path)


@contextmanager
def faulty_registry() -> Iterator[FaultyRegistry]:
    """Serve until the block is left."""
    registry = FaultyRegistry()
    server = _Server(registry)
    registry.host = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, registry: FaultyRegistry) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.registry = registry


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10

    @property
    def registry(self) -> FaultyRegistry:
        assert isinstance(self.server, _Server)
        return self.server.registry

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self.registry.requests.append(f"{self.command} {self.path}")
        self.registry.authorizations.append(self.headers.get("Authorization", ""))
        self.registry.proxy_authorizations.add(self.headers.get("Proxy-Authorization", ""))
        fault = self.registry.next_fault(self.path)
        if fault.status:
            self._answer(fault.status, fault.body, dict(fault.headers))
        elif url.path == "/token":
            self._give_token(parse_qs(url.query))
        elif self.registry.token is not None and not self._is_authorized():
            realm = f'Bearer realm="http://{self.registry.host}/token",service="faulty"'
            self._answer(401, b"", {"WWW-Authenticate": realm})
        elif "/manifests/" in url.path:
            self._manifest(url.path.rpartition("/")[2], fault)
        elif "/blobs/" in url.path:
            self._blob(url.path.rpartition("/")[2], fault)
        else:
            self._answer(200, b"{}", {})

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _is_authorized(self) -> bool:
        sent = self.headers.get("Authorization", "")
        return sent.removeprefix("Bearer ") in self.registry.tokens

    def _give_token(self, query: dict[str, list[str]]) -> None:
        assert self.registry.token is not None
        login = base64.b64encode(self.registry.token.login.encode()).decode()
        sent = self.headers.get("Authorization", "")
        if sent != (f"Basic {login}" if self.registry.token.login else ""):
            self._answer(401, b"", {})
            return
        self.registry.tokens.append(
            f"t{len(self.registry.tokens)}-{'+'.join(query.get('scope', []))}"
        )
        answer = {"token": self.registry.tokens[-1], "expires_in": self.registry.token.life_s}
        self._answer(200, json.dumps(answer).encode(), {})

    def _manifest(self, target: str, fault: Fault) -> None:
        if target not in self.registry.manifests:
            error = {"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}
            self._answer(404, json.dumps({"errors": [error]}).encode(), {})
            return
        media_type, data = self.registry.manifests[target]
        sent = data[:-1] + b" " if fault.corrupt else data
        digest = {"Docker-Content-Digest": digest_of(data), "Content-Type": media_type}
        self._answer(200, sent, digest)

    def _blob(self, digest: str, fault: Fault) -> None:
        if digest not in self.registry.blobs:
            self._answer(404, b"", {})
            return
        data = self.registry.blobs[digest] + b"x" * fault.longer_by
        if fault.corrupt:
            data = data[:-1] + bytes([data[-1] ^ 1])
        wanted = self.headers.get("Range", "")
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        if start and not fault.no_ranges:
            span = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"}
            self._send(206, data[start:], span, fault)
        else:
            self._send(200, data, {}, fault)

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self._send(status, body, headers, Fault(""))

    def _send(self, status: int, body: bytes, headers: dict[str, str], fault: Fault) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        self.registry.sent_bytes += len(body)
        if fault.stall_s:
            self.wfile.write(body[: max(0, fault.cut_after)])
            time.sleep(fault.stall_s)
            self.close_connection = True
        elif fault.cut_after >= 0:
            self.wfile.write(body[: fault.cut_after])
            self.close_connection = True
        else:
            self.wfile.write(body)
