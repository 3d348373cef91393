"""What is timed, and the target ratio of each (design.md, "Performance targets")."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

Command = tuple[str, ...]

UP: Command = ("up", "-d")
DOWN: Command = ("down", "-t", "0")


class Work(NamedTuple):
    """One timed command. *compose* makes the compose file for an image's name."""

    name: str
    target: float  # orchestra's time over Docker's
    compose: Callable[[str], str]
    before: tuple[Command, ...]
    timed: Command
    ideal_s: float = 0.0  # time that no tool can save (waiting for healthchecks): subtracted

    @property
    def slug(self) -> str:
        """The name as a directory and project name."""
        return "".join(char if char.isalnum() else "-" for char in self.name.lower()).strip("-")


def independent(count: int) -> Callable[[str], str]:
    """*count* services that sleep and depend on nothing."""

    def compose(image: str) -> str:
        return "services:\n" + "".join(_service(f"s{i}", image) for i in range(count))

    return compose


def chain(count: int, healthcheck: str = "") -> Callable[[str], str]:
    """*count* services, each depending on the one before."""

    def compose(image: str) -> str:
        text = "services:\n"
        for i in range(count):
            text += _service(f"s{i}", image) + healthcheck
            if i and healthcheck:
                text += f"    depends_on: {{s{i - 1}: {{condition: service_healthy}}}}\n"
            elif i:
                text += f"    depends_on: [s{i - 1}]\n"
        return text

    return compose


def _service(name: str, image: str) -> str:
    return (
        f'  {name}:\n    image: {image}\n    command: ["sleep", "600"]\n    stop_grace_period: 1s\n'
    )


_HEALTHCHECK = "    healthcheck: {test: [CMD, 'true'], interval: 500ms, timeout: 5s}\n"

WORKS = (
    Work("up -d, 1 service", 0.25, independent(1), (), UP),
    Work("up -d, 10 services", 0.10, independent(10), (), UP),
    Work("up -d, 50 services", 0.08, independent(50), (), UP),
    Work("up -d, chain of 10", 0.12, chain(10), (), UP),
    # four of the five are waited for, and each becomes healthy at its first probe, after 500 ms
    Work("up -d, chain of 5, healthy", 0.10, chain(5, _HEALTHCHECK), (), UP, ideal_s=2.0),
    Work("second up -d of 10", 0.70, independent(10), (UP,), UP),
    Work("ps of 10", 0.50, independent(10), (UP,), ("ps",)),
    Work("exec -T true", 0.50, independent(1), (UP,), ("exec", "-T", "s0", "true")),
    Work("run --rm true", 0.25, independent(1), (UP,), ("run", "--rm", "s0", "true")),
    Work("down -t 0 of 10", 0.10, independent(10), (UP,), DOWN),
    Work("down -t 0 of 50", 0.06, independent(50), (UP,), DOWN),
)
