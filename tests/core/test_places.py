"""How a stretch of a list is asked for, and what is known of how a server pages, each by itself."""

from __future__ import annotations

import json

import pytest

from tap_core.errors import ApiError
from tap_core.paging.cursor import Cursor
from tap_core.paging.evidence import ALIKE, Evidence
from tap_core.paging.offset import Offset
from tap_core.paging.page import Page
from tap_core.paging.pagenumber import PageNumber
from tap_core.paging.places import ByNumber, ByOffset
from tap_core.records import jsonpath
from tap_core.records.keys import key_reader


def page_of(**document):
    return Page(jsonpath.parse(json.dumps(document).encode()), "$.items[*]", key_reader(["id"]))


def ends_short(known, count, asked, weight=0):
    page = page_of(items=[{"id": number} for number in range(count)])
    page.weight = weight
    return known.ends_short(page, asked)


@pytest.mark.parametrize("start", [1, 7, 8, 99, 100, 101, 1990])
def test_a_numbered_page_holds_the_row_and_reaches_furthest(start):
    ask = ByNumber().ask(start, 20)
    number, size = ask.query["page"], ask.query["per_page"]
    assert (ask.start, ask.size) == ((number - 1) * size, size)
    assert ask.start <= start < ask.start + size
    assert number * size == max((start // other + 1) * other for other in range(1, 21))
    assert ByNumber().read(ask.query) == ask


def test_the_first_numbered_page_is_as_large_as_it_can_be():
    assert ByNumber().ask(0, 20) == ({"page": 1, "per_page": 20}, 0, 20)


def test_where_no_page_reaches_beyond_what_was_read_the_next_one_is_asked_for():
    assert ByNumber().ask(0, 3) == ({"page": 1, "per_page": 3}, 0, 3)
    assert ByNumber().ask(5, 3, beyond=6) == ({"page": 3, "per_page": 3}, 6, 3)


def test_pages_of_the_servers_own_size_stand_side_by_side():
    places = ByNumber(own_size=50)
    assert places.ask(50, 20) == ({"page": 2, "per_page": 20}, 50, 50)
    assert places.ask(49, 20) == ({"page": 1, "per_page": 20}, 0, 50)
    assert places.ask(0, 20, beyond=101) == ({"page": 4, "per_page": 20}, 150, 50)
    assert places.ask(0, 20, beyond=100) == ({"page": 3, "per_page": 20}, 100, 50)
    assert places.following(places.ask(50, 20), 19, 20).start == 100
    assert places.most(places.ask(50, 20), 20) == 50


def test_a_longer_page_than_asked_for_shows_a_size_of_the_servers_own():
    places = ByNumber()
    ask = places.ask(0, 20)
    assert not places.has_own_size(20, ask, 0)
    assert (places.own_size, places.has_own_size(21, ask, 25), places.own_size) == (0, True, 25)
    assert not places.has_own_size(60, ask, 0)
    assert not ByOffset().has_own_size(21, ask, 0)


def test_two_sizes_with_one_answer_twice_show_that_the_number_alone_is_heeded():
    places = ByNumber()
    first, wide, narrow = (
        places.read({"page": page, "per_page": size}) for page, size in ((1, 20), (2, 20), (2, 19))
    )
    assert not places.heeds_number_only(wide, first)
    assert not places.heeds_number_only(first, first)
    assert not places.heeds_number_only(wide, wide)
    assert not places.heeds_number_only(narrow, wide)
    assert places.heeds_number_only(narrow, wide)
    assert places.own_size == 20
    assert not places.heeds_number_only(narrow, wide)
    assert not ByOffset().heeds_number_only(narrow, wide)


def test_pages_by_offset():
    places = ByOffset(query={"order": "id"})
    ask = places.ask(99, 100)
    assert ask == ({"order": "id", "offset": 99, "limit": 100}, 99, 100)
    assert places.read(ask.query) == ask
    assert places.following(ask, 99, 100).start == 198
    assert [places.most(ask, longest) for longest in (30, 100, 200)] == [30, 100, 100]
    assert [places.few(100, count) for count in (0, 5, 12, 50)] == [2, 4, 11, 49]
    assert places.few(5, 50) == 5
    assert places.fits(100, 30) == 100


def test_pages_by_number_ask_for_no_more_than_the_server_gives():
    places = ByNumber()
    assert [places.fits(100, longest) for longest in (0, 30, 200)] == [100, 30, 100]
    assert places.few(100, 5) == 100
    assert places.following(places.ask(0, 20), 5, 20) == places.ask(19, 20)
    assert places.most(places.ask(0, 20), 7) == 7


@pytest.mark.parametrize("places", [ByOffset("skip", "take"), ByNumber("skip", "take")])
@pytest.mark.parametrize("query", [{}, {"skip": 1}, {"skip": "1", "take": 1}, {"skip": 1, "take": -1}])
def test_a_query_of_other_pages_is_refused(places, query):
    with pytest.raises(ApiError, match="names no page of this list"):
        places.read(query)
    assert places.read({"skip": 1, "take": 0}).size == 0


def test_a_short_page_is_all_only_beside_much_longer_ones():
    known = Evidence(longest=100)
    assert [ends_short(known, count, 100) for count in (10, 50, 51, 99, 100)] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert [ends_short(known, count, 990) for count in (99, 100)] == [True, False]
    assert not ends_short(Evidence(), 0, 100)


@pytest.mark.parametrize(("count", "weight", "is_end"), [(49, 45, False), (49, 30, True), (5, 45, False)])
def test_a_short_page_as_heavy_as_any_is_not_all(count, weight, is_end):
    """Some servers cut pages by their weight."""
    assert ends_short(Evidence(longest=100, heaviest=50), count, 100, weight) is is_end
    assert ends_short(Evidence(longest=9, heaviest=50), 8, 100, weight=50), "as lists of a few rows are"


def test_a_list_is_expected_to_be_unpaged_once_enough_were():
    known = Evidence(unpaged=ALIKE, longest_unpaged=30)
    assert [ends_short(known, count, 100) for count in (30, 31)] == [True, False]
    assert not ends_short(known, 30, 30)
    assert not ends_short(Evidence(unpaged=ALIKE - 1, longest_unpaged=30), 30, 100)


def test_a_total_is_borne_out_once_it_was_often_enough():
    known = Evidence()
    for _ in range(ALIKE):
        assert not known.confirms(100)
        known.confirmed_totals[100] += 1
    assert known.confirms(100)
    assert not known.confirms(99)


def test_a_list_by_cursors_is_gone_on_with_at_the_page_that_it_is_given():
    paginator = Cursor(param="cursor", path="$.next", size_param="limit", size=5)
    paginator.resume({"limit": 5, "cursor": "b"}, None, [])
    assert paginator.current_value == {"limit": 5, "cursor": "b"}
    paginator.take(page_of(items=[{"id": 1}], next="c"))
    assert paginator.current_value == {"limit": 5, "cursor": "c"}
    paginator.take(page_of(items=[], next="c"))  # an empty page that names itself
    assert paginator.finished


def test_an_empty_page_that_names_itself_ends_a_list_that_was_gone_on_with():
    paginator = Cursor(param="cursor", path="$.next")
    paginator.resume({"cursor": "b"}, None, [])
    paginator.take(page_of(items=[], next="b"))
    assert paginator.finished
    paginator = Cursor(param="cursor", path="$.next")
    paginator.resume({}, None, [])  # from the first page
    paginator.take(page_of(items=[], next="b"))
    assert paginator.current_value == {"cursor": "b"}


def test_no_next_page_where_the_answer_says_that_there_is_one_is_a_failure():
    paginator = Cursor(param="cursor", path="$.next_cursor")
    paginator.take(page_of(items=[{"id": 1}], next_cursor=None, has_more=True))
    with pytest.raises(ApiError, match="names no next page, and says by `has_more`"):
        _ = paginator.finished


def test_a_list_by_cursors_that_has_nothing_at_one_is_a_failure():
    paginator = Cursor(param="cursor", path="$.next")
    assert paginator.current_value == {}
    paginator.take(page_of(items=[{"id": 1}], next="b"))
    for nothing in (Page(None, "$.items[*]", key_reader(["id"])), Page([], "$[*]", key_reader(["id"]))):
        assert not paginator.finished  # it is asked for once more
        assert paginator.current_value == {"cursor": "b"}
        paginator.take(nothing)
    with pytest.raises(ApiError, match="nothing at a cursor that it gave"):
        _ = paginator.finished


@pytest.mark.parametrize(
    ("path", "nothing"), [("$.items[*]", None), ("$[*]", []), ("$.items[*]", {"items": []})]
)
def test_a_list_by_cursors_goes_on_where_a_page_was_missing_once(path, nothing):
    paginator = Cursor(param="cursor", path="$.next")
    paginator.take(page_of(items=[{"id": 1}], next="b"))
    paginator.take(Page(nothing, path, key_reader(["id"])))
    assert len(paginator.take(page_of(items=[{"id": 2}], next="c"))) == 1
    assert paginator.current_value == {"cursor": "c"}
    assert not paginator.finished


def test_a_list_by_cursors_ends_with_an_empty_page_that_comes_twice():
    paginator = Cursor(param="cursor", path="$.next")
    paginator.take(page_of(items=[{"id": 1}], next="b"))
    paginator.take(page_of(items=[], next=None))
    assert not paginator.finished
    paginator.take(page_of(items=[], next=None))
    assert paginator.finished
    assert paginator.proofs == 1


@pytest.mark.parametrize("first", [[], [{"id": 0}]])
@pytest.mark.parametrize(("empty", "ends"), [(100, False), (101, True)])
def test_empty_pages_are_followed_a_hundred_times(first, empty, ends):
    paginator = Cursor(param="cursor", path="$.next")
    if first:
        paginator.take(page_of(items=first, next="first"))
    for number in range(empty):
        assert not paginator.finished
        paginator.take(page_of(items=[], next=f"page {number}"))
    if ends:
        with pytest.raises(ApiError, match="empty pages without end"):
            _ = paginator.finished
    else:
        assert not paginator.finished


def test_a_page_in_pieces_is_asked_for_by_rows():
    assert Offset(size=10).piece(5, 2) == ({"offset": 5, "limit": 2}, 5, 2)
    assert PageNumber(size=10).piece(6, 2) == ({"page": 4, "per_page": 2}, 6, 2)


@pytest.mark.parametrize("kind", [Offset, PageNumber])
@pytest.mark.parametrize("dealt_with", [1, 3, 10])
def test_an_interrupted_list_is_gone_on_with_behind_what_was_dealt_with(kind, dealt_with):
    rows, paginator = [{"id": number} for number in range(35)], kind(size=10)

    def page_at(query):
        start, size = kind(size=10).stretch(query)
        return page_of(items=rows[start : start + size])

    query = kind(size=10).piece(10, 10)[0]
    page = page_at(query)
    paginator.resume(query, page, page.keys[:dealt_with])
    read = []
    while not paginator.finished:
        read += [jsonpath.decode(raw)["id"] for raw in paginator.take(page_at(paginator.current_value))]
    assert read == list(range(10 + dealt_with, 35))


def test_whether_a_page_is_where_its_query_says_or_where_its_size_puts_it():
    assert Offset(size=10).counts_rows
    assert not PageNumber(size=10).counts_rows


def test_a_sample_of_a_list_is_its_first_row_alone():
    assert Offset(size=10).sample() == {"offset": 0, "limit": 1}
    assert PageNumber(size=10).sample() == {"page": 1, "per_page": 1}
