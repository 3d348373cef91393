"""`events`: what happens to a project's containers, and what has happened."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from orchestra.named import NamedTuple
from orchestra.runtime import eventlog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.layout import Layout
    from orchestra.ops.target import Target


_COMPOSE_LABELS = "com.docker.compose."
"""Labels of Compose's own, which `docker events` shows and `docker compose events` does not."""


class ProjectEvent(NamedTuple):
    """*action* in Docker's words: create, start, die, stop, "health_status: healthy" …"""

    time_ns: int
    action: str
    id: str
    name: str
    service: str
    image: str
    attributes: tuple[tuple[str, str], ...]
    oneoff: bool = False


class Period(NamedTuple):
    """From when to when, in nanoseconds since the epoch; 0 and 0: from now on, without end.

    As with Docker an end alone means all of the past until then.
    """

    since_ns: int = 0
    until_ns: int = 0


def events(layout: Layout, target: Target, period: Period) -> Iterator[ProjectEvent]:
    """The events of *target* within *period*; of containers that `run` made there are none.

    The past reaches back to the last reboot, and some thousand events. Needs no supervisor.
    """
    for event in project_events(layout, target.project, period):
        if not event.oneoff and (not target.services or event.service in target.services):
            shown = (pair for pair in event.attributes if not pair[0].startswith(_COMPOSE_LABELS))
            yield event._replace(attributes=tuple(shown))


def project_events(layout: Layout, project: str, period: Period) -> Iterator[ProjectEvent]:
    """All of them."""
    past = bool(period.since_ns or period.until_ns)
    for line in eventlog.lines(layout.events(project), past=past, until_ns=period.until_ns):
        event = _event(line)
        if event is None or event.time_ns < period.since_ns:
            continue
        if period.until_ns and event.time_ns > period.until_ns:
            return
        yield event


def machine_events(layout: Layout, period: Period) -> Iterator[ProjectEvent]:
    """Those of every project, as `docker events` shows them."""
    past = bool(period.since_ns or period.until_ns)
    for batch in eventlog.lines_of_all(layout.all_events, past=past, until_ns=period.until_ns):
        found = [event for line in batch if (event := _event(line)) is not None]
        for event in sorted(found, key=lambda event: event.time_ns):
            if event.time_ns >= period.since_ns and (
                not period.until_ns or event.time_ns <= period.until_ns
            ):
                yield event


def _event(line: bytes) -> ProjectEvent | None:
    """None for a line that a full disk has cut off."""
    try:
        fields = json.loads(line)
        pairs = [(str(key), str(value)) for key, value in fields.get("attributes", ())]
        if fields.get("exit_code") is not None:
            pairs.append(("exitCode", str(fields["exit_code"])))
        return ProjectEvent(
            time_ns=int(fields["time_ns"]),
            action=str(fields["action"]),
            id=str(fields["id"]),
            name=str(fields["name"]),
            service=str(fields["service"]),
            image=str(fields.get("image", "")),
            attributes=tuple(pairs),
            oneoff=bool(fields.get("oneoff", False)),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
