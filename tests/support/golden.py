"""Golden files: what the program is expected to print, kept as text for review."""

from __future__ import annotations

import os


class Golden:
    """The golden files of one directory."""

    def __init__(self, directory: str, *, update: bool) -> None:
        self._directory = directory
        self._update = update

    def check(self, name: str, text: str) -> None:
        """Compare *text* with the file *name*, or write it there under `--update-golden`."""
        path = os.path.join(self._directory, name)
        if self._update:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            return
        with open(path, encoding="utf-8") as file:
            expected = file.read()
        assert text == expected, f"{path} differs; run pytest --update-golden and read the diff"
