"""How many bytes the files of a directory tree have."""

from __future__ import annotations

import os


def tree_size(path: str) -> int:
    """The sizes of all files below *path*, hard links once; 0 when there is nothing to read.

    Holes of sparse files count, as with Docker. Symbolic links are not followed.
    """
    total = 0
    seen: set[tuple[int, int]] = set()
    pending = [path]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                        continue
                    status = entry.stat(follow_symlinks=False)
                    if status.st_nlink > 1:
                        identity = (status.st_dev, status.st_ino)
                        if identity in seen:
                            continue
                        seen.add(identity)
                    total += status.st_size
        except OSError:
            continue  # it is changing under our eyes, or closed to us
    return total
