"""Where the boxes, the labels and the lines of a picture of the dependency graph go.

A layered drawing (Sugiyama's): a column for each start wave, and between two of them one for the
labels. A line that passes a column has a place of its own there, so that it runs beside the boxes
and not behind them; lines to the same service share their way. Within a column everything is
ordered by the mean of its neighbours, and then moved as little as keeps the distances.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

BOX_HEIGHT = 32  # all measures are pixels
_LABEL_HEIGHT, _LINE_HEIGHT, _GAP = 16, 2, 16
_CHAR, _SMALL_CHAR, _PADDING, _CURVE = 8, 6.5, 24, 36
_SWEEPS = 12


class Place(NamedTuple):
    """Something in a column: a service, the label of an edge, or a line that passes."""

    column: int
    service: str  # or the one that the line leads to
    source: str = ""  # whose label
    label: str = ""
    required: bool = True

    @property
    def is_service(self) -> bool:
        return self.column % 2 == 0 and not self.source and not self.is_line

    @property
    def is_line(self) -> bool:
        return self.source == _PASSES

    @property
    def height(self) -> int:
        if self.is_line:
            return _LINE_HEIGHT
        return BOX_HEIGHT if self.is_service else _LABEL_HEIGHT


_PASSES = "\0"


class Link(NamedTuple):
    """A piece of a line, from a place to one in the column left of it."""

    start: Place
    end: Place


class Wire(NamedTuple):
    """A dependency to be drawn."""

    service: str
    dependency: str
    label: str
    required: bool


class Layout(NamedTuple):
    """*middles* are heights; *spans* the left and right side of each column."""

    middles: Mapping[Place, float]
    spans: Sequence[tuple[float, float]]
    links: Sequence[Link]
    height: float


def lay_out(waves: Sequence[Sequence[str]], wires: Iterable[Wire]) -> Layout:
    """Places for all services of *waves* and all *wires*, which lead to earlier waves."""
    columns: list[dict[Place, None]] = [{} for _ in range(max(0, 2 * len(waves) - 1))]
    column_of = {name: 2 * number for number, wave in enumerate(waves) for name in wave}
    links: dict[Link, None] = {}
    for wire in wires:
        places = list(_way(wire, column_of))
        links.update(dict.fromkeys(map(Link, places, places[1:])))
        for place in places:
            columns[place.column][place] = None
    for name, column in column_of.items():  # what depends on nothing comes last
        columns[column].setdefault(Place(column, name))
    middles = _middles([list(column) for column in columns], links)
    top = min((middles[place] - place.height / 2 for place in middles), default=0.0)
    middles = {place: middle - top for place, middle in middles.items()}
    bottom = max((middles[place] + place.height / 2 for place in middles), default=0.0)
    return Layout(middles, _spans(columns), list(links), bottom)


def _way(wire: Wire, column_of: Mapping[str, int]) -> Iterable[Place]:
    start, end = column_of[wire.service], column_of[wire.dependency]
    yield Place(start, wire.service)
    for column in range(start - 1, end, -1):
        if wire.label and column == start - 1:
            yield Place(column, wire.dependency, wire.service, wire.label, wire.required)
        else:
            yield Place(column, wire.dependency, _PASSES, "", wire.required)
    yield Place(end, wire.dependency)


def _spans(columns: Sequence[Iterable[Place]]) -> list[tuple[float, float]]:
    spans = []
    left = 0.0
    for number, column in enumerate(columns):
        if number % 2:
            width = max((len(place.label) for place in column), default=0) * _SMALL_CHAR
            spans.append((left + _CURVE, left + _CURVE + width))
            left += width + 2 * _CURVE
        else:
            names = (len(place.service) for place in column if place.is_service)
            width = max(names, default=0) * _CHAR + _PADDING
            spans.append((left, left + width))
            left += width
    return spans


# -- heights ------------------------------------------------------------------------------------
def _middles(columns: Sequence[list[Place]], links: Iterable[Link]) -> dict[Place, float]:
    left_of: dict[Place, list[Place]] = {place: [] for column in columns for place in column}
    right_of: dict[Place, list[Place]] = {place: [] for place in left_of}
    for link in links:
        left_of[link.start].append(link.end)
        right_of[link.end].append(link.start)
    middles: dict[Place, float] = {}
    for column in columns:
        middles.update(_spread(column, [0.0] * len(column)))
    for sweep in range(_SWEEPS):
        forwards = sweep % 2 == 0
        beside = left_of if forwards else right_of
        for column in columns if forwards else reversed(columns):
            wanted = {place: _mean(place, beside[place], middles) for place in column}
            column.sort(key=wanted.__getitem__)
            middles.update(_spread(column, [wanted[place] for place in column]))
    return middles


def _mean(place: Place, others: Sequence[Place], middles: Mapping[Place, float]) -> float:
    if not others:
        return middles[place]
    return sum(middles[other] for other in others) / len(others)


def _spread(column: Sequence[Place], wanted: Sequence[float]) -> Iterable[tuple[Place, float]]:
    """Middles as near to the *wanted* ones as their order and the distances allow.

    Least squares: those that want to be too near are moved as one block (pool adjacent violators).
    """
    offsets: list[float] = []
    offset = 0.0
    for index, place in enumerate(column):
        if index:
            offset += (column[index - 1].height + place.height) / 2 + _GAP
        offsets.append(offset)
    blocks: list[tuple[float, int]] = []  # the mean of (wanted - offset), of how many
    for middle, offset in zip(wanted, offsets, strict=True):
        mean, count = middle - offset, 1
        while blocks and blocks[-1][0] > mean:
            earlier, more = blocks.pop()
            mean = (mean * count + earlier * more) / (count + more)
            count += more
        blocks.append((mean, count))
    shifts = [mean for mean, count in blocks for _ in range(count)]
    return [
        (place, shift + offset)
        for place, shift, offset in zip(column, shifts, offsets, strict=True)
    ]
