"""docs/passes.md says what the tables say."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestra.config.attributes import TABLE
from orchestra.config.pipeline import ONCE, ONCE_WITH_VALUES, PER_DOCUMENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pytest

    from orchestra.config.pipeline import Pass

PAGE = os.path.join(os.path.dirname(__file__), "..", "..", "..", "docs", "passes.md")


def _rows(passes: Iterable[Pass]) -> Iterator[str]:
    return (f"| {step.name} | {step.why} |" for step in passes)


def _rules() -> Iterator[str]:
    for row in TABLE:
        rules = [
            f"{column}: {getattr(row, column).__name__}"
            for column in ("cast", "merge", "unique", "canonical", "value")
            if getattr(row, column) is not None
        ]
        yield f"| `{row.path}` | {', '.join(rules)} |"


def page() -> str:
    head = ("| pass | why here |", "|---|---|")
    lines = [
        "# The loader's passes",
        "",
        "Written by `tests/unit/config/test_passes.py --update-golden` from the tables in",
        "`orchestra/config/pipeline.py` and `attributes.py`.",
        "",
        "## For every document of every file",
        "",
        *head,
        *_rows(PER_DOCUMENT),
        "",
        "## Once, on the merged whole",
        "",
        *head,
        *_rows((*ONCE, *ONCE_WITH_VALUES)),
        "",
        "## Attributes with rules of their own",
        "",
        "| attribute | rules |",
        "|---|---|",
        *_rules(),
    ]
    return "\n".join(lines) + "\n"


def test_the_page_about_passes_is_up_to_date(pytestconfig: pytest.Config) -> None:
    if pytestconfig.getoption("--update-golden"):
        with open(PAGE, "w", encoding="utf-8") as file:
            file.write(page())
    with open(PAGE, encoding="utf-8") as file:
        assert file.read() == page()


def test_no_attribute_has_two_rows() -> None:
    paths = [row.path for row in TABLE]
    assert len(paths) == len(set(paths))
