"""The codec against dnslib, a complete implementation."""

from __future__ import annotations

import pytest
from dnslib import EDNS0, QTYPE, RR, A, DNSQuestion, DNSRecord
from hypothesis import given
from hypothesis import strategies as st

from orchestra.network import dnsmessage as dm


def question(name: str = "web", kind: str = "A") -> dm.Query:
    return dm.parse_query(bytes(DNSRecord.question(name, kind).pack()))


def test_a_question_is_read() -> None:
    query = question("Web.Example", "AAAA")
    assert (query.name, query.kind, query.klass) == ("web.example", dm.TYPE_AAAA, dm.CLASS_IN)
    assert query.udp_bytes == 512


def test_the_size_that_edns_allows_is_read() -> None:
    message = DNSRecord(q=DNSQuestion("web"))
    message.add_ar(EDNS0(udp_len=1232))
    assert dm.parse_query(bytes(message.pack())).udp_bytes == 1232


def test_addresses_are_answered() -> None:
    query = question()
    answer = DNSRecord.parse(dm.addresses_answer(query, [b"\x0a\0\0\1", b"\x0a\0\0\2"], 10))
    assert answer.header.id == query.id
    assert answer.header.ra == 1
    assert [str(record.rdata) for record in answer.rr] == ["10.0.0.1", "10.0.0.2"]
    assert {record.ttl for record in answer.rr} == {10}
    assert str(answer.rr[0].rname) == "web."


def test_no_address_is_an_answer_without_records_not_an_unknown_name() -> None:
    answer = DNSRecord.parse(dm.addresses_answer(question("web", "AAAA"), [], 10))
    assert (answer.header.rcode, answer.rr) == (dm.NOERROR, [])


def test_a_pointer_is_answered() -> None:
    answer = DNSRecord.parse(dm.pointer_answer(question("x.in-addr.arpa", "PTR"), "p-web-1.p", 9))
    assert str(answer.rr[0].rdata) == "p-web-1.p."
    with pytest.raises(ValueError, match="no domain name"):
        dm.pointer_answer(question("x.in-addr.arpa", "PTR"), "a" * 64, 9)


def test_a_refusal_carries_the_code_and_the_question() -> None:
    answer = DNSRecord.parse(dm.refusal(question(), dm.SERVFAIL))
    assert (answer.header.rcode, str(answer.q.qname)) == (dm.SERVFAIL, "web.")


def test_what_is_too_long_for_udp_is_cut_and_says_so() -> None:
    query = question()
    long = dm.addresses_answer(query, [bytes((10, 0, 0, n)) for n in range(100)], 10)
    cut = DNSRecord.parse(dm.fit(long, query))
    assert (cut.header.tc, cut.rr) == (1, [])
    assert dm.fit(long, query._replace(udp_bytes=4096)) == long


def test_only_an_answer_to_the_same_question_counts() -> None:
    query = question("web.example")
    reply = DNSRecord.parse(bytes(DNSRecord.question("WEB.example").pack())).reply()
    reply.add_answer(RR("web.example", QTYPE.A, rdata=A("10.0.0.1")))
    message = dm.with_id(bytes(reply.pack()), 77)
    assert dm.answers(message, 77, query.question)
    assert not dm.answers(message, 78, query.question)
    assert not dm.answers(message, 77, question("other.example").question)
    assert not dm.answers(bytes(DNSRecord.question("web.example").pack()), 77, query.question)
    assert not dm.answers(b"", 77, query.question)


def test_an_answer_is_no_query() -> None:
    reply = bytes(DNSRecord.question("web").reply().pack())
    with pytest.raises(ValueError, match="not a query"):
        dm.parse_query(reply)
    assert dm.format_error(reply) is None


def test_garbage_gets_a_format_error_or_silence() -> None:
    assert dm.format_error(b"\0") is None
    answer = DNSRecord.parse(dm.format_error(b"\x12\x34" + bytes(10)) or b"")
    assert (answer.header.id, answer.header.rcode) == (0x1234, dm.FORMERR)


@given(st.binary(max_size=300))
def test_nothing_else_than_value_error_is_raised(data: bytes) -> None:
    try:
        query = dm.parse_query(data)
    except ValueError:
        return
    assert DNSRecord.parse(dm.refusal(query, dm.REFUSED)).header.rcode == dm.REFUSED


@given(st.binary(max_size=80))
def test_no_name_is_read_beyond_the_message(tail: bytes) -> None:
    try:
        query = dm.parse_query(bytes((0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0)) + tail)
    except ValueError:
        return
    assert query.question == tail[: len(query.question)]
