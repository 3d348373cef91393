"""For all tests: golden files, skips by marker with their reasons, and a summary of the skips."""

from __future__ import annotations

import os
from collections import Counter

import pytest
from hypothesis import settings

from tests.support.golden import Golden
from tests.support.probe import missing_for

settings.register_profile("orchestra", deadline=None)  # which a busy machine would miss
settings.load_profile("orchestra")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write what the code prints now into the golden files, for review",
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compares text with a file under `golden/` beside the test."""
    directory = os.path.join(os.path.dirname(str(request.path)), "golden")
    return Golden(directory, update=bool(request.config.getoption("--update-golden")))


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests see none of the caller's COMPOSE_ and ORCHESTRA_ variables."""
    for name in list(os.environ):
        if name.startswith(("COMPOSE_", "ORCHESTRA_")) or name == "NO_COLOR":
            monkeypatch.delenv(name)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for marker in item.iter_markers():
            reason = missing_for(marker.name)
            if reason:
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests were skipped and why, so that green never hides it."""
    reasons: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", ()):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[reason.removeprefix("Skipped: ")] += 1
    if not reasons:
        return
    terminalreporter.section("skipped, and why")
    for reason, count in reasons.most_common():
        terminalreporter.line(f"{count:5} × {reason}")
