"""Writing compose files in tests, and asking for web pages."""

from __future__ import annotations

import json
import os
import textwrap
from typing import TYPE_CHECKING
from urllib.request import ProxyHandler, build_opener

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

PYTHON = "/usr/bin/python3"


def write_compose(orchestra: Orchestra, text: str, name: str = "compose.yaml") -> str:
    """Write *text*, dedented, into the project directory; the file's path."""
    path = os.path.join(orchestra.directory, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(textwrap.dedent(text).lstrip("\n"))
    return path


def fetch(url: str, *, timeout_s: float = 5) -> str:
    """The page at *url*, asked for directly. Raises OSError."""
    opener = build_opener(ProxyHandler({}))
    with opener.open(url, timeout=timeout_s) as answer:
        text: str = answer.read().decode()
    return text


def states(orchestra: Orchestra) -> dict[str, dict[str, object]]:
    """What `ps -a --format json` says, by container name."""
    lines = orchestra("ps", "-a", "--format", "json").out.splitlines()
    return {record["Name"]: record for record in map(json.loads, lines)}
