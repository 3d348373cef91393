"""How deeply a YAML text is nested, asked before it is composed.

libyaml's parser keeps its state on the heap, but PyYAML's C composer calls itself for each level
and takes the process down with a segmentation fault some 20,000 levels deep.
"""

from __future__ import annotations

from typing import Any

from orchestra.config.libyaml import yaml

_HARMLESS = 4000


def first_too_deep(text: bytes, limit: int) -> Any:
    """The parser's mark where *text* first has more than *limit* levels. Raises YAMLError.

    Levels need brackets, or columns at the beginning of a line; a text with few of both is not
    looked at any further, and neither is nearly every compose file.
    """
    brackets = text.count(b"[") + text.count(b"{") - text.count(b"${")
    if brackets + max(map(len, text.split(b"\n"))) < _HARMLESS:
        return None
    parser = yaml.CSafeLoader(text)
    depth = 0
    while True:
        try:
            event = parser.get_event()
        except yaml.MarkedYAMLError as exc:
            # libyaml's own limit, which PyYAML 6.0.4 brought: its scanner runs ahead of the events.
            if exc.problem and "maximum nesting depth" in exc.problem:
                return exc.problem_mark or exc.context_mark
            raise
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > limit:
                return event.start_mark
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif event is None or isinstance(event, yaml.StreamEndEvent):
            return None
