"""The networks of this host: rows of the registry, and the bridges and rules that obey them."""

from __future__ import annotations

import errno
import time
from ipaddress import ip_network
from typing import TYPE_CHECKING

from orchestra.errors import (
    Conflict,
    NotFound,
    OrchestraError,
    PermissionDenied,
    RuntimeFailure,
    Unsupported,
)
from orchestra.linux.netlink import NETLINK_ROUTE, NetlinkSocket
from orchestra.model.network import NetworkSpec, NetworkState
from orchestra.model.structs import msgspec
from orchestra.network import endpoints as ep
from orchestra.network import ipam, links, stacked
from orchestra.network.publish import HostPort
from orchestra.network.registry import NetworkRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestra.network.registry import Registry
    from orchestra.network.rules import HostRules


DRIVERS = ("", "bridge", "default", "macvlan", "ipvlan")


class Networks:
    """Creates, finds and removes networks."""

    def __init__(self, registry: Registry, rules: HostRules, pools: Sequence[ipam.Pool]) -> None:
        self._pools = pools
        self._registry = registry
        self._rules = rules
        self._specs: dict[bytes, NetworkSpec] = {}

    def create(self, spec: NetworkSpec) -> NetworkState:
        """See NetworkDriver.create_network."""
        if spec.driver not in DRIVERS and not spec.external:
            raise Unsupported(
                f"network {spec.name}: no driver {spec.driver!r}",
                fix="use the driver bridge, macvlan or ipvlan",
            )
        if spec.ipam_driver not in ("", "default"):
            raise Unsupported(
                f"network {spec.name}: no ipam driver {spec.ipam_driver!r}",
                fix='use "driver: default", or leave it out',
            )
        with self._registry.transaction():
            row = known = self._registry.network(spec.name)
            if row is None:
                row = self._new_row(spec)
                self._registry.add_network(row)
            elif not spec.external and row.project != spec.project:
                whose = f"project {row.project}" if row.project else "no project"
                raise Conflict(
                    f"network {spec.name} belongs to {whose}",
                    fix='declare it with "external: true", or give it another name',
                )
            try:
                self.ensure(row)
            except OrchestraError:
                if known is None:
                    self._dismantle(row)
                raise
        return self.state(row)

    def remove(self, name: str) -> None:
        """See NetworkDriver.remove_network. Raises Conflict while containers are on it."""
        with self._registry.transaction():
            row = self._registry.network(name)
            if row is None:
                return
            if self._registry.members(name):
                self.heal()
            members = [self._registry.container(member) for member in self._registry.members(name)]
            if members:
                names = ", ".join(owner.name for owner in members if owner is not None)
                raise Conflict(
                    f"network {name} has active endpoints: {names}",
                    fix="stop and remove those containers first",
                )
            self._registry.remove_network(name)
            self._dismantle(row)

    def heal(self) -> bool:
        """Forget containers that are gone, and their published ports; tells if there were any.

        Looks at every container of the host, hence only when something is in the way. Inside a
        transaction.
        """
        healed = self._registry.heal()
        for port in healed.ports:
            self._rules.unpublish(HostPort(port.protocol, port.host_ip, port.host_port))
        return bool(healed.containers)

    def all(self) -> tuple[NetworkState, ...]:
        """Those of every project and of none, by name."""
        return tuple(self.state(row) for row in self._registry.networks())

    def forget_gone(self) -> bool:
        """Like `heal`, outside of a transaction."""
        with self._registry.transaction():
            return self.heal()

    def of_project(self, project: str) -> tuple[NetworkState, ...]:
        return tuple(self.state(row) for row in self._registry.networks(project))

    def find(self, name: str) -> NetworkRow:
        """Raises NotFound."""
        row = self._registry.network(name)
        if row is None:
            raise NotFound(f"network {name} does not exist", fix="create it first")
        return row

    def spec(self, row: NetworkRow) -> NetworkSpec:
        spec = self._specs.get(row.spec)
        if spec is None:
            spec = self._specs[row.spec] = msgspec.json.decode(row.spec, type=NetworkSpec)
        return spec

    def is_internal(self, name: str) -> bool:
        row = self._registry.network(name)
        return row is not None and self.spec(row).internal

    def is_bridge(self, name: str) -> bool:
        """Only bridges have a way from the host: elsewhere no ports are published."""
        row = self._registry.network(name)
        return row is not None and not stacked.is_stacked(self.spec(row))

    def is_on_link(self, name: str) -> bool:
        row = self._registry.network(name)
        return (
            row is not None
            and stacked.is_stacked(self.spec(row))
            and stacked.stacked_of(self.spec(row)).on_link
        )

    def state(self, row: NetworkRow) -> NetworkState:
        return NetworkState(
            spec=self.spec(row),
            subnet=row.subnet,
            gateway=row.gateway,
            bridge=row.bridge,
            subnet6=row.subnet6,
            gateway6=row.gateway6,
            created_ns=row.created_ns,
        )

    def ensure(self, row: NetworkRow) -> None:
        """Make bridge and rules as they shall be: at creation, and after a reboot."""
        spec = self.spec(row)
        addresses = tuple(
            (gateway, ip_network(subnet).prefixlen)
            for gateway, subnet in ((row.gateway, row.subnet), (row.gateway6, row.subnet6))
            if gateway
        )
        mtu = int(ep.option(spec, ep.MTU, "0") or "0")
        try:
            if stacked.is_stacked(spec):
                with NetlinkSocket(NETLINK_ROUTE) as netlink:
                    stacked.ensure_parent(netlink, spec)
                return
            self._rules.add_network(row, spec)
            with NetlinkSocket(NETLINK_ROUTE) as netlink:
                bridge = links.Bridge(row.bridge, mtu, addresses, self._rules.has_ipv4())
                links.ensure_bridge(netlink, bridge)
        except OSError as exc:
            if exc.errno in (errno.EPERM, errno.EACCES):
                raise PermissionDenied(
                    f"not allowed to make network {row.name}: {exc}", fix="run orchestra as root"
                ) from exc
            raise RuntimeFailure(f"cannot make network {row.name}: {exc}") from exc

    def repair(self) -> bool:
        """Make the rules of all networks again if somebody has flushed them; tells if so."""
        if self._rules.are_present():
            return False
        for row in self._registry.networks():
            self.ensure(row)
        return True

    def bridge_index(self, row: NetworkRow) -> int:
        """The link number of the bridge or parent; it is made when it is missing."""
        spec = self.spec(row)
        name = stacked.stacked_of(spec).parent if stacked.is_stacked(spec) else row.bridge
        index = links.link_index(name)
        if index == 0:
            self.ensure(row)
            index = links.link_index(name)
        return index

    def _dismantle(self, row: NetworkRow) -> None:
        """Remove bridge and rules, and with the last network all of them; gone already is fine."""
        spec = self.spec(row)
        is_last = all(other.name == row.name for other in self._registry.networks())
        try:
            if is_last:  # not the network's part first: the kernel would wait once more (RCU)
                self._rules.uninstall()
            if stacked.is_stacked(spec):
                self._leave_parent(spec)
                return
            if not is_last:
                self._rules.remove_network(row, spec)
            self._rules.give_back(row.bridge)
            with NetlinkSocket(NETLINK_ROUTE) as netlink:
                links.delete_bridge(netlink, row.bridge)
        except OSError as exc:
            raise RuntimeFailure(f"cannot remove network {row.name}: {exc}") from exc

    def _leave_parent(self, spec: NetworkSpec) -> None:
        """The parent goes with its last network, if we made it."""
        parent = stacked.stacked_of(spec).parent
        others = (self.spec(row) for row in self._registry.networks() if row.name != spec.name)
        used = {stacked.stacked_of(each).parent for each in others if stacked.is_stacked(each)}
        if parent not in used:
            with NetlinkSocket(NETLINK_ROUTE) as netlink:
                stacked.delete_parent(netlink, spec)

    def _new_row(self, spec: NetworkSpec) -> NetworkRow:
        if spec.external:
            raise NotFound(
                f"network {spec.name} declared as external, but could not be found",
                fix="create it first, or remove external: true",
            )
        rows = self._registry.networks()
        for family in (4, 6):
            if sum((6 if ":" in pool.subnet else 4) == family for pool in spec.pools) > 1:
                raise Unsupported(
                    f"network {spec.name}: more than one IPv{family} subnet",
                    fix="give it one, or make several networks",
                )
        if stacked.is_stacked(spec):
            for row in rows:
                reason = stacked.why_not_beside(spec, self.spec(row))
                if reason is not None:
                    raise reason
        used = [ip_network(text) for row in rows for text in (row.subnet, row.subnet6) if text]
        wanted = ep.option(spec, ep.BRIDGE_NAME)
        if wanted and links.link_index(wanted):
            raise Conflict(
                f"network {spec.name}: a link {wanted} exists already",
                fix=f"give the bridge another name, or remove it: ip link delete {wanted}",
            )
        bridge = wanted or links.bridge_name(spec.name)
        # the subnet of a parent is in use by the host, which its containers join
        with NetlinkSocket(NETLINK_ROUTE) as netlink:
            used += (
                []
                if stacked.is_stacked(spec) and spec.pools
                else links.networks_in_use(netlink, {bridge, *(row.bridge for row in rows)})
            )
        ranges = ipam.plan_network(spec, used, self._pools)
        return NetworkRow(
            name=spec.name,
            project=spec.project,
            bridge=bridge,
            subnet=str(ranges.ipv4.subnet),
            gateway=str(ranges.ipv4.gateway),
            subnet6=str(ranges.ipv6.subnet) if ranges.ipv6 else "",
            gateway6=str(ranges.ipv6.gateway) if ranges.ipv6 else "",
            spec=msgspec.json.encode(spec),
            created_ns=time.time_ns(),
        )
