"""Programs of other people: the one place that starts them, with a time limit and no shell.

Imported only by what needs it: subprocess costs 10 ms. Containers are not started here.
"""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orchestra.errors import NotFound, OrchestraError
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


class ToolResult(NamedTuple):
    exit_code: int
    stdout: bytes
    stderr: bytes


def run_tool(
    argv: Sequence[str],
    *,
    timeout_s: float,
    environ: Mapping[str, str],
    stdin: bytes = b"",
) -> ToolResult:
    """Run *argv* to its end. Its output may hold secrets and is neither logged nor quoted.

    Raises NotFound when the program is not installed, OrchestraError when it takes too long.
    """
    try:
        done = subprocess.run(
            list(argv),
            input=stdin,
            capture_output=True,
            timeout=timeout_s,
            env=dict(environ),
            check=False,
        )
    except FileNotFoundError as exc:
        raise NotFound(
            f"{argv[0]} is not installed", fix=f"install {argv[0]} or add its directory to PATH"
        ) from exc
    except PermissionError as exc:
        raise NotFound(f"{argv[0]} cannot be executed", fix=f"chmod +x {argv[0]}") from exc
    except subprocess.TimeoutExpired as exc:
        raise OrchestraError(
            f"{argv[0]} did not end within {timeout_s:g} s", fix="run it by hand to see why"
        ) from exc
    return ToolResult(done.returncode, done.stdout, done.stderr)


@contextmanager
def tool_lines(argv: Sequence[str], *, environ: Mapping[str, str]) -> Iterator[Iterator[bytes]]:
    """Run *argv* as long as it likes; what it writes to stdout, line by line.

    What it writes to stderr goes to ours. Whoever leaves early ends it. Raises NotFound when it is
    not installed, and at the end OrchestraError when its exit code is not 0.
    """
    try:
        process = subprocess.Popen(
            list(argv), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=dict(environ)
        )
    except (FileNotFoundError, PermissionError) as exc:
        raise NotFound(
            f"{argv[0]} cannot be executed", fix=f"install {argv[0]} or correct its name"
        ) from exc
    with process:
        try:
            assert process.stdout is not None  # noqa: S101 (it is a pipe)
            yield iter(process.stdout)
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        raise OrchestraError(f"{argv[0]} ended with status {process.returncode}")
