"""`orchestra network create`."""

from __future__ import annotations

from orchestra.cli.context import write
from orchestra.cli.flags import LIST, TEXT, Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="network create [OPTIONS] NETWORK",
    summary="Create a network",
    flags=(
        Flag("attachable", "Enable manual container attachment"),
        Flag("aux-address", "Auxiliary IPv4 or IPv6 addresses, not to be given out", kind=LIST),
        Flag("config-from", "Not supported: the network from which to copy", kind=TEXT),
        Flag("config-only", "Not supported: create a configuration only network"),
        Flag("driver", "Driver to manage the Network", short="d", kind=TEXT, default="bridge"),
        Flag("gateway", "IPv4 or IPv6 Gateway for the master subnet", kind=LIST),
        Flag("ingress", "Not supported: create a swarm routing-mesh network"),
        Flag("internal", "Restrict external access to the network"),
        Flag("ip-range", "Allocate container ip from a sub-range", kind=LIST),
        Flag("ipam-driver", "IP Address Management Driver", kind=TEXT, default="default"),
        Flag("ipam-opt", "Set IPAM driver specific options", kind=LIST),
        Flag("ipv4", "Enable or disable IPv4 address assignment"),
        Flag("ipv6", "Enable or disable IPv6 address assignment"),
        Flag("label", "Set metadata on a network", kind=LIST),
        Flag("opt", "Set driver specific options", short="o", kind=LIST),
        Flag("scope", "Control the network's scope: local", kind=TEXT),
        Flag("subnet", "Subnet in CIDR format that represents a network segment", kind=LIST),
    ),
    min_args=1,
    max_args=1,
    examples=(
        ("orchestra network create edge", "For projects that declare it `external: true`"),
        (
            "orchestra network create -d macvlan --subnet 192.168.1.0/24 -o parent=eth0 lan",
            "Containers on the machine's own network",
        ),
    ),
)


def run(args: Args, context: Context) -> int:
    """Make it and print its id."""
    from orchestra.cli.pairs import comma_separated, pairs_of
    from orchestra.model.hashing import network_id
    from orchestra.model.network import NetworkSpec
    from orchestra.ops.network_pools import address_pools
    from orchestra.ops.networks import create_network

    context.refuse_dry_run()
    _refuse(args)
    (name,) = args.words
    made = create_network(
        context.host().layout,
        NetworkSpec(
            name=name,
            project="",
            key=name,
            driver=args.text("driver") or "bridge",
            driver_opts=pairs_of(args.texts("opt")),
            internal=args.on("internal"),
            attachable=args.on("attachable"),
            enable_ipv6=args.on("ipv6"),
            ipam_driver=args.text("ipam-driver"),
            ipam_options=pairs_of(args.texts("ipam-opt")),
            pools=address_pools(
                comma_separated(args.texts("subnet")),
                comma_separated(args.texts("gateway")),
                comma_separated(args.texts("ip-range")),
                pairs_of(args.texts("aux-address")),
            ),
            labels=pairs_of(args.texts("label")),
        ),
    )
    write(f"{network_id(made)}\n")
    return 0


def _refuse(args: Args) -> None:
    """What needs a swarm, or other networks than ours. Raises Unsupported."""
    from orchestra.errors import Unsupported

    if args.text("scope") not in ("", "local"):
        raise Unsupported(
            f"there is no scope {args.text('scope')!r}: networks are of this machine",
            fix="leave --scope out",
        )
    for name in ("ingress", "config-only", "config-from"):
        if name in args.given and (args.on(name) or args.text(name)):
            raise Unsupported(f"--{name} is for swarms", fix="leave it out")
    if "ipv4" in args.given and not args.on("ipv4"):
        raise Unsupported("a network always has IPv4 here", fix="leave --ipv4=false out")
