"""What a step's result depends on, as a digest. Pure.

A key has the content that the step begins with, not how that came about: a changed LABEL or an
edit that leaves the files the same does not run a later step again. Secrets are in no key.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

_VERSION = "2"
"""Of what steps make of the same input: 2 since new directories of COPY have the mode 755."""


def step_key(kind: str, files: str, parts: Iterable[object]) -> str:
    """Of a step of *kind* on the file system with the key *files*; *parts* are JSON values."""
    data = msgspec.json.encode([_VERSION, kind, files, list(parts)], order="deterministic")
    return hashlib.sha256(data).hexdigest()
