"""`container rename`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from orchestra.engine.base import RenameContainer, call
from orchestra.errors import ConfigError
from orchestra.model.container import ContainerId
from orchestra.ops.container_find import find_container

if TYPE_CHECKING:
    from orchestra.ops.host import Host

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")


def check_name(name: str) -> None:
    """Raises ConfigError for what cannot be a container's name."""
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed",
            fix="use at least two of those characters",
        )


def rename(host: Host, asked: str, name: str) -> None:
    """Call the container *asked* *name*. Raises NotFound, ConfigError, Conflict."""
    state = find_container(host.layout, asked)
    name = name.removeprefix("/")
    check_name(name)
    engine = host.open_engine(state.project)
    try:
        call(engine, RenameContainer(id=ContainerId(state.id), name=name))
    finally:
        engine.close()
