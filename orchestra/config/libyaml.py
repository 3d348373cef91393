"""PyYAML, of which we use the parser in C: imported without what only the one in Python needs."""

from __future__ import annotations

from orchestra.patterns import compiled_at_first_use

with compiled_at_first_use():
    import yaml

__all__ = ["yaml"]
