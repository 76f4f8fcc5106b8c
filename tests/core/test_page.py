"""What an answer says beside its records: that there is more, and how many there are."""

from __future__ import annotations

import json

import pytest

from tap_core.paging.page import Page
from tap_core.records import jsonpath
from tap_core.records.keys import key_reader


def page_of(document, path="$.items[*]", **options):
    return Page(jsonpath.parse(json.dumps(document).encode()), path, key_reader(["id"]), **options)


@pytest.mark.parametrize(
    "beside",
    [
        {"next": "/more"},
        {"next_page": 2},
        {"hasMore": True},
        {"has_next": 1},
        {"more": True},
        {"isTruncated": True},
        {"last": False},
        {"is_last_page": False},
        {"@odata.nextLink": "/more"},
        {"meta": {"pagination": {"next": "/more"}}},
        {"paging": [{"next": 2}]},
    ],
)
def test_what_says_that_there_is_more(beside):
    assert page_of({"items": [{"id": 1}], **beside}).more


@pytest.mark.parametrize(
    "beside",
    [
        {},
        {"next": None, "next_page": 0, "nextCursor": -1, "has_more": False, "nextUrl": ""},
        {"more": "true", "more_info": True, "truncated": None},
        {"last": True, "is_last": None, "last_page": 7},
        {
            "next_at": "2026-01-31",
            "nextDate": "2026-01-31",
            "next_run_time": 7,
            "cursor": None,
            "count": None,
        },
        {"a": {"b": {"c": {"next": "/more"}}}},
        {"page": 1, "total_pages": 3},
        {"paging": [{"next": 2}, {"next": 3}]},
    ],
)
def test_what_does_not(beside):
    assert page_of({"items": [{"id": 1, "next": 2}], **beside}).more is None


def test_a_link_says_that_there_is_more():
    for links in ('</more>; rel="next"', "</first>; rel=first, </more>; rel=next"):
        assert page_of({"items": []}, links=links).more == "Link"
    assert page_of({"items": []}, links='</more>; rel="prev"').more is None


@pytest.mark.parametrize(
    ("beside", "member"),
    [
        ({"error": {"message": "Rate limit exceeded"}}, "error"),
        ({"status": 429}, "status"),
        ({"meta": {"code": "429"}}, "meta"),
        ({"message": "Invalid API key"}, None),
        ({"limit": 100}, None),
    ],
)
def test_what_says_of_a_failed_answer_that_too_much_was_asked_for(beside, member):
    assert page_of({"items": [], **beside}).limit == member


@pytest.mark.parametrize(
    ("value", "total"),
    [
        (7, 7),
        ("7", 7),
        (0, 0),
        (-1, None),
        (True, None),
        (7.5, None),
        ("7.5", None),
        ("\u0667", None),
        ("", None),
        (None, None),
        ("9" * 19, int("9" * 19)),
        ("9" * 20, None),
    ],
)
def test_the_total_is_a_number_or_none(value, total):
    page = page_of({"items": [], "total": value})
    assert page.total("$.total") == total
    assert (page.total(None), page.total("$.none")) == (None, None)


@pytest.mark.parametrize(
    ("beside", "total"),
    [
        ({"total_count": 7}, 7),
        ({"totalItems": "7"}, 7),
        ({"@odata.count": 7}, 7),
        ({"recordsTotal": 7, "recordsFiltered": 5}, 7),
        ({"meta": {"total": 7}}, 7),
        ({"pagination": [{"total": 7}]}, 7),
        ({"meta": {"pagination": {"total_records": 7}}}, 7),
        ({"page": {"totalElements": 7, "totalPages": 1}}, 7),
        ({"total_pages": 5, "per_page": 20}, 81),
        ({"current_page": 1, "last_page": 5, "per_page": "20"}, 81),
        ({"page": {"number": 0, "size": 20, "totalPages": 5}}, 81),
        ({"meta": {"total_pages": 5, "per_page": 20, "total_count": 99}}, 99),
        ({"total_pages": 5}, 9),
        ({"total_pages": 1, "per_page": 20}, 0),
        ({"total_pages": 0}, 0),
        ({"total_pages": None, "last_page": False}, 0),
        ({"total": 7}, 0),  # it can be a sum of money
        ({"invoice": {"total": 7, "total_items": 7}}, 0),
        ({"included": [{"type": "plan", "total_items": 7, "pages": 5}]}, 0),
        ({"landing_page": {"page": 1, "total_pages": 3}}, 0),
        ({"metadata": {"total": 7}, "summary": {"total_items": 7}}, 0),
        ({"count": 7, "total_amount": 7, "subtotal": 7}, 0),
        ({"total_count": -1, "totalItems": 7.5, "total_records": True}, 0),
    ],
)
def test_a_total_is_known_by_its_name_where_that_means_nothing_else(beside, total):
    assert page_of({"items": [{"id": 1, "total_count": 3}], **beside}).least_total == total
    assert page_of({"id": 1, **beside}, path="$[*]").least_total == 0


def test_other_records_have_other_keys():
    page = page_of({"items": [{"id": 1}, {"id": 2}]})
    assert page.keys == [1, 2]
    page.replace_records(page.records[1:])
    assert (page.keys, page.fresh, page.span) == ([2], page.records, 1)
    page.unreadable = [1, 2]
    assert page.span == 3


def test_what_is_said_is_known_once_the_answer_is_let_go_of():
    page = page_of({"items": [{"id": 1}], "next": "/more"})
    page.release()
    assert (page.more, page.records, page.fresh, page.document) == ("next", [], [], None)


@pytest.mark.parametrize(
    ("document", "null_is_empty", "holds"),
    [
        ({"items": []}, False, True),
        ({"items": {"id": 1}}, False, True),
        ({"items": {"name": "a"}}, False, False),
        ({"items": None}, False, False),
        ({"items": None}, True, True),
        ({}, True, False),
        ({"items": "none"}, True, False),
    ],
)
def test_whether_there_is_a_list(document, null_is_empty, holds):
    page = page_of(document)
    assert page.holds_lists(lambda record: "id" in record, null_is_empty=null_is_empty) is holds


@pytest.mark.parametrize(
    ("beside", "failure"),
    [
        ({"error": "no such account"}, "error"),
        ({"errors": [{"code": 7}]}, "errors"),
        ({"Error": {"code": 7}}, "Error"),
        ({"success": False}, "success"),
        ({"ok": False}, "ok"),
        ({"status": "error"}, "status"),
        ({"status": "Failed"}, "status"),
        ({"error": None, "errors": [], "success": True, "ok": 0, "status": "success"}, None),
        ({"has_error": True, "failed": True}, None),
        ({"status": "no error"}, None),
        ({}, None),
    ],
)
def test_what_says_that_the_answer_is_none(beside, failure):
    assert page_of({"items": [{"id": 1, "error": "x"}], **beside}).failure == failure


def test_what_is_called_like_the_list_stands_beside_it():
    inner = {"data": {"items": [{"id": 1}]}, "items": {"next": "/more"}}
    assert page_of(inner, "$.data.items[*]").more == "next"
    assert page_of({"data": {"error": "x"}, "error": "y"}, "$.data.error[*]").failure == "error"


def test_a_lone_object_that_may_be_a_record_is_not_looked_into():
    lone = {"customer": {"id": 1, "next": 2}}
    assert page_of(lone, "$[*].customer").more is None
    assert page_of({**lone, "next": 2}, "$[*].customer").more == "next"


def test_keys_are_read_all_at_once_where_they_can_be():
    one_by_one = Page({"items": [1, 2]}, "$.items[*]", lambda record: -record)
    assert one_by_one.keys == [-1, -2]
    assert page_of({"items": [{"id": 1}, {"id": 2}]}).keys == [1, 2]
