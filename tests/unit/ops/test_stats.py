"""`stats`: the counters as the kernel writes them."""

from __future__ import annotations

from orchestra.cli.render.size import binary_size
from orchestra.ops.container_stats import Traffic, parse_traffic

NET_DEV = """Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs
    lo: 9000 10 0 0 0 0 0 0 9000 10 0 0 0 0 0 0
  eth0:1500 10 0 0 0 0 0 0 700 10 0 0 0 0 0 0
  eth1: 5 1 0 0 0 0 0 0 6 1 0 0 0 0 0 0
"""


def test_traffic_is_that_of_all_interfaces_but_the_loopback() -> None:
    assert parse_traffic(NET_DEV) == Traffic(1505, 706)


def test_memory_in_dockers_units() -> None:
    texts = [binary_size(size) for size in (0, 1023, 1024, 1536, 1570779136, 3 << 40)]
    assert texts == ["0B", "1023B", "1KiB", "1.5KiB", "1.463GiB", "3TiB"]
