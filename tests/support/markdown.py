"""Code blocks of the documentation, for the tests that run them."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

ROOT = os.path.normpath(os.path.join(os.path.dirname(__file__), "..", ".."))

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


class Block(NamedTuple):
    """A fenced block: its language, its text, and the line before it (a comment may mark it)."""

    language: str
    text: str
    mark: str


def documents() -> list[str]:
    """The paths of all documents, relative to the repository."""
    docs = sorted(f"docs/{name}" for name in os.listdir(f"{ROOT}/docs") if name.endswith(".md"))
    return ["README.md", "CONTRIBUTING.md", *docs]


def blocks(document: str) -> list[Block]:
    with open(os.path.join(ROOT, document), encoding="utf-8") as file:
        text = file.read()
    return [
        Block(match.group(1), match.group(2), text[: match.start()].rstrip().rsplit("\n", 1)[-1])
        for match in _FENCE.finditer(text)
    ]


def console_commands(document: str) -> list[str]:
    """What the ```console blocks of *document* tell the reader to type, in order."""
    return [
        line.removeprefix("$ ")
        for block in blocks(document)
        if block.language == "console"
        for line in block.text.splitlines()
        if line.startswith("$ ")
    ]


def setup_command() -> str:
    """The README's one command that sets up and runs the quickstart."""
    (block,) = [b for b in blocks("README.md") if b.mark == "<!-- set up and run -->"]
    return block.text.strip()
