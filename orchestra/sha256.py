"""SHA-256 of a few bytes, without OpenSSL.

`hashlib` loads libcrypto, which costs every `up` 3 ms twice (client and supervisor) and an idle
supervisor 1 MB. CPython's own implementation, which `random` uses in the same way, is there
already; for the megabytes of a layer it is too slow: those import `hashlib`, where they are hashed.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hashlib import sha256
else:
    try:
        from _sha2 import sha256  # since Python 3.12
    except ImportError:
        try:
            from _sha256 import sha256
        except ImportError:  # another Python
            from hashlib import sha256

__all__ = ["sha256"]
