"""Bytes go both ways, and one way that is blocked does not block another."""

from __future__ import annotations

import os

from orchestra.runtime.pump import Pump


def test_bytes_arrive_and_the_end_closes_the_sink() -> None:
    pump = Pump()
    in_reader, in_writer = os.pipe()
    out_reader, out_writer = os.pipe()
    pump.route(in_reader, out_writer, is_output=False, owned=(in_reader, out_writer))
    os.write(in_writer, b"hello")
    os.close(in_writer)
    pump.step()
    pump.step()
    assert os.read(out_reader, 100) == b"hello"
    assert os.read(out_reader, 100) == b""
    os.close(out_reader)


def fill(fd: int) -> int:
    """Write to the non-blocking *fd* until it takes no more; how much it took."""
    taken = 0
    while True:
        try:
            taken += os.write(fd, b"x" * 4096)
        except BlockingIOError:
            return taken


def test_a_full_sink_delays_only_its_own_source() -> None:
    pump = Pump()
    reader, writer = os.pipe()
    full_reader, full_writer = os.pipe()
    other_reader, other_writer = os.pipe()
    sink_reader, sink_writer = os.pipe()
    os.set_blocking(full_writer, False)
    taken = fill(full_writer)
    pump.route(reader, full_writer, is_output=False, owned=(reader, full_writer))
    pump.route(other_reader, sink_writer, is_output=True, owned=(other_reader, sink_writer))
    os.write(writer, b"late")
    pump.step()
    os.write(writer, b"later")
    os.write(other_writer, b"alive")
    pump.step()
    assert os.read(sink_reader, 100) == b"alive"
    while taken:
        taken -= len(os.read(full_reader, taken))
    pump.step()
    assert os.read(full_reader, 100) == b"late"
    pump.step()
    assert os.read(full_reader, 100) == b"later"
    pump.close()
    for fd in (writer, full_reader, other_writer, sink_reader):
        os.close(fd)


def test_draining_takes_what_is_there_and_does_not_wait_for_the_end() -> None:
    pump = Pump()
    reader, writer = os.pipe()
    out_reader, out_writer = os.pipe()
    pump.route(reader, out_writer, is_output=True, owned=(reader,))
    os.write(writer, b"last words")
    pump.drain()
    assert os.read(out_reader, 100) == b"last words"
    pump.close()
    for fd in (writer, out_reader, out_writer):
        os.close(fd)


def test_a_sink_that_nobody_reads_ends_its_route() -> None:
    pump = Pump()
    reader, writer = os.pipe()
    out_reader, out_writer = os.pipe()
    os.close(out_reader)
    pump.route(reader, out_writer, is_output=True, owned=(reader, out_writer))
    os.write(writer, b"x")
    pump.step()
    try:
        os.write(writer, b"y")
    except BrokenPipeError:
        os.close(writer)
        return
    raise AssertionError("the writer was not told")


def test_only_what_is_passed_goes_on() -> None:
    pump = Pump()
    in_reader, in_writer = os.pipe()
    out_reader, out_writer = os.pipe()
    pump.route(in_reader, out_writer, is_output=False, passing=lambda b: b.replace(b"x", b""))
    os.write(in_writer, b"xx")
    pump.step()
    os.write(in_writer, b"axb")
    pump.step()
    assert os.read(out_reader, 100) == b"ab"
    for fd in (in_reader, in_writer, out_reader, out_writer):
        os.close(fd)


def test_who_is_to_be_written_to_is_told_of_until_unwatched() -> None:
    pump = Pump()
    reader, writer = os.pipe()
    pump.watch(writer, writable=True)
    assert pump.step() == (writer,)
    pump.unwatch(writer)
    pump.watch(reader)
    os.write(writer, b"x")
    assert pump.step() == (reader,)
    os.close(reader)
    os.close(writer)
