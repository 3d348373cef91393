"""The short syntax of a port: [[IP:]PUBLISHED:]TARGET[/PROTOCOL], each a number or a range."""

from __future__ import annotations

from typing import Any

from orchestra.config.problems import Fault

_PROTOCOLS = frozenset({"tcp", "udp", "sctp"})
_FIX = 'use numbers from 1 to 65535, for example "8080:80" or "127.0.0.1:5000-5010:5000-5010/udp"'


def long_ports(text: str) -> list[dict[str, Any]]:
    """The long syntax of *text*: one entry per container port. Raises Fault."""
    spec, slash, protocol = text.partition("/")
    protocol = protocol.lower() if slash else "tcp"
    if protocol not in _PROTOCOLS:
        raise Fault(f'"{text}": "{protocol}" is no protocol', "use tcp, udp or sctp")
    *address, published, target = ["", *spec.split(":")] if ":" not in spec else spec.split(":")
    host_ip = ":".join(address).strip("[]")
    first, last = _range(target, text, "container port")
    entry: dict[str, Any] = {"mode": "ingress", "protocol": protocol}
    if host_ip:
        entry["host_ip"] = host_ip
    if not published:
        return _sorted([{**entry, "target": port} for port in range(first, last + 1)])
    host_first, host_last = _range(published, text, "host port", lowest=0)
    if first == last:
        shown = str(host_first) if host_first == host_last else f"{host_first}-{host_last}"
        return [{**entry, "target": first, "published": shown}]
    if host_last - host_first != last - first:
        raise Fault(
            f'"{text}": the ranges {published} and {target} differ in length',
            "give both ranges the same number of ports",
        )
    return _sorted(
        [
            {**entry, "target": port, "published": str(host_first + port - first)}
            for port in range(first, last + 1)
        ]
    )


def _sorted(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """In the order of their text, as Docker Compose has them."""
    return sorted(entries, key=lambda entry: str(entry["target"]))


def _range(text: str, whole: str, what: str, lowest: int = 1) -> tuple[int, int]:
    start, dash, end = text.partition("-")
    numbers = [_number(part, lowest) for part in ((start, end) if dash else (start, start))]
    first, last = numbers
    if first is None or last is None:
        raise Fault(f'"{whole}" has no valid {what}', _FIX)
    if last < first:
        raise Fault(f'"{whole}": the range {text} ends before it begins', _FIX)
    return first, last


def _number(text: str, lowest: int) -> int | None:
    if not (text.isascii() and text.isdigit()) or len(text) > 5:
        return None
    number = int(text)
    return number if lowest <= number <= 65535 else None
