"""Events of containers as `docker events` prints them."""

from __future__ import annotations

from orchestra.cli.render.duration import NS, rfc3339_local_nano
from orchestra.cli.render.listing import Item, compact_json, listing_text
from orchestra.cli.render.text import harmless

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.ops.events import ProjectEvent


def event_text(event: ProjectEvent, template: str) -> str:
    """One line, as *template* says."""
    attributes = {"image": event.image, "name": event.name, **dict(event.attributes)}
    if not template:
        about = ", ".join(f"{key}={value}" for key, value in sorted(attributes.items()))
        when = rfc3339_local_nano(event.time_ns)
        return harmless(f"{when} container {event.action} {event.id} ({about})") + "\n"
    record: dict[str, object] = {
        "status": event.action,
        "id": event.id,
        "from": event.image,
        "Type": "container",
        "Action": event.action,
        "Actor": {"ID": event.id, "Attributes": dict(sorted(attributes.items()))},
        "scope": "local",
        "time": event.time_ns // NS,
        "timeNano": event.time_ns,
    }
    if template in ("json", "{{json .}}"):
        return compact_json(record) + "\n"
    names = {"Status": "status", "ID": "id", "From": "from", "Scope": "scope"}
    named = {name: record[key] for name, key in names.items()}
    fields = {**record, **named, "Time": record["time"], "TimeNano": record["timeNano"]}
    return listing_text([Item(fields)], template, headers={}, columns=())
