"""`devices`, `gpus` and `deploy.resources.reservations.devices` as names of CDI devices. Pure.

GPUs are CDI devices by convention, as Docker and Podman have it: `nvidia.com/gpu=all`, `=0`, or by
their UUID. `driver: cdi` takes the names as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.errors import Unsupported

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.model.deploy import DeviceRequest
    from orchestra.model.service import Service

_KINDS = {"": "nvidia.com/gpu", "nvidia": "nvidia.com/gpu", "amd": "amd.com/gpu"}


def cdi_devices(service: Service) -> tuple[str, ...]:
    """The full names of all CDI devices of *service*. Raises Unsupported."""
    named = [device.source for device in service.devices if not device.source.startswith("/")]
    requested = [name for request in service.gpus for name in _requested(service, request)]
    return tuple(dict.fromkeys([*named, *requested]))


def _requested(service: Service, request: DeviceRequest) -> Iterator[str]:
    if request.driver == "cdi":
        yield from request.device_ids
        return
    kind = _KINDS.get(request.driver)
    is_gpu = "gpu" in request.capabilities or bool(request.driver)
    if kind is None or not is_gpu:
        wanted = request.driver or ", ".join(request.capabilities) or "neither"
        raise Unsupported(
            f'service "{service.name}": no driver hands out the devices that are wanted ({wanted})',
            fix="use capabilities: [gpu], or driver: cdi with device_ids: [vendor.com/class=name]",
        ).at("services", service.name)
    if request.options:
        raise Unsupported(
            f'service "{service.name}": a device request cannot have options here',
            fix="set what the driver reads under environment:",
        ).at("services", service.name)
    if request.device_ids:
        yield from (f"{kind}={each}" for each in request.device_ids)
    elif request.count > 0:
        yield from (f"{kind}={number}" for number in range(request.count))
    else:
        yield f"{kind}=all"
