"""ADD of a URL: the file is downloaded into the build's own directory, and its digest compared.

Imported by builds that need it only: an HTTP client is dear.
"""

from __future__ import annotations

import email.utils
import hashlib
import os
import posixpath
import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING

from orchestra import __version__

if TYPE_CHECKING:
    from http.client import HTTPResponse

_CHUNK = 1 << 18
_TIMEOUT_S = 60.0
_MODE = 0o600  # as Docker gives to what comes from elsewhere


class FetchError(ValueError):
    """The file cannot be had; the text is a sentence."""


def file_name(url: str) -> str:
    """What the file is called when the destination is a directory."""
    name = posixpath.basename(urllib.parse.unquote(urllib.parse.urlsplit(url).path))
    return name if name not in ("", ".", "..") else "__unnamed__"


def fetch(url: str, directory: str, checksum: str) -> str:
    """Download *url* into *directory*; the name it has there. Raises FetchError.

    *checksum* is "sha256:…", or "". Proxies are those of the environment. The file's time is that
    which the server tells.
    """
    name = file_name(url)
    path = os.path.join(directory, name)
    request = urllib.request.Request(url, headers={"User-Agent": f"orchestra/{__version__}"})  # noqa: S310 (http or https)
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:  # noqa: S310
            digest = _save(response, path)
            changed = response.headers.get("Last-Modified", "")
    except urllib.error.HTTPError as exc:
        raise FetchError(f"{url}: the server answers {exc.code} {exc.reason}") from exc
    except urllib.error.URLError as exc:
        raise FetchError(f"{url}: {exc.reason}") from exc
    except (OSError, ValueError) as exc:
        raise FetchError(f"{url}: {exc}") from exc
    if checksum and checksum != f"sha256:{digest}":
        raise FetchError(f"{url} has the digest sha256:{digest}, and not {checksum}")
    moment = email.utils.parsedate_tz(changed)
    mtime = email.utils.mktime_tz(moment) if moment else 0
    os.utime(path, (mtime, mtime))
    return name


def _save(response: HTTPResponse, path: str) -> str:
    digest = hashlib.sha256()
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _MODE)
    with open(fd, "wb") as file:
        while data := response.read(_CHUNK):
            digest.update(data)
            file.write(data)
    return digest.hexdigest()
