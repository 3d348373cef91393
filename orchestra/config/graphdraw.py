"""The dependency graph for people and for other programs: text, DOT, Mermaid, SVG, JSON.

`draw` picks one of `FORMATS`. All of them take a graph without cycles, as loaded projects have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

import msgspec

from orchestra.config.graph import Edge, Graph, dependencies_of, edges_of, start_waves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_SHORT: Final[Mapping[str, str]] = {
    "service_started": "",
    "service_healthy": "healthy",
    "service_completed_successfully": "completed",
}


def draw(graph: Graph, form: str) -> str:
    """*graph* in the form "tree", "dot", "mermaid", "svg" or "json", ending in a newline."""
    return FORMATS[form](graph)


def _label(edge: Edge) -> str:
    """What an edge says beside its arrow: the condition unless it is the usual one."""
    words = [_SHORT[edge.condition]] + ([] if edge.required else ["optional"])
    return ", ".join(word for word in words if word)


# -- text -----------------------------------------------------------------------------------------
def _tree(graph: Graph) -> str:
    """A tree below each service that nothing depends on, then the waves in which they start.

    What a service needs is spelled out once; later it says "(above)".
    """
    lines: list[str] = []
    seen: set[str] = set()
    for root in sorted(node for node in graph if not graph.in_degree(node)):
        lines += _branches(graph, root, seen)
    waves = start_waves(graph)
    if waves:
        lines += ["", "start order"]
        lines += [f"{number:>3}  {', '.join(wave)}" for number, wave in enumerate(waves, 1)]
    return "\n".join(lines) + "\n"


def _branches(graph: Graph, root: str, seen: set[str]) -> Iterator[str]:
    """The lines of the tree below *root*; a stack, since chains may be longer than Python's."""
    stack: list[tuple[str, str, str]] = [(root, "", "")]  # text, prefix of its line, of its subtree
    services = [root]
    while stack:
        text, prefix, below = stack.pop()
        service = services.pop()
        edges = dependencies_of(graph, service)
        repeated = bool(edges) and service in seen
        yield prefix + text + (" (above)" if repeated else "")
        if repeated:
            continue
        seen.add(service)
        for edge in reversed(edges):
            last = edge is edges[-1]
            label = _label(edge)
            stack.append(
                (
                    edge.dependency + (f" [{label}]" if label else ""),
                    below + ("└─ " if last else "├─ "),
                    below + ("   " if last else "│  "),
                )
            )
            services.append(edge.dependency)


# -- other programs -------------------------------------------------------------------------------
def _dot(graph: Graph) -> str:
    """Graphviz's language; services of one wave share a rank."""
    lines = ["digraph project {", "  rankdir=LR;", "  node [shape=box, style=rounded];"]
    ranks = (" ".join(f'"{name}";' for name in wave) for wave in start_waves(graph))
    lines += [f"  {{ rank=same; {rank} }}" for rank in ranks]
    for edge in edges_of(graph):
        notes = [f'label="{_label(edge)}"'] if _label(edge) else []
        notes += [] if edge.required else ["style=dashed"]
        ending = f" [{', '.join(notes)}]" if notes else ""
        lines.append(f'  "{edge.service}" -> "{edge.dependency}"{ending};')
    return "\n".join([*lines, "}"]) + "\n"


def _mermaid(graph: Graph) -> str:
    """Mermaid's flowchart; nodes are numbered, since names such as "end" are words of its own."""
    ids = {name: f"s{number}" for number, name in enumerate(sorted(graph))}
    lines = ["flowchart LR"] + [f'  {ids[name]}["{name}"]' for name in sorted(graph)]
    for edge in edges_of(graph):
        arrow = "-->" if edge.required else "-.->"
        label = f'|"{_label(edge)}"|' if _label(edge) else ""
        lines.append(f"  {ids[edge.service]} {arrow}{label} {ids[edge.dependency]}")
    return "\n".join(lines) + "\n"


def _json(graph: Graph) -> str:
    """Services, edges and waves (schemas/graph.schema.json)."""
    fields = {
        "services": sorted(graph),
        "dependencies": [edge._asdict() for edge in edges_of(graph)],
        "waves": start_waves(graph),
    }
    return msgspec.json.format(msgspec.json.encode(fields)).decode() + "\n"


# -- picture --------------------------------------------------------------------------------------
_BOX_HEIGHT, _ROW, _GAP, _MARGIN, _CHAR = 32, 52, 110, 24, 8  # pixels


def _svg(graph: Graph) -> str:
    """A picture by itself: a column for each wave from the left, an arrow to each dependency."""
    waves = start_waves(graph)
    boxes: dict[str, tuple[int, int, int]] = {}  # service -> left, top, width
    left = _MARGIN
    for wave in waves:
        width = max(len(name) for name in wave) * _CHAR + _MARGIN
        for row, name in enumerate(wave):
            boxes[name] = (left, _MARGIN + row * _ROW, width)
        left += width + _GAP
    full = left - _GAP + _MARGIN if waves else 2 * _MARGIN
    height = max((len(wave) for wave in waves), default=0) * _ROW + 2 * _MARGIN
    body = [_arrow(edge, boxes) for edge in edges_of(graph)]
    body += [_box(name, *box) for name, box in boxes.items()]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{full}" height="{height}"'
        f' viewBox="0 0 {full} {height}" font-family="sans-serif" font-size="13">\n'
        '<rect width="100%" height="100%" fill="#fff"/>\n'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8"'
        ' markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z" fill="#667"/></marker></defs>'
    )
    return "\n".join([head, *body, "</svg>"]) + "\n"


def _box(name: str, left: int, top: int, width: int) -> str:
    return (
        f'<rect x="{left}" y="{top}" width="{width}" height="{_BOX_HEIGHT}" rx="6" fill="#eef3fb"'
        f' stroke="#46a"/><text x="{left + width // 2}" y="{top + 21}"'
        f' text-anchor="middle">{escape(name)}</text>'
    )


def _arrow(edge: Edge, boxes: Mapping[str, tuple[int, int, int]]) -> str:
    start, top, _ = boxes[edge.service]
    target, target_top, width = boxes[edge.dependency]
    from_y, to_y, end = top + _BOX_HEIGHT // 2, target_top + _BOX_HEIGHT // 2, target + width
    bend = max(40, (start - end) // 2)
    dash = "" if edge.required else ' stroke-dasharray="5 4"'
    path = (
        f'<path d="M{start} {from_y}C{start - bend} {from_y} {end + bend} {to_y} {end} {to_y}"'
        f' fill="none" stroke="#667"{dash} marker-end="url(#tip)"/>'
    )
    if not _label(edge):
        return path
    middle_x, middle_y = (start + end) // 2, (from_y + to_y) // 2 - 4
    return (
        f'{path}<text x="{middle_x}" y="{middle_y}" text-anchor="middle" font-size="11"'
        f' fill="#445">{_label(edge)}</text>'
    )


FORMATS: Final[Mapping[str, Callable[[Graph], str]]] = {
    "tree": _tree,
    "dot": _dot,
    "mermaid": _mermaid,
    "svg": _svg,
    "json": _json,
}
