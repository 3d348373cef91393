"""Logging, configured by entry points only. Libraries call `logging.getLogger(__name__)`."""

from __future__ import annotations

import logging

FORMAT = "%(asctime)s.%(msecs)03d %(levelname)-7s %(name)s %(message)s"


def log_to_stderr(level: int = logging.DEBUG) -> None:
    """For `--verbose`: everything that orchestra logs, on stderr."""
    logging.basicConfig(level=level, format=FORMAT, datefmt="%H:%M:%S")
