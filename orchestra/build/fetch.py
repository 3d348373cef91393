"""Files from web servers, kept with what the server says of their version (RFC 9110, 13).

A file that the server says is unchanged is not sent again; one whose digest is known beforehand is
not even asked for. Imported by builds that need it only: an HTTP client is dear.
"""

from __future__ import annotations

import email.utils
import hashlib
import http.client
import os
import posixpath
import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from orchestra import __version__
from orchestra.image.filelock import locked_directory
from orchestra.model.container import Frozen
from orchestra.runtime.statefile import write_atomically

if TYPE_CHECKING:
    from http.client import HTTPResponse

_CHUNK = 1 << 18
_TIMEOUT_S = 60.0
_MODE = 0o600  # as Docker gives to what comes from elsewhere


class FetchError(ValueError):
    """The file cannot be had; the text is a sentence."""


class Wanted(NamedTuple):
    """*checksum* is "sha256:…" (or of sha384, sha512), or ""."""

    url: str
    checksum: str = ""


class _Kept(Frozen, frozen=True, kw_only=True):
    """What is known of a file that was downloaded before; *digests* by algorithm."""

    url: str
    etag: str = ""
    changed: str = ""
    digests: dict[str, str]


_ALGORITHMS = {"sha256": 64, "sha384": 96, "sha512": 128}


def file_name(url: str) -> str:
    """What the file is called when the destination is a directory."""
    name = posixpath.basename(urllib.parse.unquote(urllib.parse.urlsplit(url).path))
    return name if name not in ("", ".", "..") else "__unnamed__"


def fetch(wanted: Wanted, directory: str, kept: str) -> str:
    """Have the file in *directory*; the name it has there. Raises FetchError.

    *kept* is the directory of all downloads. Proxies are those of the environment. The file's time
    is that which the server tells.
    """
    url, checksum = wanted
    _check(checksum)
    base = os.path.join(kept, hashlib.sha256(url.encode()).hexdigest()[:32])
    with locked_directory(base):
        known = _known(base, url)
        if known is None or not checksum or not _has(known, checksum):
            known = _download(url, base, known)
        if checksum and not _has(known, checksum):
            algorithm = checksum.partition(":")[0]
            found = known.digests.get(algorithm, "")
            raise FetchError(f"{url} has the digest {algorithm}:{found}, and not {checksum}")
        name = file_name(url)
        path = os.path.join(directory, name)
        if os.path.exists(path):
            os.unlink(path)
        os.link(f"{base}/content", path)
    return name


def _check(checksum: str) -> None:
    algorithm, _, digits = checksum.partition(":")
    if not checksum:
        return
    if len(digits) != _ALGORITHMS.get(algorithm) or set(digits) - set("0123456789abcdef"):
        raise FetchError(f'"{checksum}" is no checksum: write sha256: and 64 hexadecimal digits')


def _has(known: _Kept, checksum: str) -> bool:
    algorithm, _, digits = checksum.partition(":")
    return known.digests.get(algorithm) == digits


def _known(base: str, url: str) -> _Kept | None:
    try:
        with open(f"{base}/about.json", "rb") as file:
            known = msgspec.json.decode(file.read(), type=_Kept)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return known if known.url == url and os.path.exists(f"{base}/content") else None


def _download(url: str, base: str, known: _Kept | None) -> _Kept:
    headers = {"User-Agent": f"orchestra/{__version__}"}
    if known is not None and known.etag:
        headers["If-None-Match"] = known.etag
    elif known is not None and known.changed:
        headers["If-Modified-Since"] = known.changed
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 (http or https)
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:  # noqa: S310
            return _save(response, url, base)
    except urllib.error.HTTPError as exc:
        if exc.code == 304 and known is not None:
            return known
        raise FetchError(f"{url}: the server answers {exc.code} {exc.reason}") from exc
    except urllib.error.URLError as exc:
        reason = exc.reason.strerror if isinstance(exc.reason, OSError) else exc.reason
        raise FetchError(f"{url}: {reason or exc.reason}") from exc
    except (OSError, ValueError, http.client.HTTPException) as exc:
        raise FetchError(f"{url}: {exc}") from exc


def _save(response: HTTPResponse, url: str, base: str) -> _Kept:
    hashes = {name: hashlib.new(name) for name in _ALGORITHMS}
    draft = f"{base}/draft"
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _MODE)
    with open(fd, "wb") as file:
        while data := response.read(_CHUNK):
            for each in hashes.values():
                each.update(data)
            file.write(data)
    length = response.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) != os.stat(draft).st_size:
        raise FetchError("the connection broke off")
    changed = response.headers.get("Last-Modified", "")
    moment = email.utils.parsedate_tz(changed)
    mtime = email.utils.mktime_tz(moment) if moment else 0
    os.utime(draft, (mtime, mtime))
    known = _Kept(
        url=url,
        etag=response.headers.get("ETag", ""),
        changed=changed,
        digests={name: each.hexdigest() for name, each in hashes.items()},
    )
    if os.path.exists(f"{base}/about.json"):
        os.unlink(f"{base}/about.json")
    os.rename(draft, f"{base}/content")
    write_atomically(f"{base}/about.json", msgspec.json.encode(known), durable=False)
    return known
