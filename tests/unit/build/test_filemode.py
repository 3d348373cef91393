"""--chmod: octal numbers and changes."""

from __future__ import annotations

import pytest

from orchestra.build.filemode import parse_mode


@pytest.mark.parametrize(
    ("text", "mode", "expected"),
    [
        ("755", 0o600, 0o755),
        ("0644", 0o777, 0o644),
        ("4755", 0o600, 0o4755),
        ("u+x", 0o644, 0o744),
        ("+x", 0o644, 0o755),
        ("a-w", 0o666, 0o444),
        ("go-rwx", 0o755, 0o700),
        ("u=rw,go=r", 0o777, 0o644),
        ("u=rwX,go=rX", 0o644, 0o644),
        ("u=rwX,go=rX", 0o755, 0o755),
        ("g+s", 0o755, 0o2755),
        ("+t", 0o777, 0o1777),
        ("g=u", 0o741, 0o771),
        ("o+g,u=o", 0o052, 0o757),
        ("go-u", 0o577, 0o522),
    ],
)
def test_mode_of_a_file(text: str, mode: int, expected: int) -> None:
    assert parse_mode(text).applied_to(mode, is_directory=False) == expected


def test_a_capital_x_is_for_directories() -> None:
    assert parse_mode("go=rX").applied_to(0o700, is_directory=True) == 0o755


@pytest.mark.parametrize("text", ["789", "99999", "u~x", "x", "rwx", "", "755x"])
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no mode"):
        parse_mode(text)
