"""`--network`, with its aliases and addresses, as the networks of a service.

https://docs.docker.com/reference/cli/docker/container/run/#network
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestra.cli.flags import UsageError
from orchestra.cli.pairs import csv_parts

if TYPE_CHECKING:
    from orchestra.cli.flags import Args

_DEFAULT = "bridge"
_ALONE = ("host", "none")


def networks_of(args: Args) -> dict[str, Any]:
    """`network_mode` or `networks`, and `external_links`. Raises UsageError."""
    found: dict[str, Any] = {}
    asked = [_network(text) for text in args.texts("network")] or [(_DEFAULT, {})]
    modes = [name for name, _ in asked if name in _ALONE or name.startswith("container:")]
    if modes and len(asked) > 1:
        raise UsageError(
            f"conflicting options: cannot attach both {modes[0]} and another network",
            fix="leave one of them out",
        )
    if args.texts("link"):
        found["external_links"] = list(args.texts("link"))
    if modes:
        _refuse_addresses(args, modes[0])
        return found | {"network_mode": modes[0]}
    networks: dict[str, Any] = {}
    for name, details in asked:
        plain = _DEFAULT if name == "default" else name
        if plain in networks:
            raise UsageError(f'network "{plain}" is specified multiple times')
        networks[plain] = details
    first = next(iter(networks.values()))
    first.setdefault("aliases", []).extend(args.texts("network-alias"))
    for flag, attribute in (("ip", "ipv4_address"), ("ip6", "ipv6_address")):
        if args.text(flag):
            first[attribute] = args.text(flag)
    if args.texts("link-local-ip"):
        first["link_local_ips"] = list(args.texts("link-local-ip"))
    for position, details in enumerate(networks.values()):
        details["priority"] = len(networks) - position  # in the order in which they were written
    return found | {"networks": networks}


def _refuse_addresses(args: Args, mode: str) -> None:
    for flag in ("network-alias", "ip", "ip6", "link-local-ip", "link"):
        if flag in args.given:
            raise UsageError(
                f"conflicting options: --{flag} and the network {mode}",
                fix="only networks that containers share have names and addresses",
            )
    if mode.startswith("container:") and ("publish" in args.given or args.on("publish-all")):
        raise UsageError(
            "conflicting options: port publishing and the container type network mode",
            fix="publish the ports of the other container",
        )


_DETAILS = {
    "ip": "ipv4_address",
    "ip6": "ipv6_address",
    "mac-address": "mac_address",
    "gw-priority": "gw_priority",
}


def _network(text: str) -> tuple[str, dict[str, Any]]:
    """NAME, or name=NAME,alias=…,ip=…,driver-opt=K=V."""
    if "=" not in text:
        return text, {}
    name = ""
    details: dict[str, Any] = {}
    for part in csv_parts("network", text):
        key, _, value = part.partition("=")
        if key == "name":
            name = value
        elif key == "alias":
            details.setdefault("aliases", []).append(value)
        elif key == "driver-opt":
            option, _, setting = value.partition("=")
            details.setdefault("driver_opts", {})[option] = setting
        elif key == "link-local-ip":
            details.setdefault("link_local_ips", []).append(value)
        elif key in _DETAILS:
            details[_DETAILS[key]] = _number(text, value) if key == "gw-priority" else value
        else:
            raise UsageError(f"--network: invalid field {key} in {text}")
    if not name:
        raise UsageError(f"--network: {text}: no name", fix="add name=NETWORK")
    return name, details


def _number(text: str, value: str) -> int:
    try:
        return int(value)
    except ValueError as exc:
        raise UsageError(f'--network: {text}: "{value}" is not a whole number') from exc
