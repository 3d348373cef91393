"""Logging, configured by entry points only. Libraries call `logging.getLogger(__name__)`."""

from __future__ import annotations

import logging

FORMAT = "%(asctime)s.%(msecs)03d %(levelname)-7s %(name)s %(message)s"


def log_to_stderr(level: int = logging.DEBUG) -> None:
    """For `--verbose`: everything that orchestra logs, on stderr."""
    logging.basicConfig(level=level, format=FORMAT, datefmt="%H:%M:%S")


def log_to_file(path: str, level: int = logging.INFO) -> None:
    """For a supervisor: append to *path*, which only its owner can read."""
    import os

    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    stream = open(descriptor, "a", encoding="utf-8", errors="backslashreplace")  # noqa: SIM115 (open as long as the process)
    logging.basicConfig(level=level, format=FORMAT, stream=stream, force=True)
