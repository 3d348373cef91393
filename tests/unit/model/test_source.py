from __future__ import annotations

import pytest

from orchestra.model.source import Position, TreePath, spell_path


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("services", "web", "ports", 1), "services.web.ports[1]"),
        (("labels", "a.b"), 'labels."a.b"'),
        (("labels", ""), 'labels.""'),
        (("x", "\x1b[31m"), 'x."\\u001b[31m"'),
        (("include", 0, "path"), "include[0].path"),
    ],
)
def test_paths_are_spelled_for_people_and_terminals(path: TreePath, text: str) -> None:
    assert spell_path(path) == text


def test_positions_are_written_as_editors_understand_them() -> None:
    assert str(Position("compose.yaml", 3, 5)) == "compose.yaml:3:5"
