"""Numbers as texts, as Go prints them: what Docker Compose makes of `environment: {A: 1e6}`."""

from __future__ import annotations

import math


def spell_float(value: float) -> str:
    """As Go's %v: the fewest digits that tell it; an exponent below 0.0001 and from 1000000 on."""
    if value == 0 or not math.isfinite(value) or 1e-4 <= abs(value) < 1e6:
        return repr(value).removesuffix(".0")
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    power = int(exponent or 0) + len(whole) - 1
    digits = (whole + fraction).strip("0")
    rest = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{rest}e{power:+03d}"
