"""BuildSpec: how the image of a service is built."""

from __future__ import annotations

from orchestra.model.container import Frozen, Pairs, Ulimit
from orchestra.named import NamedTuple


class Secret(NamedTuple):
    """What a build is given: the file *path*, or *content* where there is no path."""

    path: str = ""
    content: str = ""


class SecretSource(Frozen, frozen=True, kw_only=True):
    """A secret of the project, given to the build under *target* (its own name when "")."""

    source: str
    target: str = ""
    uid: str = ""
    gid: str = ""
    mode: int | None = None


class BuildSpec(Frozen, frozen=True, kw_only=True):
    """`build`; *context* is an absolute directory or a remote URL, *dockerfile* is relative to it.

    *args* without a value have been looked up in the environment; those found nowhere are absent.
    """

    context: str
    dockerfile: str = ""
    dockerfile_inline: str = ""
    args: Pairs = ()
    target: str = ""
    tags: tuple[str, ...] = ()
    labels: Pairs = ()
    additional_contexts: Pairs = ()  # name -> directory, URL, "docker-image://…", "service:NAME"
    cache_from: tuple[str, ...] = ()
    cache_to: tuple[str, ...] = ()
    no_cache: bool = False
    no_cache_filter: tuple[str, ...] = ()
    pull: bool = False
    network: str = ""
    platforms: tuple[str, ...] = ()
    ssh: Pairs = ()  # id -> path, "" is the agent's socket
    secrets: tuple[SecretSource, ...] = ()
    extra_hosts: Pairs = ()
    entitlements: tuple[str, ...] = ()
    privileged: bool = False
    isolation: str = ""
    provenance: str = ""
    sbom: str = ""
    shm_bytes: int = 0
    ulimits: tuple[Ulimit, ...] = ()
