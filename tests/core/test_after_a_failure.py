"""The run after one that failed, or was stopped: it does not take for read what that one was wrong about."""

from __future__ import annotations

import pytest

from in_process import call, select
from json_api import JsonApi, cut, numbered
from lists import WITH_DELETES, activated
from tap_billing.tap import TapBilling
from tap_events.tap import TapEvents
from tap_promotions.tap import TapPromotions
from tap_rewards.tap import TapRewards

NOWHERE = 2**40
COUNTED = {"users": TapEvents, "invoices": TapRewards, "orders": TapRewards}
"""Lists that tell their total."""


class Account(JsonApi):
    """An account with one list by offset, of which the server shows so many rows, and counts all.

    Attributes:
        shown: How many.
        fails_from: Place from which on pages fail.
        failing: What is answered there.
    """

    def __init__(self, stream, count=60):
        self.shown, self.fails_from, self.failing = count, NOWHERE, (500, {})
        made = "2026-05-01T00:00:00Z"
        key = int if stream == "users" else str
        self.rows = [{"id": key(number), "name": "old", "created_at": made} for number in range(count)]
        self._stream, self._count = stream, count
        super().__init__(self._answer)

    def _answer(self, path, query):
        if int(query.get("offset", 0)) >= self.fails_from:
            return self.failing
        total = {"total_count": self._count, "pagination": [{"total": self._count}]}
        return {self._stream: cut(self.rows[: self.shown], query), **total}


class Runs:
    """Runs in turn, each with the STATE of the one before it."""

    def __init__(self, tap, folder, api, *streams, **config):
        self._tap, self._folder, self._api, self._streams = tap, folder, api, streams
        self._config = {"page_size": 10, **WITH_DELETES, **config}
        self._state = None

    def next(self):
        catalog = select(self._tap, *self._streams)
        output = call(
            self._tap, self._folder, url=self._api.url, catalog=catalog, state=self._state, **self._config
        )
        self._state = output.state or self._state
        return output

    def bookmark(self):
        return self._state["bookmarks"][self._streams[0]].get("replication_key_value")


@pytest.mark.parametrize("stream", COUNTED)
def test_A_rows_that_are_hidden_fail_each_run(tmp_path, stream):
    """As while an index is rebuilt: the second run must not take the rows in front for the whole list."""
    with Account(stream) as api:
        runs = Runs(COUNTED[stream], tmp_path, api, stream)
        for shown in (30, 30, 40, 60):
            api.shown = shown
            output = runs.next()
            whole = shown == 60
            assert (output.code, len(output.rows(stream)), activated(output)) == (
                (0, 60, {stream}) if whole else (2, shown, set())
            )
            if stream == "orders":
                assert bool(runs.bookmark()) == whole


@pytest.mark.parametrize("stream", COUNTED)
def test_A_a_read_that_is_gone_on_with_is_held_against_the_total(tmp_path, stream):
    with Account(stream) as api:
        runs = Runs(COUNTED[stream], tmp_path, api, stream)
        api.shown, api.fails_from, api.failing = 30, 20, (401, {})
        assert runs.next().code == 2
        api.fails_from = NOWHERE
        output = runs.next()
        assert len(output.rows(stream)) < 20, "it went on"
        assert (output.code, activated(output)) == (2, set())
        assert "read 30 records where the API says there are 60" in output.log
        api.shown = 60
        output = runs.next()
        assert (output.code, len(output.rows(stream)), activated(output)) == (0, 60, {stream})


@pytest.mark.parametrize("stream", COUNTED)
def test_a_read_that_is_gone_on_with_is_whole_if_all_came(tmp_path, caplog, stream):
    """Not least where rows of those that the first run read are gone by then."""
    with Account(stream) as api:
        runs = Runs(COUNTED[stream], tmp_path, api, stream)
        api.fails_from, api.failing = 40, (401, {})
        first = runs.next()
        api.fails_from = NOWHERE
        del api.rows[3:5]
        api.shown = api._count = 58
        second = runs.next()
    assert (first.code, second.code, activated(second)) == (2, 0, {stream})
    assert len(second.rows(stream)) < 40
    assert len(first.rows(stream) | second.rows(stream)) == 60
    assert "where the API says" not in caplog.text


def test_a_checkpoint_of_an_earlier_version_claims_nothing(tmp_path):
    with Account("users") as api:
        runs = Runs(TapEvents, tmp_path, api, "users")
        api.shown, api.fails_from, api.failing = 30, 20, (401, {})
        runs.next()
        del runs._state["bookmarks"]["users"]["checkpoint"][0]["before"]
        api.fails_from = NOWHERE
        output = runs.next()
    assert 0 < len(output.rows("users")) < 20
    assert activated(output) == set()


@pytest.mark.parametrize("answer", [(404, {}), (500, {}), (200, b'{"users": [')], ids=["404", "500", "cut"])
@pytest.mark.parametrize("stream", ["users", "invoices"])
def test_a_page_that_failed_is_gone_on_from_once(tmp_path, stream, answer):
    """With a status of its own, or with none that says so."""
    with Account(stream) as api:
        runs = Runs(COUNTED[stream], tmp_path, api, stream)
        api.fails_from, api.failing = 30, answer
        first = runs.next()
        api.fails_from = NOWHERE
        second = runs.next()
    assert (first.code, second.code, activated(second)) == (2, 0, {stream})
    assert len(second.rows(stream)) < 40
    assert len(first.rows(stream) | second.rows(stream)) == 60


@pytest.mark.parametrize("stream", ["users", "invoices"])
def test_rows_in_front_of_a_page_that_fails_for_good_come_again(tmp_path, stream):
    with Account(stream) as api:
        runs = Runs(COUNTED[stream], tmp_path, api, stream)
        api.fails_from = 10
        runs.next()
        api.rows[2]["name"] = "new"
        again, from_start = runs.next(), runs.next()
    assert again.code
    assert from_start.code == 2
    assert len(again.rows(stream)) < 10 <= len(from_start.rows(stream))
    assert "new" in str(from_start.records[stream][2])


@pytest.mark.parametrize(
    ("tap", "stream"),
    [(TapRewards, "campaigns"), (TapBilling, "payment_profiles"), (TapPromotions, "promotions")],
)
def test_a_list_that_can_not_be_right_comes_from_its_start_in_each_run(tmp_path, tap, stream):
    """One ignores the offset, one lacks rows of its pages, of one a page names itself as the next."""

    def handle(path, query):
        rows = [{"id": str(number), "title": "x"} for number in range(40)]
        if stream == "campaigns":
            return {"campaigns": rows[:10]}
        if stream == "promotions":
            last = [*rows[10:20], rows[9]] if "cursor" in str(query) else rows[:10]
            return {"items": last, "paging": {"items_page": len(last), "next_cursor": 7}}
        page = numbered([{"payment_profile": {"id": number}} for number in range(60)], query)
        return [row for row in page if row["payment_profile"]["id"] % 2]

    with JsonApi(handle) as api:
        runs = Runs(tap, tmp_path, api, stream)
        outputs = [runs.next() for _ in range(3)]
    assert [output.code for output in outputs] == [2, 2, 2]
    assert len({len(output.rows(stream)) for output in outputs}) == 1
    assert all(len(output.rows(stream)) >= 10 and not activated(output) for output in outputs)
