"""`--format table | json | TEMPLATE`, the same for every command that lists things."""

from __future__ import annotations

import json

from orchestra.cli.render.table import table_text
from orchestra.named import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Item(NamedTuple):
    """One line of a list: its fields, and its labels for `{{.Label "key"}}`."""

    fields: dict[str, object]
    labels: Mapping[str, str] = {}


def listing_text(
    items: Sequence[Item],
    template: str,
    *,
    headers: Mapping[str, str],
    columns: Sequence[str],
    min_width: int = 10,
) -> str:
    """*items* as *template* says; *columns* are those of the plain table."""
    if template in ("", "table"):
        header = [headers[name] for name in columns]
        rows = [[str(item.fields[name]) for name in columns] for item in items]
        return table_text(header, rows, min_width=min_width)
    if template == "json":
        return "".join(compact_json(item.fields) + "\n" for item in items)
    return _templated(items, template, headers, min_width)


def compact_json(value: object) -> str:
    """JSON as Go writes it: no blanks, characters as they are, `<>&` escaped."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _templated(
    items: Sequence[Item], template: str, headers: Mapping[str, str], min_width: int
) -> str:
    from orchestra.cli.render.template import field_names, parse_template, render

    is_table = template.startswith("table ")
    source = template.removeprefix("table ") if is_table else template
    source = source.replace("\\t", "\t").replace("\\n", "\n")
    nodes = parse_template(source)
    lines = [render(nodes, item.fields, item.labels) for item in items]
    if not is_table:
        return "".join(f"{line}\n" for line in lines)
    names = [headers.get(name, name.upper()) for name in field_names(nodes)]
    rows = [line.split("\t") for line in lines]
    width = max((len(row) for row in rows), default=len(names))
    header = (names + [""] * width)[:width]
    return table_text(header, rows, min_width=min_width)
