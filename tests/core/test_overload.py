"""Limiters that answer with a bare 503, as nginx does unless told otherwise; and a 503 that is a fault."""

from __future__ import annotations

import threading
import time

import pytest

from in_process import call
from json_api import JsonApi, cut
from limits import Bucket
from lists import BY_OFFSET, only, rows_of
from tap_core.errors import Retriable
from tap_core.http.believed import Believed

NGINX = "<html><h1>503 Service Temporarily Unavailable</h1></html>"


def read(stream, folder, refuses, *, body=NGINX, count=400, **settings):
    """The output of a run over a server that refuses some pages with 503, and how often it did."""
    tap, rows, refused = BY_OFFSET[stream], rows_of(stream, count), []

    def handle(_, query):
        places = range(int(query["offset"]), int(query["offset"]) + int(query["limit"]))
        if refuses(places):
            refused.append(places)
            return 503, body
        return {stream: cut(rows, query)}

    with JsonApi(handle) as api:
        output = call(tap, folder, url=api.url, catalog=only(tap, stream), page_size=10, **settings)
    return output, len(refused)


@pytest.mark.parametrize("stream", BY_OFFSET)
@pytest.mark.parametrize("burst", [1, 3])
def test_C01_a_limiter_that_answers_with_a_bare_503_costs_no_row(tmp_path, stream, burst):
    bucket, lock = Bucket(50, burst), threading.Lock()

    def refuses(_):
        with lock:
            return not bucket.allows(time.monotonic())

    output, refused = read(stream, tmp_path, refuses, backoff_factor=0.05, max_retries=3)
    assert output.code == 0, output.log
    assert len({row["id"] for row in output.records[stream]}) == 400
    assert refused < 30


@pytest.mark.parametrize("body", [NGINX, {"message": "the time for a request was exceeded"}])
@pytest.mark.parametrize("stream", BY_OFFSET)
def test_C01_a_503_for_good_stays_a_fault_of_its_row_alone(tmp_path, stream, body):
    output, _ = read(stream, tmp_path, lambda places: 25 in places, body=body, count=60, max_retries=3)
    assert output.code, output.log
    assert {int(row["id"]) for row in output.records[stream]} == {*range(60)} - {25}


@pytest.mark.parametrize("stream", BY_OFFSET)
def test_C01_a_503_that_says_too_many_requests_is_a_429(tmp_path, stream):
    answers = iter([True, True])
    said = {"message": "Too many requests"}
    output, _ = read(stream, tmp_path, lambda _: next(answers, False), body=said, count=60, max_retries=1)
    assert output.code == 0, output.log
    assert len(output.records[stream]) == 60


BUSY = Retriable("503 Busy", status=503)


def answers(believed, pattern):
    """What is thought of each 503 among answers."""
    for number, letter in enumerate(pattern):
        if letter == "x":
            yield believed.is_limit(BUSY, number)
        else:
            believed.passed()


def test_C01_many_a_503_is_a_limits_while_others_pass_and_a_pace_helps():
    assert not any(answers(Believed(), "...x" * 50)), "now and then it is a fault"
    assert any(answers(Believed(), "x." * 20))
    assert not any(Believed().is_limit(BUSY, 0) for _ in range(40)), "nothing passes"
    learned = Believed()
    assert [*answers(learned, "x." * 20 + "......x" * 40)][-1]
    at_random = Believed()
    assert [*answers(at_random, "x." * 20)][-1]
    assert not [*answers(at_random, "xx." * 40)][-1]


def test_C01_a_503_that_never_passes_alone_is_a_fault_from_then_on():
    believed = Believed()
    assert [*answers(believed, "x." * 20)][-1]
    believed.in_vain(BUSY, 20)
    assert not any(answers(believed, "x." * 40))
    assert believed.is_limit(Retriable("429", status=429), 0)


def test_D02_a_request_that_a_503_limiter_passed_over_each_time_goes_alone():
    believed = Believed()
    assert not any(answers(believed, "x..." * 8))
    assert believed.is_limit(BUSY, 30, last=True)
    assert not believed.is_limit(BUSY, 30), "of others nothing is known"
    assert not Believed().is_limit(BUSY, 30, last=True), "nothing else was refused"


def test_D02_a_503_of_a_request_that_goes_alone_says_nothing_of_the_pace():
    believed = Believed()
    assert [*answers(believed, "x." * 20)][-1]
    for number in range(100):
        believed.passed()
        assert believed.is_limit(BUSY, 40 + number, alone=True)
        assert believed.is_limit(BUSY, 40 + number, alone=True)
