"""msgspec's Struct, the base of all model data, imported at half the price.

msgspec looks into typing_extensions for three names that `typing` has as well since Python 3.11,
and falls back to `typing` when it is not installed. Importing it takes 4.5 of msgspec's 9 ms.
"""

from __future__ import annotations

import sys

_DEAR = "typing_extensions"

if _DEAR in sys.modules:
    from msgspec import Struct
else:
    sys.modules[_DEAR] = None  # type: ignore[assignment]  # what import takes for "not there"
    try:
        from msgspec import Struct
    finally:
        del sys.modules[_DEAR]

__all__ = ["Struct"]
