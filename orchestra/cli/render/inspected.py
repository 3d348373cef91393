"""`inspect [-f FORMAT] NAME…`: one output for every kind of object, as the Docker CLI's."""

from __future__ import annotations

import json
import sys

from orchestra.cli.render.listing import Item, compact_json, listing_text
from orchestra.errors import NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def inspected_text(found: list[dict[str, object]], template: str) -> str:
    """JSON of all, one compact JSON a line, or *template* for each."""
    if template == "json":
        return "".join(f"{compact_json(each)}\n" for each in found)
    if template:
        return listing_text([Item(each) for each in found], template, headers={}, columns=())
    return json.dumps(found, indent=4, ensure_ascii=False) + "\n"


def inspect_each(
    names: Iterable[str], template: str, look_up: Callable[[str], dict[str, object]]
) -> tuple[str, int]:
    """The text for those of *names* that exist and the exit code; stderr tells the others."""
    found: list[dict[str, object]] = []
    code = 0
    for name in names:
        try:
            found.append(look_up(name))
        except NotFound as exc:
            sys.stderr.write(f"{exc}\n")
            code = exc.exit_code
    return inspected_text(found, template), code
