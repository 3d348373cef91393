"""ADD of URLs, from a server on the loopback."""

from __future__ import annotations

import hashlib
import http.server
import os
import threading
from typing import TYPE_CHECKING, ClassVar

import pytest

from orchestra.build.address import is_repository, is_url
from orchestra.build.fetch import FetchError, Wanted, fetch, file_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTENT = b"what was asked for\n"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Files(http.server.BaseHTTPRequestHandler):
    answers: ClassVar[list[int]] = []

    def do_GET(self) -> None:
        if self.path != "/dir/file.txt?x=1":
            self.send_error(404)
            return
        if self.headers.get("If-None-Match") == '"v1"':
            self.answers.append(304)
            self.send_response(304)
            self.end_headers()
            return
        self.answers.append(200)
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.send_header("ETag", '"v1"')
        self.send_header("Last-Modified", "Tue, 14 Nov 2023 22:13:20 GMT")
        self.end_headers()
        self.wfile.write(CONTENT)

    def log_message(self, format: str, *args: object) -> None: ...


def get(url: str, directory: Path, checksum: str = "") -> str:
    place = directory / "place"
    place.mkdir(exist_ok=True)
    return fetch(Wanted(url, checksum), str(place), str(directory / "kept"))


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
    name = get(f"{url}/dir/file.txt?x=1", tmp_path, f"sha256:{DIGEST}")
    assert name == "file.txt"
    path = tmp_path / "place" / name
    status = os.stat(path)
    assert path.read_bytes() == CONTENT
    assert (status.st_mode & 0o777, int(status.st_mtime)) == (0o600, 1_700_000_000)


def test_another_content_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="has the digest sha256:"):
        get(f"{url}/dir/file.txt?x=1", tmp_path, "sha256:" + "0" * 64)


@pytest.mark.parametrize("checksum", ["sha256:12", "md5:" + "0" * 32, "0" * 64])
def test_what_is_no_checksum_is_told(tmp_path: Path, checksum: str) -> None:
    with pytest.raises(FetchError, match="is no checksum"):
        get("http://127.0.0.1:1/x", tmp_path, checksum)


def test_what_the_server_says_is_unchanged_is_not_sent_again(url: str, tmp_path: Path) -> None:
    Files.answers.clear()
    for _ in range(2):
        name = get(f"{url}/dir/file.txt?x=1", tmp_path)
        assert (tmp_path / "place" / name).read_bytes() == CONTENT
    assert Files.answers == [200, 304]
    get(f"{url}/dir/file.txt?x=1", tmp_path, f"sha256:{DIGEST}")
    assert Files.answers == [200, 304], "a file whose digest is known is not asked for"


def test_a_missing_file_is_told(url: str, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="the server answers 404"):
        get(f"{url}/nothing", tmp_path)


def test_a_server_that_is_not_there_is_told(tmp_path: Path, url: str) -> None:
    del url
    with pytest.raises(FetchError, match="refused"):
        get("http://127.0.0.1:1/x", tmp_path)


def test_an_address_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="http://h:abc/x: nonnumeric port"):
        get("http://h:abc/x", tmp_path)


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
