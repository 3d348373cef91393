from __future__ import annotations

import errno
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra.linux import nftables as nft
from orchestra.linux import rtnetlink as rt
from orchestra.linux.netlink import (
    NETLINK_ROUTE,
    NetlinkError,
    NetlinkSocket,
    attribute,
    attributes,
    nested,
    parse_error,
    text,
)


@given(st.lists(st.tuples(st.integers(0, 0x3FFF), st.binary(max_size=40))))
def test_attributes_come_back_as_they_were_put(pairs: list[tuple[int, bytes]]) -> None:
    data = b"".join(attribute(kind, payload) for kind, payload in pairs)
    assert len(data) % 4 == 0
    assert list(attributes(data)) == pairs


def test_nested_attributes_lose_their_flag() -> None:
    ((kind, payload),) = attributes(nested(18, text(1, "veth")))
    assert kind == 18
    assert list(attributes(payload)) == [(1, b"veth\0")]


@given(st.binary(max_size=60))
def test_malformed_attributes_end_the_list(data: bytes) -> None:
    assert sum(len(payload) for _, payload in attributes(data)) <= len(data)


def test_links_and_addresses_can_be_listed_without_rights() -> None:
    with NetlinkSocket(NETLINK_ROUTE) as netlink:
        assert "lo" in rt.link_names(netlink).values()
        assert all(len(place.address) in (4, 16) for place in rt.link_addresses(netlink))


def test_a_refused_message_says_what_was_tried_and_why() -> None:
    with NetlinkSocket(NETLINK_ROUTE) as netlink:
        with pytest.raises(NetlinkError, match="delete link no-such-link: ") as caught:
            netlink.transact((rt.delete_link("no-such-link"),))
        assert caught.value.errno in (errno.ENODEV, errno.EPERM)


def test_the_kernels_own_explanation_is_kept() -> None:
    payload = struct.pack("=iIHHII", -errno.EINVAL, 16, 16, 0, 1, 0)
    explained = parse_error(0x300, payload + text(1, "Unknown kind"), "add link")
    plain = parse_error(0, payload, "add link")
    assert str(explained) == "[Errno 22] add link: Invalid argument (Unknown kind)"
    assert str(plain) == "[Errno 22] add link: Invalid argument"
    assert parse_error(0, bytes(20), "add link") is None


def test_an_interval_is_two_elements_and_the_last_one_needs_no_end() -> None:
    first, end = nft.interval(bytes((10, 0, 0, 0)), bytes((10, 0, 0, 255)))
    assert (first.key, end.key, end.interval_end) == (b"\x0a\0\0\0", b"\x0a\0\1\0", True)
    assert len(nft.interval(bytes((255, 0, 0, 0)), b"\xff" * 4)) == 1


def test_concatenated_keys_are_padded_to_words() -> None:
    assert nft.field(b"\x06") + nft.field(struct.pack(">H", 80)) == b"\x06\0\0\0\0\x50\0\0"
    assert len(nft.ifname("or-123456789012")) == 16
