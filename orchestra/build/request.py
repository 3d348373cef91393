"""What one build is asked to do, ready: files read, names parsed, nothing of the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from orchestra.build.running import Limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestra.build.dockerfile import Dockerfile
    from orchestra.build.exchange.spec import CacheSpec
    from orchestra.build.ignore import IgnoreRules
    from orchestra.build.seen import Seen
    from orchestra.image.platform import Platform
    from orchestra.image.reference import Reference
    from orchestra.model.build import Secret
    from orchestra.model.container import Pairs


class BuildRequest(NamedTuple):
    """*context* is a directory, *contexts* names others: directories and image references.

    *secrets* and *ssh* map ids to secrets and to sockets of this machine. *epoch_s* is
    SOURCE_DATE_EPOCH. *no_cache* names the stages whose steps all run; "*" is every stage.
    *notes* are warnings about what was asked for. *asked* is what the build is remembered by,
    unless it is empty; *seen* has the files that the request was made from.
    """

    dockerfile: Dockerfile
    context: str
    ignore: IgnoreRules
    platform: Platform
    args: Mapping[str, str]
    target: str = ""
    names: tuple[Reference, ...] = ()
    labels: Pairs = ()
    contexts: Pairs = ()
    secrets: Mapping[str, Secret] = {}
    ssh: Mapping[str, str] = {}
    network: str = "default"
    no_cache: frozenset[str] = frozenset()
    epoch_s: int | None = None
    limits: Limits = Limits()
    notes: tuple[str, ...] = ()
    cache_from: tuple[CacheSpec, ...] = ()
    cache_to: tuple[CacheSpec, ...] = ()
    asked: bytes = b""
    seen: Seen | None = None
