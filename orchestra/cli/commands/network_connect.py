"""`orchestra network connect`."""

from __future__ import annotations

from orchestra.cli.flags import LIST, NUMBER, TEXT, Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="network connect [OPTIONS] NETWORK CONTAINER",
    summary="Connect a container to a network",
    flags=(
        Flag("alias", "Add network-scoped alias for the container", kind=LIST),
        Flag("driver-opt", "driver options for the network", kind=LIST),
        Flag(
            "gw-priority",
            "Highest gw-priority provides the default gateway. Accepts positive and negative"
            " values.",
            kind=NUMBER,
        ),
        Flag("ip", 'IPv4 address (e.g., "172.30.100.104")', kind=TEXT),
        Flag("ip6", 'IPv6 address (e.g., "2001:db8::33")', kind=TEXT),
        Flag("link", "Add link to another container", kind=LIST),
        Flag("link-local-ip", "Add a link-local address for the container", kind=LIST),
    ),
    min_args=2,
    max_args=2,
    examples=(
        ("orchestra network connect --alias db edge shop-db-1", "Known as db on the network edge"),
    ),
)


def run(args: Args, context: Context) -> int:
    """Bring the container to the network, live when it runs."""
    from orchestra.cli.pairs import comma_separated, pairs_of
    from orchestra.model.container import Endpoint
    from orchestra.ops.network_connect import connect_network

    context.refuse_dry_run()
    network, container = args.words
    options = pairs_of(comma_separated(args.texts("driver-opt")))
    endpoint = Endpoint(
        network=network,
        aliases=comma_separated(args.texts("alias")),
        ipv4_address=_address(args.text("ip"), 4),
        ipv6_address=_address(args.text("ip6"), 6),
        gw_priority=args.number("gw-priority"),
        driver_opts=options,
        link_local_ips=tuple(
            _address(text) for text in comma_separated(args.texts("link-local-ip"))
        ),
        links=tuple(_link(text) for text in args.texts("link")),
    )
    connect_network(context.host(), container, endpoint)
    return 0


def _address(text: str, version: int = 0) -> str:
    """Raises ConfigError when *text* is no address of that IP version (0: of either)."""
    from ipaddress import ip_address

    from orchestra.errors import ConfigError

    try:
        if text and version and ip_address(text).version != version:
            raise ConfigError(f"{text} is no IPv{version} address")
        return str(ip_address(text)) if text else ""
    except ValueError as exc:
        raise ConfigError(f"{text} is no address", fix="write 172.30.100.104, or fd00::33") from exc


def _link(text: str) -> tuple[str, str]:
    """CONTAINER or CONTAINER:ALIAS."""
    container, _, alias = text.partition(":")
    return container, alias or container
