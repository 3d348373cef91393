"""What a benchmark has found out, and the table that all of them print."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class Result(NamedTuple):
    """Medians of both sides in *unit*; *docker* is None where there is no Docker."""

    work: str
    target: float  # orchestra's figure over Docker's: not above it, or with *more* not below it
    orchestra: float
    docker: float | None
    unit: str = "ms"
    more: bool = False  # more is better: requests per second

    @property
    def ratio(self) -> float | None:
        return None if not self.docker else self.orchestra / self.docker

    @property
    def missed(self) -> bool:
        if self.ratio is None:
            return False
        return self.ratio < self.target if self.more else self.ratio > self.target


def table(results: Iterable[Result]) -> str:
    """A line for each result, as text."""
    rows = [f"{'work':40} {'docker':>14} {'orchestra':>14} {'ratio':>7} {'target':>9}"]
    for result in results:
        docker = "-" if result.docker is None else f"{result.docker:.1f} {result.unit}"
        ratio = "-" if result.ratio is None else f"{result.ratio:.3f}"
        target = f"{'>=' if result.more else '<='} {result.target:.2f}"
        rows.append(
            f"{result.work:40} {docker:>14} {f'{result.orchestra:.1f} {result.unit}':>14} "
            f"{ratio:>7} {target:>9}{'  missed' if result.missed else ''}"
        )
    return "\n".join(rows)


def write_json(results: Iterable[Result], path: Path) -> None:
    path.write_text(json.dumps([{**result._asdict(), "ratio": result.ratio} for result in results]))
