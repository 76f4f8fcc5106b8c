"""Answers as servers give them that were built in a hurry, on several taps, as whole runs."""

from __future__ import annotations

import gzip
import json
import logging
from random import Random

import pytest

from json_api import JsonApi, cut, numbered
from lists import BY_OFFSET, QUICK, WITH_DELETES, activated, keys, moment, only, rows_of, settings
from raw_server import RawServer, answer
from support import KEY, run
from tap_billing.tap import TapBilling
from tap_core.errors import ApiError
from tap_events.tap import TapEvents
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling


@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize("status", ["103 Early Hints", "102 Processing"])
@pytest.mark.parametrize(("tap", "stream"), [(TapEvents, "users"), (TapRewards, "campaigns")])
def test_C04_an_answer_may_be_announced_by_another(tap, stream, status, concurrency):
    rows = [{"id": str(number)} for number in range(250)]
    interim = f"HTTP/1.1 {status}\r\nLink: </a.css>; rel=preload\r\n\r\n".encode()

    def reply(target, sock):
        query = dict(pair.split("=") for pair in target.partition("?")[2].split("&"))
        return 2 * interim + answer({stream: cut(rows, query)})

    with RawServer(reply) as server:
        config = {"api_url": server.url, "api_key": KEY, **QUICK, "concurrency": concurrency}
        output = run(tap, config, catalog=only(tap, stream))
    assert [str(row["id"]) for row in output.records[stream]] == [row["id"] for row in rows]


@pytest.mark.parametrize("word", ["utf-8", "none", "identity, UTF-8", "json", "utf-8, gzip", "gzip, utf-8"])
@pytest.mark.parametrize(("tap", "stream"), [(TapEvents, "users"), (TapRewards, "campaigns")])
def test_D_a_body_whose_encoding_is_no_packing_is_taken_as_it_is(tap, stream, word):
    body = json.dumps({stream: [{"id": "1"}]}).encode()
    body = gzip.compress(body) if "gzip" in word else body
    with RawServer(lambda target, sock: answer(body, Content_Encoding=word)) as server:
        config = {"api_url": server.url, "api_key": KEY, **QUICK}
        output = run(tap, config, catalog=only(tap, stream))
    assert len(output.records[stream]) == 1


@pytest.mark.parametrize(("tap", "stream"), [(TapEvents, "users"), (TapRewards, "campaigns")])
@pytest.mark.parametrize("packing", ["br", "gzip, zstd"])
def test_a_body_that_is_packed_in_an_unknown_way_is_called_so(tap, stream, packing):
    body = gzip.compress(b"\x8b\x02\x80{}\x03") if "gzip" in packing else b"\x8b\x02\x80{}\x03"
    said = f"the body is packed as `{packing.split()[-1]}`, which was not asked for"
    with RawServer(lambda target, sock: answer(body, Content_Encoding=packing)) as server:
        config = {"api_url": server.url, "api_key": KEY, **QUICK}
        with pytest.raises(Exception, match=said):
            run(tap, config, catalog=only(tap, stream))


@pytest.mark.parametrize("stream", BY_OFFSET)
def test_pages_that_are_packed_unasked_from_a_size_on_are_had_in_pieces(stream):
    """As of a gateway that packs large answers alone."""

    def reply(target, sock):
        asked = dict(pair.split("=") for pair in target.partition("?")[2].split("&"))
        rows = cut(rows_of(stream, 150), asked)
        return answer(b"\x8b\x02", Content_Encoding="br") if len(rows) > 60 else answer({stream: rows})

    with RawServer(reply) as server:
        output = run(BY_OFFSET[stream], settings(server), catalog=only(BY_OFFSET[stream], stream))
    assert len(set(keys(output, stream))) == 150


UNREADABLE = [
    (b'"Caf\xe9", "y": 1', 5, "is no UTF-8"),
    (b'"' + b"a" * 70_000 + b'\xc3\xa9\xc3\xa9\xe9"', 70_006, "is no UTF-8"),
    (b'"a\tb"', 3, "has a raw control character in a text"),
    (b'"a\\"\nb"', 5, "has a raw control character in a text"),
    (b'"NaN", "y": NaN', 13, "has NaN or Infinity for a number"),
    (b'"\\\\", "y": -Infinity', 12, "has NaN or Infinity for a number"),
]
"""Ends of a body, the place of what is wrong in them, and what is said of it."""


@pytest.mark.parametrize(("end", "place", "what"), UNREADABLE)
@pytest.mark.parametrize(("tap", "stream"), [(TapEvents, "users"), (TapRewards, "campaigns")])
def test_H04_a_body_that_is_written_wrongly_is_named_with_the_place(tap, stream, end, place, what):
    begun = b'\xef\xbb\xbf\n {"%s": [{"id": "1", "secret name": ' % stream.encode()
    body = begun + end + b"}]}\n"
    where = f"the body {what} at byte {len(begun) + place} (no type, {len(body)} bytes)"
    said = f"failed 2 times, at last with: {where}. Report it to the API's vendor, and run again"
    with RawServer(lambda target, sock: answer(body)) as server, pytest.raises(ApiError) as failure:
        run(tap, {"api_url": server.url, "api_key": KEY, **QUICK}, catalog=only(tap, stream))
    assert said in str(failure.value)
    assert "secret name" not in str(failure.value)


@pytest.mark.parametrize(
    "body",
    [
        *(b'{"%s": [{"id": "1", "x": "Caf\xc3\xa9 NaN \\" y"}]}'[:-cut] for cut in (1, 3, 8, 13, 15, 16)),
        b'{"%s": [{"id": "1", "x": "a\n',
        b'<p class="a\nb">Caf\xe9 NaN {}</p>',
    ],
)
@pytest.mark.parametrize(("tap", "stream"), [(TapEvents, "users"), (TapRewards, "campaigns")])
def test_H04_a_body_that_is_cut_short_or_no_json_is_called_so(tap, stream, body):
    body = body.replace(b"%s", stream.encode())
    said = rf"the body is not whole JSON \(no type, {len(body)} bytes\). Check api_url and the network"
    with RawServer(lambda target, sock: answer(body)) as server, pytest.raises(Exception, match=said):
        run(tap, {"api_url": server.url, "api_key": KEY, **QUICK}, catalog=only(tap, stream))


def test_an_answer_that_speaks_another_protocol_is_none():
    with RawServer(lambda target, sock: b"HTTP/1.1 101 Switching Protocols\r\n\r\n") as server:
        config = {"api_url": server.url, "api_key": KEY, **QUICK}
        with pytest.raises(Exception, match="failed 2 times"):
            run(TapEvents, config, catalog=only(TapEvents, "users"))


@pytest.mark.parametrize("text", [b'\\"' * 200_000, b"\\" * 399_999, b'"' * 199_999])
@pytest.mark.parametrize(
    ("tap", "stream"), [(TapEvents, "users"), (TapRewards, "campaigns"), (TapScheduling, "teams")]
)
def test_a_deep_answer_that_is_cut_off_in_a_text_is_judged_in_its_time(tap, stream, text):
    """What would take the square of its length takes hours."""
    body = b'{"%s": [{"id": 1, "x": %s"%s' % (stream.encode(), b"[" * 3000, text)
    with RawServer(lambda target, sock: answer(body)) as server:
        config = {"api_url": server.url, "api_key": KEY, **QUICK}
        with pytest.raises(Exception, match="the body is not whole JSON"):
            run(tap, config, catalog=only(tap, stream))


@pytest.mark.parametrize("stream", ["rewards", "orders"])
def test_A03_a_page_of_one_moment_shows_no_order(stream):
    """The server is asked for the newest first, and sends the oldest."""
    rows = [{"id": f"a{number}", "created_at": moment(0, day=1)} for number in range(100)]
    rows.append({"id": "bookmark", "created_at": moment(0, day=10)})
    rows += [{"id": f"b{number}", "created_at": moment(number, day=20)} for number in range(10)]
    config = {"lookback": 0}
    with JsonApi(lambda path, query: {stream: cut(rows[:101], query)}) as api:
        first = run(TapRewards, settings(api, **config), catalog=only(TapRewards, stream))
    state = {"bookmarks": {stream: {**first.state["bookmarks"][stream]}}}
    with JsonApi(lambda path, query: {stream: cut(rows, query)}) as api:
        later = run(TapRewards, settings(api, **config), catalog=only(TapRewards, stream), state=state)
    assert {row["id"] for row in rows[101:]} <= {row["id"] for row in later.records[stream]}


@pytest.mark.parametrize(
    ("tap", "stream", "total"),
    [(TapRewards, "campaigns", "total_count"), (TapRewards, "orders", "total_count")],
)
def test_nothing_is_called_gone_where_a_total_says_that_more_is_there(tap, stream, total):
    rows = [{"id": str(number), "created_at": moment(number)} for number in range(95, 0, -1)]
    for claimed, expected in ((100, set()), (95, {stream})):
        with JsonApi(lambda path, query, said=claimed: {stream: cut(rows, query), total: said}) as api:
            output = run(tap, settings(api, **WITH_DELETES), catalog=only(tap, stream))
        assert len(output.records[stream]) == len(rows)
        assert activated(output) == expected


@pytest.mark.parametrize(
    ("tap", "stream", "page_of"),
    [
        (TapEvents, "users", lambda rows, query: {"users": cut(rows, query, cap=100)}),
        (TapRewards, "campaigns", lambda rows, query: {"campaigns": cut(rows, query, cap=100)}),
        (TapBilling, "customers", lambda rows, query: [{"customer": row} for row in numbered(rows, query)]),
    ],
)
def test_two_nodes_may_write_the_same_rows_with_other_bytes(tap, stream, page_of):
    rows = [{"id": number, "name": "Café"} for number in range(700)]

    def reply(target, sock):
        query = dict(pair.split("=") for pair in target.partition("?")[2].split("&"))
        is_other = len(server.paths) % 2 > 0
        body = json.dumps(page_of(rows, query), ensure_ascii=is_other, sort_keys=is_other)
        return answer(body.encode())

    with RawServer(reply) as server:
        config = {"api_url": server.url, "api_key": KEY, **QUICK, "concurrency": 1}
        output = run(tap, config, catalog=only(tap, stream))
        assert len(server.paths) <= 14
    assert [int(row["id"]) for row in output.records[stream]] == list(range(700))


def test_rows_of_one_moment_in_no_fixed_order_are_a_failure_by_name():
    """More of them than a page has, so that some pass the reader."""
    dice = Random(5)
    rows = [{"id": str(number), "created_at": moment(number // 150)} for number in range(1200)]

    def handle(path, query):
        tied = sorted(rows, key=lambda row: (row["created_at"], dice.random()), reverse=True)
        return {"orders": cut(tied, query, cap=100)}

    with JsonApi(handle) as api:
        output = run(
            TapRewards,
            settings(api, allow_partial=True, concurrency=1, **WITH_DELETES),
            catalog=only(TapRewards, "orders"),
        )
    assert len({row["id"] for row in output.records["orders"]}) < len(rows)
    assert not activated(output)
    assert output.state["bookmarks"]["orders"].get("replication_key_value") is None


def test_a_list_that_grows_with_every_request_comes_to_an_end():
    rows = [{"id": number, "created_at": moment(number)} for number in range(1, 251)]

    def handle(path, query):
        since = int(query.get("since_id", 0))
        page = [{"event": row} for row in numbered([row for row in rows if row["id"] > since], query)]
        rows.append({"id": len(rows) + 1, "created_at": moment(len(rows) + 1)})
        return page

    with JsonApi(handle) as api:
        output = run(TapBilling, settings(api, concurrency=1), catalog=only(TapBilling, "events"))
        read = [row["id"] for row in output.records["events"]]
        assert len(api.paths) < 120
    assert sorted({*read}) == list(range(1, max(read) + 1))
    assert max(read) > 300


@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO])
def test_E_no_address_of_a_person_is_in_a_log(level, caplog):
    caplog.set_level(level)
    address = "jane.doe+x@example.org"
    said = {"message": f"Customer {address} is locked"}
    with JsonApi(lambda path, query: (422, said)) as api:
        config = settings(api, filters={"bookings": {"attendeeEmail": address}})
        with pytest.raises(Exception, match="422"):
            run(TapScheduling, config, catalog=only(TapScheduling, "bookings"))
        assert any("attendeeEmail" in target for target in api.paths)
    assert caplog.records
    assert "jane" not in caplog.text
