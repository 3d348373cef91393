"""What a one-off container is told to be, in front of us and in the background."""

from __future__ import annotations

from orchestra.model.container import ContainerId, ContainerSpec, ImageId, LogConfig, Process
from orchestra.ops.run import RunOptions, in_background, in_front


def spec(*, tty: bool = False, driver: str = "json-file") -> ContainerSpec:
    return ContainerSpec(
        id=ContainerId("a" * 64),
        name="demo-web-run-a",
        project="demo",
        service="web",
        image="host",
        image_id=ImageId("host"),
        process=Process(argv=("true",), tty=tty),
        log=LogConfig(driver=driver, options=(("max-size", "1k"),)),
    )


def test_its_stdin_ends_with_ours() -> None:
    made = in_front(spec(), RunOptions("web"))
    assert (made.process.stdin_open, made.process.stdin_once) == (True, True)


def test_the_stdin_of_a_terminal_never_ends() -> None:
    made = in_front(spec(tty=True), RunOptions("web"))
    assert (made.process.stdin_open, made.process.stdin_once) == (True, False)


def test_it_has_no_stdin_if_not_interactive() -> None:
    made = in_front(spec(), RunOptions("web", interactive=False))
    assert (made.process.stdin_open, made.process.stdin_once) == (False, False)


def test_its_log_is_whole_since_we_read_from_it() -> None:
    assert in_front(spec(driver="none"), RunOptions("web")).log == LogConfig()


def test_it_is_removed_when_asked_so_even_without_us() -> None:
    assert in_front(spec(), RunOptions("web")).remove_after_s is None
    assert in_front(spec(), RunOptions("web", remove=True)).remove_after_s == 10
    assert in_background(spec(), RunOptions("web", detach=True)).remove_after_s is None
    assert in_background(spec(), RunOptions("web", detach=True, remove=True)).remove_after_s == 0
