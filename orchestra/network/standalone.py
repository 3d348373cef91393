"""The host's networks for a command that has no supervisor: the registry is open to everybody."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orchestra.network.ipam import DEFAULT_POOLS
from orchestra.network.networks import Networks
from orchestra.network.registry import Registry
from orchestra.network.rules import HostRules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.layout import Layout


@contextmanager
def open_networks(layout: Layout) -> Iterator[Networks]:
    """Raises RuntimeFailure when the registry cannot be read."""
    registry = Registry(
        layout.registry_db,
        lambda project, container: os.path.exists(layout.spec_json(project, container)),
    )
    rules = HostRules()
    try:
        yield Networks(registry, rules, DEFAULT_POOLS)
    finally:
        rules.close()
        registry.close()
