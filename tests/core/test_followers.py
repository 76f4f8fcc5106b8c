"""Lists that are read for the rows that a run reads: none is left behind by the bookmark of these rows."""

from __future__ import annotations

import logging
from typing import ClassVar

import pytest

from core.test_relations import ID, TIME, Shelf, TapShelf
from in_process import select
from json_api import JsonApi, cut, numbered
from lists import BOOKING, moment
from support import KEY, run
from tap_core.errors import ApiError
from tap_scheduling.tap import TapScheduling

COUNT = 12


class Books(Shelf):
    """Books, which a new chapter changes."""

    name = "books"
    path = "/books"
    child_keys: ClassVar = {"book": "id"}
    replication_key = "updated_at"
    since_param = "updated_since"
    schema: ClassVar = {"type": "object", "properties": {"id": ID, "updated_at": TIME}}


class Chapters(Shelf):
    """Chapters of a book."""

    name = "chapters"
    path = "/books/{book}/chapters"
    parent_stream_type = Books
    child_keys: ClassVar = {"chapter": "id"}
    schema: ClassVar = {"type": "object", "properties": {"book": ID, "id": ID}}


class Notes(Shelf):
    """Notes to a chapter."""

    name = "notes"
    path = "/books/{book}/chapters/{chapter}/notes"
    parent_stream_type = Chapters
    schema: ClassVar = {"type": "object", "properties": {"book": ID, "chapter": ID, "id": ID}}


class TapBooks(TapShelf):
    """Three levels of lists."""

    stream_types = (Books, Chapters, Notes)


class Api:
    """Rows that have a list each, some of which fail or are gone.

    Attributes:
        status: How the lists of some rows are answered.
        times: When each row was changed.
        asked: The rows whose lists were asked for.
        late: Rows that come again, as they may have changed and kept their time.
    """

    def __init__(self):
        self.status = {}
        self.times = {number: moment(0, day=number) for number in range(1, COUNT + 1)}
        self.asked, self.late = [], []

    def since(self, bound):
        """The rows that were changed from then on, oldest first."""
        rows = sorted((time, number) for number, time in self.times.items())
        return [(number, time) for time, number in rows if time[:19] >= bound[:19]]

    def below(self, number):
        self.asked.append(number)
        return self.status.get(number, 200)


class Bookings(Api):
    """Bookings and their attendees."""

    tap, top, below_it, deepest = TapScheduling, "bookings", "booking_attendees", "booking_attendees"

    def __call__(self, path, query):
        if path.endswith("/attendees"):
            number = int(path.split("/")[-2])
            return self.below(number), {"data": [{"id": number}]}
        late = [(number, self.times[number]) for number in self.late]
        found = late if "afterStart" in query else self.since(query.get("afterUpdatedAt", ""))
        rows = [BOOKING | {"id": n, "uid": str(n), "updatedAt": time} for n, time in found]
        return {"status": "success", "data": cut(rows, query, start="skip", size="take")}


class Library(Api):
    """Books, chapters and notes."""

    tap, top, below_it, deepest = TapBooks, "books", "chapters", "notes"

    def __call__(self, path, query):
        words = path.split("/")
        if words[-1] == "notes":
            number = int(words[2])
            return self.below(number), {"items": numbered([{"id": number}], query)}
        if words[-1] == "chapters":
            return {"items": numbered([{"id": 5}], query)}
        found = self.since(query.get("updated_since", ""))
        return {"items": numbered([{"id": n, "updated_at": time} for n, time in found], query)}


@pytest.fixture
def api(request):
    return getattr(request, "param", Library)()


both = pytest.mark.parametrize("api", [Bookings, Library], indirect=True)


@pytest.fixture
def read(api, capsys):
    """Runs the tap with some streams, and gives its last STATE and the keys of the lists' rows."""
    with JsonApi(api) as server:

        def read(*streams, state=None, fails=False, **more):
            api.asked.clear()
            config = {"api_url": server.url, "api_key": KEY, "max_retries": 0, "concurrency": 1}
            config |= {"requests_per_minute": 100_000, "lookback": 0, **more}
            names = streams or (api.top, api.below_it, api.deepest)
            catalog = select(api.tap, *names)
            if not fails:
                output = run(api.tap, config, state=state, catalog=catalog)
                return output.state, {row["id"] for row in output.records.get(api.deepest, [])}
            tap = api.tap(config=config, state=state or {}, catalog=catalog)
            with pytest.raises(ApiError):
                tap.run()
            capsys.readouterr()
            return tap.state, None

        yield read


@both
def test_a_list_that_failed_is_asked_for_again_and_little_more(api, read):
    api.status[10] = 500
    state, _ = read(fails=True)
    api.status.clear()
    state, found = read(state=state)
    assert found == {10, 11, 12}
    assert read(state=state)[1] == {12}


def test_a_list_that_failed_under_allow_partial_is_asked_for_again(api, read):
    api.status[10] = 500
    state, found = read(allow_partial=True)
    assert found == {*range(1, COUNT + 1)} - {10}
    api.status.clear()
    assert read(state=state)[1] == {10, 11, 12}


def test_lists_that_were_given_up_are_asked_for_again(api, read):
    api.status = dict.fromkeys((6, 7, 8), 403)
    state, found = read(allow_partial=True)
    assert found == {*range(1, COUNT + 1)} - {6, 7, 8}, "the others come at the end"
    api.status.clear()
    assert read(state=state)[1] == {*range(6, COUNT + 1)}


def test_three_lists_that_fail_alike_cost_no_other_one(api, read):
    api.status = dict.fromkeys((6, 7, 8), 500)
    state, found = read(allow_partial=True)
    assert found == {*range(1, COUNT + 1)} - {6, 7, 8}
    api.status.clear()
    assert {6, 7, 8} <= read(state=state)[1]


def test_a_list_that_goes_on_failing_holds_the_bookmark_and_no_other_list(api, read):
    state, _ = read()
    api.times[3] = moment(0, day=20)
    api.status[3] = 500
    for day in (21, 22):
        api.times[4] = moment(0, day=day)
        state, found = read(state=state, allow_partial=True)
        assert found - {12} == {4}
    api.status.clear()
    assert read(state=state)[1] == {3, 4}


@both
def test_more_gone_than_can_be_by_chance_are_asked_for_again(api, read):
    api.status = dict.fromkeys(range(1, 11), 404)
    state, _ = read(fails=True)
    api.status.clear()
    assert read(state=state)[1] == {*range(1, COUNT + 1)}


@both
def test_a_stream_that_is_selected_later_has_the_lists_of_all_rows(api, read, caplog):
    caplog.set_level(logging.INFO)
    state, _ = read(api.top)
    state, found = read(state=state)
    assert found == {*range(1, COUNT + 1)}
    assert f"{api.top}: read from the start, as lists of {api.below_it}" in caplog.text
    assert read(state=state)[1] == {12}


@both
def test_a_run_without_the_lists_leaves_none_out(api, read):
    state, _ = read()
    api.times[3] = moment(0, day=20)
    state, _ = read(api.top, state=state)
    api.times[4] = moment(0, day=21)
    state, _ = read(api.top, state=state)
    state, found = read(state=state)
    assert found == {12, 3, 4}
    assert read(state=state)[1] == {4}


@both
@pytest.mark.parametrize("day", [5, None])
def test_J12_lists_that_were_read_from_a_later_day_are_read_for_earlier_rows(api, read, day):
    """They were not selected in the run that read the rows above them from an earlier day."""
    earlier = {"start_date": moment(0, day=day)} if day else {}
    state, found = read(start_date=moment(0, day=9))
    assert found == {*range(9, COUNT + 1)}
    state, _ = read(api.top, state=state, **earlier)
    state, found = read(state=state, **earlier)
    assert found == {*range(day or 1, COUNT + 1)}
    assert read(state=state, **earlier)[1] == {12}


@pytest.mark.parametrize("api", [Bookings], indirect=True)
def test_J12_lists_that_were_read_of_another_account_are_read_of_this_one(api, read):
    state, _ = read(account="one")
    state, _ = read(api.top, state=state, account="two")
    state, found = read(state=state, account="two")
    assert found == {*range(1, COUNT + 1)}
    assert read(state=state, account="two")[1] == {12}


@both
@pytest.mark.parametrize("member", ["since", "source", "filters"])
def test_J12_a_mark_that_does_not_say_of_which_rows_it_is_tells_nothing(api, read, member):
    """As those of earlier versions."""
    state, _ = read(start_date=moment(0, day=5))
    (mark,) = [found for found in state["bookmarks"][api.deepest]["read_for"] if found["stream"] == api.top]
    is_told = mark.pop(member) is not None
    state, found = read(state=state, start_date=moment(0, day=5))
    assert found == ({*range(5, COUNT + 1)} if is_told else {12})


def test_lists_alone_are_read_of_all_rows(api, read):
    for _ in range(2):
        state, found = read(api.deepest)
        assert found == {*range(1, COUNT + 1)}
    state, found = read(state=state)
    assert found == {*range(1, COUNT + 1)}


@pytest.mark.parametrize("mark", [None, 5, [], {"to": []}, {"to": "x"}, {"to": 7}, {"to": None}])
def test_a_state_that_makes_no_sense_of_the_lists_reads_all(api, read, mark):
    state, _ = read()
    entry = state["bookmarks"][api.deepest]
    entry["read_for"] = {api.top: mark} if mark != 5 else mark
    assert read(state=state)[1] == {*range(1, COUNT + 1)}


def test_a_child_of_a_child_that_is_selected_later_has_the_lists_of_all_rows(read):
    state, _ = read("books", "chapters")
    assert read(state=state)[1] == {*range(1, COUNT + 1)}


@pytest.mark.parametrize("api", [Bookings], indirect=True)
def test_a_list_of_a_row_that_came_as_a_late_change_holds_the_bookmark_where_it_was(api, read):
    state, _ = read()
    api.late, api.status[3] = [3], 500
    api.times[4] = moment(0, day=20)
    before = state["bookmarks"]["bookings"]["replication_key_value"]
    state, _ = read(state=state, allow_partial=True)
    assert state["bookmarks"]["bookings"]["replication_key_value"] == before
    api.status.clear()
    assert read(state=state)[1] == {3, 4, 12}
