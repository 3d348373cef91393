"""The matrix of attributes in `docs/compatibility.md`: made from the schema and a file of rows.

`python -m tests.support.compatibility --write` renews the page. `compatibility.txt` has a row for
each attribute of the schema, `{a,b}` standing for both: what shows that it works (tests, those of
`test_attributes.py` by their case as `attributes[CASE]`), or `accepted:` or `refused:` with the
reason, and perhaps a test after a semicolon. Paths count from `tests/integration`, or `tests` for
`unit/…`; `outside` is `test_attributes_outside.py`.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from orchestra.config.schema import load_schema
from tests.support.markdown import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PAGE = os.path.join(ROOT, "docs", "compatibility.md")
_ROWS = os.path.join(os.path.dirname(__file__), "compatibility.txt")
_BEGIN = "<!-- made by `python -m tests.support.compatibility --write` -->\n"
_END = "<!-- end -->\n"
_SECTIONS = ("services", "networks", "volumes", "configs", "secrets")
_SHORT = {"outside": "test_attributes_outside.py"}


class Row(NamedTuple):
    """*state* is "works", "accepted" or "refused"; the latter two have a *reason*."""

    state: str
    reason: str
    tests: tuple[str, ...]


def attributes() -> tuple[str, ...]:
    """Every attribute that the schema knows, as "services.cpus"."""
    definitions = load_schema("compose")["$defs"]
    assert isinstance(definitions, dict)
    found: dict[str, None] = {}
    for section in _SECTIONS:
        walk = _Walk(definitions)
        found.update(dict.fromkeys(walk.below(definitions[section[:-1]], section)))
    return tuple(found)


class _Walk:
    """Over a JSON schema, into what it refers to, but never around in a circle."""

    def __init__(self, definitions: Mapping[str, object]) -> None:
        self._definitions = definitions
        self._inside: list[str] = []

    def below(self, node: object, path: str) -> Iterator[str]:
        if not isinstance(node, dict):
            return
        name = str(node.get("$ref", "")).rpartition("/")[2]
        if name:
            if name not in self._inside:
                self._inside.append(name)
                yield from self.below(self._definitions[name], path)
                self._inside.pop()
            return
        for alternative in (*node.get("oneOf", ()), *node.get("anyOf", ())):
            yield from self.below(alternative, path)
        for key, value in node.get("properties", {}).items():
            yield f"{path}.{key}"
            yield from self.below(value, f"{path}.{key}")
        for pattern, value in node.get("patternProperties", {}).items():
            if pattern != "^x-":
                yield from self.below(value, f"{path}.*")
        yield from self.below(node.get("items"), f"{path}.*")


@cache
def rows() -> dict[str, Row]:
    """What the file says, by attribute. Raises AssertionError for two rows of one attribute."""
    found: dict[str, Row] = {}
    section = ""
    with open(_ROWS, encoding="utf-8") as file:
        for line in file:
            text = line.strip()
            if text.startswith("["):
                section = text.strip("[]")
            elif text and not text.startswith("#"):
                pattern, _, verdict = text.partition("|")
                for path in _expanded(f"{section}.{pattern.strip()}"):
                    assert path not in found, path
                    found[path] = _row(verdict.strip())
    return found


def _expanded(pattern: str) -> Iterator[str]:
    """Each word that *pattern* with `{a,b}` stands for."""
    match = re.search(r"\{([^{}]*)\}", pattern)
    if match is None:
        yield pattern
        return
    for word in match[1].split(","):
        yield from _expanded(pattern[: match.start()] + word + pattern[match.end() :])


def _row(verdict: str) -> Row:
    state, colon, rest = verdict.partition(": ")
    if not colon or state not in ("accepted", "refused"):
        return Row("works", "", tuple(verdict.split()))
    reason, _, tests = rest.partition("; test")
    return Row(state, reason, (f"test{tests}",) if tests else ())


def missing_test(name: str) -> str:
    """Why the test *name* cannot be found; "" when it is there."""
    if name.startswith("attributes["):
        case = name[len("attributes[") : -1]
        return "" if case in _cases() else "no such case"
    file, _, function = name.partition("::")
    file = _SHORT.get(file, file)
    path = os.path.join(ROOT, "tests", file if file.startswith("unit/") else f"integration/{file}")
    if not os.path.exists(path):
        return f"no file {path}"
    return "" if function in _functions(path) else "no such function"


@cache
def _functions(path: str) -> frozenset[str]:
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    names = (node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    return frozenset(name for name in names if name.startswith("test_"))


@cache
def _cases() -> frozenset[str]:
    from tests.integration.attributes import process, resources, security

    every = (*process.CASES, *resources.CASES, *security.CASES)
    return frozenset(case.name for case in every)


def table() -> str:
    """The matrix as Markdown, one line per attribute."""
    lines = []
    known = rows()
    for section in _SECTIONS:
        lines += ["", f"### `{section}`", "", "| attribute | | shown by |", "|---|---|---|"]
        for path in attributes():
            head, _, attribute = path.partition(".")
            row = known.get(path)
            if head == section and row is not None:
                shown = ", ".join(_shown(test) for test in row.tests)
                told = "; ".join(filter(None, (row.reason, shown)))
                lines.append(f"| `{attribute}` | {row.state} | {told} |")
    return "\n".join(lines[1:]) + "\n"


def _shown(test: str) -> str:
    file, separator, function = test.partition("::")
    name = _SHORT.get(file, file).removesuffix(".py") + separator + function
    return f"`{name}`"


def page() -> str:
    """The page with the matrix as it should be."""
    with open(PAGE, encoding="utf-8") as file:
        text = file.read()
    before, _, rest = text.partition(_BEGIN)
    return f"{before}{_BEGIN}\n{table()}\n{_END}{rest.partition(_END)[2]}"


if __name__ == "__main__":
    wanted = page()
    if "--write" in sys.argv[1:]:
        with open(PAGE, "w", encoding="utf-8") as stream:
            stream.write(wanted)
    else:
        sys.stdout.write(table())
