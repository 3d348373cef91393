"""Modules imported without compiling their patterns work all the same."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import re, sys
from orchestra.patterns import compiled_at_first_use
compile_now = re.compile
with compiled_at_first_use():
    import textwrap
    import yaml
assert re.compile is compile_now
assert type(yaml.reader.Reader.NON_PRINTABLE) is not re.Pattern
assert yaml.safe_load("a: [1, 2001-01-01, off]")["a"][0::2] == [1, False]
assert textwrap.wrap("one two", 4) == ["one", "two"]
assert yaml.reader.Reader.NON_PRINTABLE.pattern.startswith("[^")
"""


def test_patterns_are_compiled_when_they_are_used() -> None:
    subprocess.run([sys.executable, "-c", SCRIPT], check=True, timeout=20)


def test_a_process_with_threads_is_left_alone() -> None:
    script = "import threading\n" + SCRIPT.replace("is not re.Pattern", "is re.Pattern")
    subprocess.run([sys.executable, "-c", script], check=True, timeout=20)
