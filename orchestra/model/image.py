"""What an engine must know of an image to run it: the OCI image config, reduced to what is used."""

from __future__ import annotations

from orchestra.model.container import Frozen, HealthCheck, ImageId, Pairs


class ImageConfig(Frozen, frozen=True, kw_only=True):
    """OCI image-spec config.md; Docker's HEALTHCHECK and STOPSIGNAL besides."""

    id: ImageId
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    env: Pairs = ()
    cwd: str = ""
    user: str = ""
    volumes: tuple[str, ...] = ()
    exposed_ports: tuple[str, ...] = ()
    labels: Pairs = ()
    stop_signal: str = ""
    healthcheck: HealthCheck | None = None
    shell: tuple[str, ...] = ("/bin/sh", "-c")
    created_ns: int = 0
    size_bytes: int = 0
