"""The dependency graph for people and for other programs: text, DOT, Mermaid, SVG, JSON.

`draw` picks one of `FORMATS`. All of them take a graph without cycles, as loaded projects have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from orchestra.config.graph import Edge, Graph, dependencies_of, edges_of, start_waves
from orchestra.config.graphlayout import Layout, Link, Place, Wire, lay_out
from orchestra.model.structs import msgspec

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
_MARGIN, _HEADING = 24, 28  # pixels
_COLOURS: Final[Mapping[str, str]] = {"healthy": "#2a7d46", "completed": "#b06010"}


def _svg(graph: Graph) -> str:
    """A picture by itself: a column for each wave from the left, an arrow to each dependency."""
    waves = start_waves(graph)
    edges = edges_of(graph)
    layout = lay_out(
        waves,
        [Wire(edge.service, edge.dependency, _label(edge), edge.required) for edge in edges],
    )
    width = round(layout.spans[-1][1] if layout.spans else 0) + 2 * _MARGIN
    height = round(layout.height) + 2 * _MARGIN + _HEADING
    body = [_heading(number, *layout.spans[2 * number - 2]) for number in range(1, len(waves) + 1)]
    body += [_line(link, layout) for link in layout.links]
    body += [_sign(place, layout) for place in layout.middles if not place.is_line]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13">\n'
        '<rect width="100%" height="100%" fill="#fff"/>\n'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8"'
        ' markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z" fill="#667"/></marker></defs>\n'
        f'<g transform="translate({_MARGIN} {_MARGIN + _HEADING})">'
    )
    return "\n".join([head, *body, "</g></svg>"]) + "\n"


def _heading(number: int, left: float, right: float) -> str:
    return (
        f'<text x="{(left + right) / 2:.0f}" y="{-_HEADING // 2}" text-anchor="middle"'
        f' font-size="11" fill="#778">wave {number}</text>'
    )


def _line(link: Link, layout: Layout) -> str:
    """From the left side of where *link* starts to the right side of where it ends.

    A place that it passes on the way is crossed straight.
    """
    start, end = link
    (from_x, _), (to_left, to_x) = layout.spans[start.column], layout.spans[end.column]
    from_y, to_y = layout.middles[start], layout.middles[end]
    bend = (from_x - to_x) / 2
    path = (
        f"M{from_x:.0f} {from_y:.1f}C{from_x - bend:.0f} {from_y:.1f}"
        f" {to_x + bend:.0f} {to_y:.1f} {to_x:.0f} {to_y:.1f}"
    )
    if end.is_service:
        ending = ' marker-end="url(#tip)"'
    else:
        path, ending = f"{path}H{to_left:.0f}", ""
    dash = "" if start.required and end.required else ' stroke-dasharray="5 4"'
    return f'<path d="{path}" fill="none" stroke="#667"{dash}{ending}/>'


def _sign(place: Place, layout: Layout) -> str:
    """The box of a service, or the label of an edge on a white ground."""
    left, right = layout.spans[place.column]
    middle, centre = layout.middles[place], (left + right) / 2
    name = escape(place.service if place.is_service else place.label)
    top = middle - place.height / 2
    frame = f'<rect x="{left:.0f}" y="{top:.1f}" width="{right - left:.0f}" height="{place.height}"'
    if place.is_service:
        return (
            f'{frame} rx="6" fill="#eef3fb" stroke="#46a"/>'
            f'<text x="{centre:.0f}" y="{middle + 5:.1f}" text-anchor="middle">{name}</text>'
        )
    colour = _COLOURS.get(place.label.partition(",")[0], "#445")
    title = escape(f"{place.source} waits for {place.service}: {place.label}")
    return (
        f'{frame} fill="#fff"><title>{title}</title></rect>'
        f'<text x="{centre:.0f}" y="{middle + 4:.1f}" text-anchor="middle" font-size="11"'
        f' fill="{colour}">{name}</text>'
    )


FORMATS: Final[Mapping[str, Callable[[Graph], str]]] = {
    "tree": _tree,
    "dot": _dot,
    "mermaid": _mermaid,
    "svg": _svg,
    "json": _json,
}
