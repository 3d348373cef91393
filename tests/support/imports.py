"""What a Python file imports from a package, read from its syntax, lazy imports included."""

from __future__ import annotations

import ast
import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = os.path.normpath(os.path.join(os.path.dirname(__file__), "..", "..", "orchestra"))


class Module(NamedTuple):
    """A file of the package; *name* is its dotted name without "orchestra."."""

    name: str
    path: str
    tree: ast.Module
    lines: int


def modules() -> list[Module]:
    """Every file of the package."""
    found: list[Module] = []
    for directory, _directories, files in os.walk(PACKAGE):
        names = [os.path.join(directory, file) for file in files if file.endswith(".py")]
        found += map(_parsed, names)
    return sorted(found)


def imported(module: Module) -> Iterator[str]:
    """The modules of the package that *module* imports, anywhere in it."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = list(_from(node))
        else:
            continue
        yield from (name.removeprefix("orchestra.") for name in names if name[:10] == "orchestra.")


def external(module: Module) -> Iterator[str]:
    """The top-level names of everything else that it imports."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


def _from(node: ast.ImportFrom) -> Iterator[str]:
    """The modules that `from X import a, b` loads: X, and those of a and b that are modules."""
    assert node.module is not None
    for alias in node.names:
        path = os.path.join(PACKAGE, "..", *node.module.split("."), alias.name)
        is_module = os.path.exists(f"{path}.py") or os.path.isdir(path)
        yield f"{node.module}.{alias.name}" if is_module else node.module


def _parsed(path: str) -> Module:
    with open(path, encoding="utf-8") as file:
        text = file.read()
    name = os.path.relpath(path, PACKAGE).removesuffix(".py").replace(os.sep, ".")
    return Module(name.removesuffix(".__init__"), path, ast.parse(text), text.count("\n"))
