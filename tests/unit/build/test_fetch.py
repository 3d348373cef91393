"""ADD of URLs, from a server on the loopback."""

from __future__ import annotations

import hashlib
import http.server
import os
import threading
from typing import TYPE_CHECKING

import pytest

from orchestra.build.fetch import FetchError, fetch, file_name
from orchestra.build.instructions.add import is_repository, is_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTENT = b"what was asked for\n"


class Files(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path != "/dir/file.txt?x=1":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.send_header("Last-Modified", "Tue, 14 Nov 2023 22:13:20 GMT")
        self.end_headers()
        self.wfile.write(CONTENT)

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_file_is_for_its_owner_and_has_the_servers_time(url: str, tmp_path: Path) -> None:
    checksum = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
    name = fetch(f"{url}/dir/file.txt?x=1", str(tmp_path), checksum)
    assert name == "file.txt"
    status = os.stat(tmp_path / name)
    assert (tmp_path / name).read_bytes() == CONTENT
    assert (status.st_mode & 0o777, int(status.st_mtime)) == (0o600, 1_700_000_000)


def test_another_content_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="has the digest sha256:"):
        fetch(f"{url}/dir/file.txt?x=1", str(tmp_path), "sha256:" + "0" * 64)


def test_a_missing_file_is_told(url: str, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="the server answers 404"):
        fetch(f"{url}/nothing", str(tmp_path), "")


def test_a_server_that_is_not_there_is_told(tmp_path: Path, url: str) -> None:
    del url
    with pytest.raises(FetchError, match="refused"):
        fetch("http://127.0.0.1:1/x", str(tmp_path), "")


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("http://h/a/b.tar.gz", "b.tar.gz"),
        ("http://h/a%20b?c=d#e", "a b"),
        ("http://h/", "__unnamed__"),
        ("http://h/..", "__unnamed__"),
    ],
)
def test_the_name_is_the_last_part_of_the_path(source: str, name: str) -> None:
    assert file_name(source) == name


def test_repositories_are_told_from_files() -> None:
    assert is_repository("https://example.org/x.git#main")
    assert is_repository("git@example.org:x")
    assert not is_repository("https://example.org/x.tar")
    assert not is_url("./http:/x")
