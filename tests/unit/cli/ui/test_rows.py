"""The rows of `orchestra ui`, and how text from containers gets onto the screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra.cli.ui.rows import matching, rows_of, summary
from orchestra.cli.ui.text import cell, log_line
from orchestra.model.state import ContainerState, PortState
from orchestra.ops.container_stats import Stats

WEB = ContainerState(
    id="1",
    name="demo-web-1",
    project="demo",
    service="web",
    number=1,
    image="host",
    image_id="",
    config_hash="",
    command=("sh",),
    created_ns=1,
    status="running",
    health="healthy",
    ports=(
        PortState(80, "tcp", "0.0.0.0", 8080),
        PortState(80, "tcp", "::", 8080),
        PortState(90, "tcp"),
    ),
)
JOB = WEB._replace(
    id="2", name="demo-job-1", service="job", status="exited", exit_code=3, health="", ports=()
)
ROWS = rows_of([Stats(WEB, 12.34, 3 * 1024**2), Stats(JOB)], ["web", "job", "later"])


def test_there_is_a_row_for_each_container_and_each_service_without() -> None:
    assert [row.cells for row in ROWS] == [
        ("job-1", "exited (3)", "", "", "", ""),
        ("later", "not created", "", "", "", ""),
        ("web-1", "running", "healthy", "12.3%", "3MiB", "0.0.0.0:8080->80/tcp"),
    ]


def test_replicas_stand_in_the_order_of_their_numbers() -> None:
    replicas = [Stats(WEB._replace(name=f"demo-web-{n}", number=n)) for n in (10, 9)]
    assert [row.name for row in rows_of(replicas, ())] == ["web-9", "web-10"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ["job-1", "later", "web-1"]),
        ("WEB", ["web-1"]),
        ("8080", ["web-1"]),
        ("exited", ["job-1"]),
        ("running healthy", ["web-1"]),
        ("running job", []),
    ],
)
def test_each_word_of_a_filter_must_occur(text: str, names: list[str]) -> None:
    assert [row.name for row in matching(ROWS, text)] == names


def test_the_summary_counts() -> None:
    assert summary(ROWS) == "1 of 3 running"
    bad = rows_of([Stats(WEB._replace(health="unhealthy"))], ())
    assert summary(bad) == "1 of 1 running, 1 unhealthy"
    assert summary(rows_of([], ["web"])).startswith("nothing is there: `orchestra up -d`")


def test_colours_of_a_log_line_stay_and_all_else_is_shown() -> None:
    line = log_line("\x1b[31mred\x1b[0m \x1b]0;title\x07\x1b[2J\x9bH end")
    assert line.plain == r"red \x1b]0;title\x07\x1b[2J\x9bH end"
    assert str(line.spans[0].style) == "color(1)"
    assert cell("a\x1b[2J[b]").plain == r"a\x1b[2J[b]"


@given(st.text())
def test_no_line_of_a_log_holds_a_control_character(text: str) -> None:
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in log_line(text).plain)
