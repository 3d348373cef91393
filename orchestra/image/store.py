"""The images of this machine, by reference. So far there is one: the host itself.

Pulling, unpacked layers and archives belong here and are not written yet; a reference other than
"host" is therefore not found, and the error says why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.errors import NotFound
from orchestra.image.host import HOST_CONFIG, HOST_IMAGE

if TYPE_CHECKING:
    from orchestra.model.container import ImageId
    from orchestra.model.image import ImageConfig


class LocalImageStore:
    def resolve(self, reference: str) -> ImageConfig:
        """The image called *reference*. Raises NotFound for every one but "host"."""
        if reference == HOST_IMAGE:
            return HOST_CONFIG
        raise _not_found(reference)

    def layers(self, image_id: ImageId) -> tuple[str, ...]:
        """The unpacked layer directories of *image_id*, top first. Raises NotFound."""
        raise _not_found(image_id)


def _not_found(reference: str) -> NotFound:
    return NotFound(
        f'image "{reference}" is not on this machine',
        fix="this version has no registry client yet and cannot pull it; use `image: host`, the "
        "operating system of this machine, instead",
    )
