"""Other firewalls of the host that drop what they do not know: room made in them, and given back.

Every table sees a forwarded packet, and one "drop" wins. Docker, ufw and others set the policy of
`ip filter FORWARD` to drop; Docker leaves the chain DOCKER-USER to others. Rules are found again
by their comment. A FORWARD chain of iptables-legacy is not nf_tables and cannot be reached so:
docs/networking.md says what to do.
"""

from __future__ import annotations

import errno

from orchestra.linux import nftables as nft
from orchestra.linux import nftexpr as ex
from orchestra.linux.netlink import NetlinkError, NetlinkSocket

_TABLE = "filter"
_FORWARD, _DOCKER_USER = "FORWARD", "DOCKER-USER"
_POLICY_DROP = 0


def make_room(netlink: NetlinkSocket, bridge: str) -> None:
    """Let packets from and to *bridge* pass the host's other firewall, if it drops them."""
    if _TABLE not in nft.tables(netlink, nft.NFPROTO_IPV4):
        return
    policies = nft.chain_policies(netlink, nft.NFPROTO_IPV4, _TABLE)
    if _DOCKER_USER in policies:
        chain = _DOCKER_USER
    elif policies.get(_FORWARD) == _POLICY_DROP:
        chain = _FORWARD
    else:
        return
    comment = _comment(bridge)
    present = nft.rules(netlink, nft.NFPROTO_IPV4, _TABLE, chain)
    if any(rule.userdata == comment for rule in present):
        return
    name = nft.ifname(bridge)
    batch = nft.Batch(nft.NFPROTO_IPV4)
    for key in (ex.META_IIFNAME, ex.META_OIFNAME):
        batch.insert_rule(
            _TABLE, chain, (ex.meta(key), ex.equals(name), ex.accept()), userdata=comment
        )
    batch.commit(netlink)


def give_back(netlink: NetlinkSocket, bridge: str) -> None:
    """Undo `make_room`; gone already is fine."""
    comment = _comment(bridge)
    if _TABLE not in nft.tables(netlink, nft.NFPROTO_IPV4):
        return
    for chain in nft.chain_policies(netlink, nft.NFPROTO_IPV4, _TABLE):
        if chain not in (_FORWARD, _DOCKER_USER):
            continue
        batch = nft.Batch(nft.NFPROTO_IPV4)
        for rule in nft.rules(netlink, nft.NFPROTO_IPV4, _TABLE, chain):
            if rule.userdata == comment:
                batch.delete_rule(_TABLE, chain, rule.handle)
        try:
            batch.commit(netlink)
        except NetlinkError as exc:
            if exc.errno != errno.ENOENT:
                raise


def _comment(bridge: str) -> bytes:
    """A comment as `nft` and iptables store it: type 0, length, text."""
    text = f"orchestra {bridge}".encode() + b"\0"
    return bytes((0, len(text))) + text
