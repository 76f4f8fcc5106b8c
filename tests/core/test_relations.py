"""Parents and children in a run: which lists are asked for, and how far a bookmark of children may go."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import ClassVar

import pytest
from singer_sdk import typing as th
from singer_sdk.authenticators import APIKeyAuthenticator

from in_process import call, call_discover, said, select
from json_api import JsonApi, numbered
from support import KEY, run
from tap_core import ApiStream, ApiTap, PageNumber, common_settings
from tap_core.errors import ApiError
from tap_core.selftest import try_out

TEXT = {"type": ["string", "null"]}
TIME = {**TEXT, "format": "date-time"}
ID = {"type": "integer"}


class Shelf(ApiStream):
    """What the lists of this API share."""

    records_jsonpath = "$.items[*]"

    def get_new_paginator(self):
        return PageNumber(size=50)


class Copies(Shelf):
    """Copies of books, which are lent or only read in the house."""

    name = "copies"
    path = "/copies"
    primary_keys = ("book", "copy")
    child_keys: ClassVar = {"book": "book", "copy": "copy"}
    replication_key = "updated_at"
    since_param = "updated_since"
    schema: ClassVar = {
        "type": "object",
        "properties": {"book": ID, "copy": ID, "kind": TEXT, "updated_at": TIME},
    }


class Loans(Shelf):
    """Loans of a copy; no loan changes the copy."""

    name = "loans"
    path = "/books/{book}/copies/{copy}/loans"
    parent_stream_type = Copies
    no_list_where: ClassVar = {"kind": ("house",)}
    for_every_parent = True
    replication_key = "made_at"
    since_param = "since"
    selected_by_default = False
    may_be_missing = True
    schema: ClassVar = {"type": "object", "properties": {"book": ID, "copy": ID, "id": ID, "made_at": TIME}}


class TapShelf(ApiTap):
    """A tap of two streams."""

    name = "tap-shelf"
    stream_types = (Copies, Loans)
    config_jsonschema = th.PropertiesList(
        *common_settings(key_help="Ask.", url_example="https://library.example", incremental=True)
    ).to_dict()

    @property
    def authenticator(self):
        return APIKeyAuthenticator(key="X-Key", value=self.config["api_key"])


COPIES = [
    {"book": n, "copy": 1, "kind": "lent" if n % 2 else "house", "updated_at": f"2026-01-0{n}T00:00:00Z"}
    for n in range(1, 7)
]


class Library:
    """An API whose loans can be set, and fail."""

    def __init__(self):
        self.loans = {n: [{"id": 10 * n, "made_at": "2026-02-01T00:00:00Z"}] for n in (1, 3, 5)}
        self.status = {}
        self.asked = []

    def __call__(self, path, query):
        self.asked.append((path, query))
        if path == "/copies":
            since = query.get("updated_since", "")[:10]
            return {"items": numbered([row for row in COPIES if row["updated_at"][:10] >= since], query)}
        book = int(path.split("/")[2])
        if book in self.status:
            return self.status[book], {}
        since = query.get("since", "")[:10]
        rows = [row for row in self.loans[book] if row["made_at"][:10] >= since]
        return {"items": numbered(rows, query)}

    def books(self):
        return [int(path.split("/")[2]) for path, query in self.asked if path != "/copies"]


@pytest.fixture
def library():
    return Library()


@pytest.fixture
def read(library):
    """Runs the tap with all of its streams, and gives what it wrote."""
    with JsonApi(library) as api:

        def read(state=None, catalog=None, **more):
            library.asked.clear()
            config = {"api_url": api.url, "api_key": KEY, "max_retries": 0, "concurrency": 1, **more}
            return run(TapShelf, config, state=state, catalog=catalog or select(TapShelf, "copies", "loans"))

        yield read


def bookmark(output):
    return output.state["bookmarks"]["loans"].get("replication_key_value")


def test_a_stream_that_is_off_costs_no_request(tmp_path, library):
    with JsonApi(library) as api:
        for catalog in (None, call_discover(TapShelf)):
            output = call(TapShelf, tmp_path, url=api.url, catalog=catalog)
            assert output.code == 0, output.log
            assert set(output.schemas) == {"copies"}
            assert library.books() == []
    entry = next(
        found
        for found in TapShelf(config={}, validate_config=False).catalog_dict["streams"]
        if found["tap_stream_id"] == "loans"
    )
    (root,) = [found["metadata"] for found in entry["metadata"] if not found["breadcrumb"]]
    assert (root["selected-by-default"], root["selected"]) == (False, False)


def test_lists_are_asked_for_where_a_parent_has_them(read, library):
    output = read()
    output.check()
    assert set(library.books()) == {1, 3, 5}
    assert output.rows("loans").keys() == {(10,), (30,), (50,)}
    assert {row["book"] for row in output.records["loans"]} == {1, 3, 5}


def test_fields_that_children_look_at_cannot_be_deselected(read, library):
    catalog = select(TapShelf, "copies", "loans")
    for item in catalog["streams"][0]["metadata"]:
        if item["breadcrumb"]:
            item["metadata"]["selected"] = False
    read(catalog=catalog)
    assert set(library.books()) == {1, 3, 5}


def test_a_child_is_read_for_parents_that_are_older_than_the_bookmark(read, library):
    first = read()
    library.loans[1].append({"id": 11, "made_at": "2026-03-01T00:00:00Z"})
    second = read(first.state)
    assert set(library.books()) == {1, 3, 5}
    assert {row["id"] for row in second.records["loans"]} == {10, 11, 30, 50}
    assert [row["book"] for row in second.records["copies"]] == [
        6
    ]  # read whole, written from the bookmark on
    assert all(
        query["since"] == "2026-02-01T00:00:00+00:00" for path, query in library.asked if path != "/copies"
    )
    assert bookmark(second) == "2026-03-01T00:00:00Z"
    alone = read(first.state, catalog=select(TapShelf, "copies"))
    assert [query["updated_since"][:10] for _, query in library.asked] == ["2026-01-06"] * len(library.asked)
    assert alone.state["bookmarks"]["copies"] == second.state["bookmarks"]["copies"]


@pytest.mark.parametrize("status", [403, 404])
def test_a_list_that_is_missing_leaves_the_bookmark_where_it_was(read, library, status):
    library.status = {3: status}
    assert bookmark(read()) is None


def test_a_list_that_fails_leaves_the_bookmark_where_it_was(read, library):
    first = read()
    library.loans[1][0] = {"id": 11, "made_at": "2026-03-01T00:00:00Z"}
    library.status = {3: 500}
    with pytest.raises(ApiError, match="partly read: loans"):
        read(first.state)
    partly = read(first.state, allow_partial=True)
    assert {row["id"] for row in partly.records["loans"]} == {11, 50}
    assert bookmark(partly) == bookmark(first)


def test_the_bookmark_never_passes_the_start_of_the_run(read, library):
    soon = (datetime.now(timezone.utc) + timedelta(minutes=1)).isoformat()
    library.loans[5].append({"id": 51, "made_at": soon})
    assert bookmark(read()) == "2026-02-01T00:00:00Z"


def test_a_read_that_goes_on_after_an_interruption_counts_from_its_first_start(read, library):
    """Loans of parents that were dealt with before can have come since; they are older than the new run."""
    first = read()
    began = "2026-02-15T00:00:00+00:00"
    state = first.state
    state["bookmarks"]["copies"]["checkpoint"] = {
        "streams": ["copies", "loans"],
        "since": "2026-01-06T00:00:00+00:00",
        "start_date": "",
        "query": {"page": 1, "per_page": 50},
        "key": "3|1",
        "began": began,
    }
    library.loans[1].append({"id": 11, "made_at": "2026-02-20T00:00:00Z"})
    library.loans[5] += [
        {"id": 51, "made_at": "2026-02-10T00:00:00Z"},
        {"id": 52, "made_at": "2026-03-10T00:00:00Z"},
    ]
    second = read(state)
    assert set(library.books()) == {5}
    assert bookmark(second) == "2026-02-10T00:00:00Z"
    assert 11 in {row["id"] for row in read(second.state).records["loans"]}


def test_parents_that_are_gone_are_named_and_nothing_is_called_gone_for_them(
    read, library, monkeypatch, caplog
):
    """A child that no account lacks: its parent was deleted while it was read."""
    library.status = {3: 404}
    monkeypatch.setattr(Loans, "may_be_missing", False)
    output = read(emit_activate_version_messages=True)
    assert "loans 3 1: passed over" in caplog.text
    versions = [found["stream"] for found in output.messages if found["type"] == "ACTIVATE_VERSION"]
    assert versions == ["copies"]


def test_a_childs_own_replication_key_is_the_only_one(tmp_path, library):
    catalog = select(TapShelf, "loans", replication_key="id", replication_method="INCREMENTAL")
    with JsonApi(library) as api:
        output = call(TapShelf, tmp_path, url=api.url, catalog=catalog)
    assert output.code == 1
    assert "replication-key `id` is not possible" in said(output)[0]


def test_only_a_parent_that_has_the_list_is_tried(library, monkeypatch):
    monkeypatch.setitem(COPIES[0], "kind", "house")
    with JsonApi(library) as api:
        config = {"api_url": api.url, "api_key": KEY}
        assert try_out(TapShelf(config=config, catalog=select(TapShelf, "loans")))
    assert set(library.books()) == {3}
