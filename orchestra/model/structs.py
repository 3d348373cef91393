"""msgspec and its Struct, the base of all model data, imported at half the price.

msgspec looks into typing_extensions for three names that `typing` has as well since Python 3.11,
and falls back to `typing` when it is not installed. Importing it takes 4.5 of msgspec's 9 ms. Who
needs msgspec has it from here, since whoever imports it first decides.
"""

from __future__ import annotations

import sys

from orchestra.patterns import compiled_at_first_use

_DEAR = "typing_extensions"

if _DEAR in sys.modules:
    import msgspec
else:
    sys.modules[_DEAR] = None  # type: ignore[assignment]  # what import takes for "not there"
    try:
        with compiled_at_first_use():
            import msgspec
    finally:
        del sys.modules[_DEAR]

Struct = msgspec.Struct

__all__ = ["Struct", "msgspec"]
