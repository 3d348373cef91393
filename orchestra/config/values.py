"""Values -> the spelling that the model has: sizes in bytes, durations as Go prints them, words.

What canonical form leaves open is settled here, once, when all files are merged. Each function may
raise Fault and leaves a settled value unchanged.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from orchestra import units
from orchestra.config.gonumbers import spell_float
from orchestra.config.merge_rules import as_list, spell
from orchestra.config.problems import Fault
from orchestra.config.words import split_words

if TYPE_CHECKING:
    from collections.abc import Callable


def size(value: Any) -> Any:
    """Bytes, in decimal digits."""
    if isinstance(value, float):
        value = int(_finite(value))
    return str(_parsed(units.parse_bytes, str(value)))


def duration(value: Any) -> Any:
    return units.format_duration_ns(_parsed(units.parse_duration_ns, str(value)))


def command(value: Any) -> Any:
    """A list of words; None stays, since it means "the image's"."""
    if value is None or isinstance(value, list):
        return value
    return as_list(None) if value == "" else _seq(split_words(str(value)))


def health_test(value: Any) -> Any:
    if isinstance(value, str):
        return _seq(["CMD-SHELL", value])
    return value


def number(value: Any) -> Any:
    """A number that may have been written as text."""
    if isinstance(value, str):
        try:
            value = int(value) if value.lstrip("-").isdecimal() else float(value)
        except ValueError as exc:
            raise Fault(f'expected a number, found "{value}"') from exc
    return _finite(value)


def cpus(value: Any) -> Any:
    """A number of CPUs, not negative."""
    count = number(value)
    if count < 0:
        raise Fault(f"expected a number of CPUs, found {count}", 'for example "0.5"')
    return count


def device_count(value: Any) -> Any:
    """How many devices; "all" is -1."""
    return -1 if value == "all" else integer(value)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        raise Fault(f"expected a finite number, found {value}")
    return value


def integer(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError as exc:
            raise Fault(f'expected a whole number, found "{value}"') from exc
    if isinstance(value, float):
        if _finite(value) != int(value):
            raise Fault(f"expected a whole number, found {value}")
        return int(value)
    if not isinstance(value, int):
        raise Fault(f"expected a whole number, found {spell(value)}")
    return value


def count(value: Any) -> Any:
    """A whole number that is not negative."""
    whole = integer(value)
    if whole < 0:
        raise Fault(f"must be 0 or more, found {whole}")
    return whole


def boolean(value: Any) -> Any:
    if isinstance(value, str):
        if value.lower() not in {"true", "false"}:
            raise Fault(f'expected true or false, found "{value}"')
        return value.lower() == "true"
    return value


def mode(value: Any) -> Any:
    """A file mode, in octal digits: 0444."""
    if isinstance(value, str):
        try:
            value = int(value, 8)
        except ValueError as exc:
            raise Fault(f'expected octal digits such as "0440", found "{value}"') from exc
    bits = integer(value)
    if not 0 <= bits <= 0o7777:
        raise Fault(f"{bits} is no file mode", 'write it as text in octal digits, such as "0440"')
    return f"0{bits:o}"


def text(value: Any) -> Any:
    """A string, as Go prints numbers and booleans; None stays."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (dict, list)):
        raise Fault(f"expected text, found {spell(value)}")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return spell_float(value)
    return str(value)


def text_map(value: Any) -> Any:
    """Strings for values; None stays."""
    if isinstance(value, dict):
        for key, item in value.items():
            value[key] = text(item)
    return value


def label_map(value: Any) -> Any:
    """Strings for values; None is empty."""
    if isinstance(value, dict):
        for key, item in value.items():
            value[key] = "" if item is None else text(item)
    return value


def text_list(value: Any) -> Any:
    if isinstance(value, list):
        for index, item in enumerate(value):
            value[index] = text(item)
    return value


def text_items(value: Any) -> Any:
    """A list of strings, one where a single value was written."""
    return text_list(value if isinstance(value, list) else [value])


def hosts(value: Any) -> Any:
    """`extra_hosts`: a sorted list of NAME=ADDRESS, one per address, without brackets."""
    pairs: list[str] = []
    if isinstance(value, dict):
        for name, addresses in value.items():
            several = addresses if isinstance(addresses, list) else [addresses]
            pairs += [_host(name, text(address) or "") for address in several]
    elif isinstance(value, list):
        for index, item in enumerate(value):
            written = str(item)
            separator = "=" if "=" in written else ":"
            name, found, addresses = written.partition(separator)
            if not found:
                raise Fault(f'"{item}" has no address', 'write "NAME=ADDRESS"', (index,))
            pairs += [_host(name, address) for address in addresses.split(",")]
    else:
        raise Fault(f"expected NAME=ADDRESS pairs, found {spell(value)}")
    return _seq(sorted(pairs))


def _host(name: str, address: str) -> str:
    if not name or ":" in name or "=" in name:
        raise Fault(f'"{name}" is no host name')
    if len(address) > 2 and address[0] == "[" and address[-1] == "]":
        address = address[1:-1]
    return f"{name}={address}"


def _parsed(parse: Callable[[str], int], written: str) -> int:
    try:
        return parse(written)
    except ValueError as exc:
        raise Fault(str(exc)) from exc


def _seq(items: list[str]) -> Any:
    return as_list(list(items))


def microseconds(value: Any) -> Any:
    """A whole number of microseconds; a duration with a unit is accepted."""
    if isinstance(value, str) and not value.lstrip("-").isdecimal():
        return _parsed(units.parse_duration_ns, value) // 1000
    return integer(value)


def port(value: Any) -> Any:
    """One entry of `ports`: numbers in range, a published range in order."""
    if not isinstance(value, dict):
        return value
    if "target" not in value:
        raise Fault("target is missing", 'write "target: PORT", a port of the container')
    target = integer(value["target"])
    if not 1 <= target <= 65535:
        raise Fault(f"{target} is no container port", "use 1 to 65535", ("target",))
    published = text(value.get("published"))
    if published and not _is_port_range(published):
        raise Fault(
            f'"{published}" is no host port',
            'use 0 to 65535 or a range such as "8000-8010"',
            ("published",),
        )
    return value


def _is_port_range(written: str) -> bool:
    match = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", written, re.ASCII)
    if match is None:
        return False
    first = int(match[1])
    return first <= int(match[2] or first) <= 65535


def exposed(value: Any) -> Any:
    """One entry of `expose`: PORT[-PORT][/PROTOCOL]."""
    written = text(value) or ""
    if not _is_port_range(written.partition("/")[0]):
        raise Fault(f'"{written}" is no port', 'write "8000", "8000-8010" or "53/udp"')
    return written


_RESTART = re.compile(r"no|always|unless-stopped|on-failure(?::\d{1,9})?", re.ASCII)


def restart(value: Any) -> Any:
    if value and not _RESTART.fullmatch(value):
        raise Fault(
            f'"{value}" is no restart policy',
            'use "no", always, unless-stopped, on-failure or on-failure:N',
        )
    return value


def pull_policy(value: Any) -> Any:
    """A word, or a time form with a duration that we can hold; the schema takes what holds one."""
    if isinstance(value, str) and value not in _PULL_POLICIES:
        if not value.startswith("every_"):
            raise Fault(f'"{value}" is no pull policy', PULL_POLICY_FIX)
        _parsed(units.parse_duration_ns, value.removeprefix("every_"))
    return value


_PULL_POLICIES = (
    "always", "never", "missing", "if_not_present", "build", "refresh", "daily", "weekly",
)  # fmt: skip
PULL_POLICY_FIX = f'use {", ".join(_PULL_POLICIES)} or a time such as "every_12h"'


def ulimit(value: Any) -> Any:
    """One number, or soft and hard ones."""
    return value if isinstance(value, dict) else integer(value)


def restart_condition(value: Any) -> Any:
    if value not in {"none", "no", "any", "always", "on-failure", "unless-stopped"}:
        raise Fault(f'"{value}" is no condition', "use any, on-failure or none")
    return value
