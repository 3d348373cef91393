"""Where a copy lands and what it is called: the rules of `docker container cp`, without I/O.

https://docs.docker.com/reference/cli/docker/container/cp/ has them as a table; moby/go-archive,
PrepareArchiveCopy, is what they are in practice.
"""

from __future__ import annotations

import os

from orchestra.errors import Conflict, NotFound, OrchestraError
from orchestra.named import NamedTuple


class Place(NamedTuple):
    """One side of a copy: a path in a container (or in a *service*), or here ("")."""

    service: str
    path: str


class Source(NamedTuple):
    """*name* is "" for the content of a directory without the directory: "path/."."""

    name: str
    is_directory: bool


class Destination(NamedTuple):
    """*path* has no symbolic link at its end; it may end with "/" or "/."."""

    path: str
    exists: bool
    is_directory: bool


class Landing(NamedTuple):
    """The existing directory that is written to; what the copy is called there ("" as above)."""

    directory: str
    name: str


def split_place(text: str) -> Place:
    """`SERVICE:PATH`; what begins with "/" or "." is a path here, even with a colon in it."""
    service, colon, path = text.partition(":")
    if text.startswith("/") or not colon or service.startswith("."):
        return Place("", text)
    return Place(service, path)


def in_container(path: str) -> str:
    """*path* as an absolute one, with the "/" or "/." at its end that it had."""
    return with_ending(os.path.normpath("/" + path.lstrip("/")), path)


def with_ending(clean: str, original: str) -> str:
    """*clean* with the "/" or "/." at the end of *original*, which says something."""
    if _means_content(original) and not _means_content(clean):
        return f"{clean.rstrip('/')}/."
    if original.endswith("/") and not clean.endswith("/"):
        return f"{clean}/"
    return clean


def source_name(path: str) -> str:
    """What the thing at *path* is called in a copy; "" for "/." and "/"."""
    return "" if _means_content(path) else os.path.basename(path.rstrip("/"))


def asserts_directory(path: str) -> bool:
    return path.endswith("/") or _means_content(path)


def landing(source: Source, destination: Destination) -> Landing:
    """Raises Conflict or NotFound where there is no place for *source*."""
    if destination.exists and destination.is_directory:
        return Landing(destination.path, source.name)
    if destination.exists and source.is_directory:
        raise Conflict(
            f"cannot copy a directory to the file {destination.path}",
            fix="name a directory as the destination, or one that does not exist yet",
        )
    if asserts_directory(destination.path) and not source.is_directory:
        raise NotFound(
            f"no such directory: {destination.path}", fix="make it first, or leave the / out"
        )
    if _means_content(destination.path):
        return Landing(destination.path, source.name)  # which does not exist
    clean = destination.path.rstrip("/")
    return Landing(os.path.dirname(clean) or "/", os.path.basename(clean))


def check_direction(source: Place, destination: Place) -> None:
    """Raises OrchestraError when neither side is a service, or both are."""
    if source.service and destination.service:
        raise OrchestraError(
            "copying between services is not supported",
            fix="copy to a directory here first, then from there",
        )
    if not source.service and not destination.service:
        raise OrchestraError(
            "unknown copy direction: neither side is a service",
            fix="write one side as SERVICE:PATH",
        )


def _means_content(path: str) -> bool:
    return path == "." or path.endswith("/.")
