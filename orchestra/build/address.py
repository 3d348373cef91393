"""Places that files come from, by what their names look like: directories, URLs, repositories."""

from __future__ import annotations

import re

STDIN = "-"
IMAGE_SCHEME = "docker-image://"
"""Before the name of an image that stands for a context."""

_GITHUB = "github.com/"
_SCP = re.compile(r"[A-Za-z0-9_.+-]+@[A-Za-z0-9\[][^/:#?]*:[^#?]+")


def is_url(source: str) -> bool:
    return source.startswith(("http://", "https://"))


def is_repository(source: str) -> bool:
    """Is *source* a git repository? docs.docker.com/build/concepts/context#git-repositories."""
    path = source.partition("#")[0].partition("?")[0]
    if path.startswith(("git://", "ssh://")) or _SCP.fullmatch(path):
        return True
    return is_url(path) and path.endswith(".git")


def is_remote(context: str) -> bool:
    """Is the build context *context* to be brought here, and no directory?"""
    return context == STDIN or is_url(context) or is_repository(spelled_out(context))


def spelled_out(context: str) -> str:
    """`github.com/…` is short for a repository there."""
    if not context.startswith(_GITHUB):
        return context
    remote, separator, rest = context.partition("#")
    remote = remote if remote.endswith(".git") else f"{remote}.git"
    return f"https://{remote}{separator}{rest}"
