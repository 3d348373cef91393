"""`orchestra events`."""

from __future__ import annotations

from orchestra.cli.flags import TEXT, Command, Flag

COMMAND = Command(
    usage="events [OPTIONS] [SERVICE...]",
    summary="Receive real time events from containers",
    flags=(
        Flag("json", "Output events as a stream of json objects"),
        Flag("since", "Show all events created since timestamp", kind=TEXT),
        Flag("until", "Stream events until this timestamp", kind=TEXT),
    ),
    examples=(("orchestra events --json", "One JSON object per event"),),
)
