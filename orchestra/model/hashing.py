"""The config hash: what decides whether a container still is what the compose file asks for.

SHA-256 over the canonical service as JSON, without what makes no difference to a container that
exists (how the image is built or pulled, the number of replicas, order of start, profiles), plus
the content of the configs and secrets it mounts. Environment files are in the environment already.
The default networks and volumes of the project are hashed by the same rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.model.structs import msgspec
from orchestra.sha256 import sha256

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.model.network import NetworkSpec, NetworkState, VolumeSpec
    from orchestra.model.service import Service

_encode = msgspec.json.Encoder(order="deterministic").encode


def service_hash(service: Service, contents: Iterable[bytes] = ()) -> str:
    """The config hash of *service*, 64 hexadecimal digits.

    *contents* are the bytes of its configs and secrets, in the order of the service's own lists.
    """
    essential = msgspec.structs.replace(
        service,
        build=None,
        pull_policy=None,
        pull_refresh_s=0.0,
        replicas=1,
        deploy=None
        if service.deploy is None
        else msgspec.structs.replace(service.deploy, replicas=None),
        depends_on=(),
        profiles=(),
        env_files=(),
        label_files=(),
        watch=(),
        attach=True,
        extensions=(),
    )
    digest = sha256(_encode(essential))
    for content in contents:
        digest.update(b"%d:" % len(content))
        digest.update(content)
    return digest.hexdigest()


def resource_hash(spec: NetworkSpec | VolumeSpec) -> str:
    """The config hash of a declared network or volume, over everything but its labels."""
    return sha256(_encode(msgspec.structs.replace(spec, labels=()))).hexdigest()


def network_id(state: NetworkState) -> str:
    """64 digits that name this network and none that is made later, as Docker's ids."""
    return sha256(f"{state.spec.name}\0{state.created_ns}".encode()).hexdigest()
