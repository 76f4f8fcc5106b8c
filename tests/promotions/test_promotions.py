"""tap-promotions against the sandbox: every row and value, whatever the server does."""

from __future__ import annotations

import re
from random import Random
from urllib.parse import parse_qs, parse_qsl

import pytest
from singer_sdk.testing import get_tap_test_class

from api_sandbox import Sandbox
from api_sandbox.promotions.data import generate
from in_process import select
from promotions.truth import CHILDREN, OFF, PARENTS, V2, assert_all, expected, settings
from support import KEY, Output, command, run
from tap_promotions.tap import TapPromotions


@pytest.fixture(scope="module")
def whole(running_sandbox):
    """What one run over all rows wrote, and what it asked for."""
    running_sandbox.reset()
    output = run(TapPromotions, settings(running_sandbox))
    return output, list(running_sandbox.requests)


def test_all_rows_and_values(api, whole):
    assert_all(whole[0], api)
    cursors = {type(row["id"]) for row in api.data["promotions"]["promotions"][99::100]}
    children = [row for rows in api.data["promotions"]["users"].values() if len(rows) > 100 for row in rows]
    assert cursors | {type(row["id"]) for row in children} == {int, str}


def test_one_request_per_page(api, whole):
    tables = api.data["promotions"]
    lists = [tables[name] for name in PARENTS]
    lists += [tables[name].get(str(row["id"]), []) for name in CHILDREN for row in tables["promotions"]]
    assert len(whole[1]) == sum(max(1, -(-len(rows) // 100)) for rows in lists)


def test_what_requests_ask_for(whole):
    ordered = {"promotions", "organizing_brands", "users", "participations", "coin_transactions"}
    followed = 0
    for entry in whole[1]:
        query = dict(parse_qsl(entry.query, keep_blank_values=True))
        assert ("order" in query) == (entry.path.split("/")[3] in ordered)
        assert query.pop("order", "created_asc") == "created_asc"
        cursor = query.pop("next_cursor", None)
        followed += cursor is not None
        assert cursor is None or re.fullmatch(r"\d+", cursor)
        assert query == {}
        assert entry.headers["authorization"] == f"Bearer {KEY}"
    assert followed > 10


def test_full_participations(small):
    output = run(TapPromotions, settings(small, full_participations=True))
    output.check()
    truth = expected(small, "participations", full=True)
    assert output.rows("participations") == truth
    for field in ("user", "prize", "requirement"):
        assert any(row[field] for row in truth.values()), field
    assert {parse_qs(entry.query)["format"][0] for entry in small.matching(f"{V2}/participations")} == {
        "full"
    }
    assert not any("format" in entry.query for entry in small.requests if "participations" not in entry.path)


@pytest.mark.parametrize(("size", "path"), [(1, f"{V2}/(organizing|promotions|stages)"), (7, ""), (99, "")])
def test_page_cap(small, size, path):
    small.fault("page_cap", path=path, size=size)
    assert_all(run(TapPromotions, settings(small)), small)


@pytest.mark.parametrize("kind", ["status", "reset", "cut", "malformed", "html"])
def test_first_attempt_of_every_request_fails(small, kind):
    small.fault(kind, first_attempts=True, **({"status": 503} if kind == "status" else {}))
    assert_all(run(TapPromotions, settings(small)), small)


def test_paging_ignored(small):
    small.fault("ignore_paging")
    assert_all(run(TapPromotions, settings(small)), small)


def test_an_empty_page_with_a_cursor_is_no_end(small):
    small.fault("page_cap", path=f"{V2}/promotions", size=7)
    small.fault("empty_page", path=f"{V2}/promotions", after=1, times=1)
    output = run(TapPromotions, settings(small))
    ids = [str(row["id"]) for row in small.data["promotions"]["promotions"]]
    assert [row["id"] for row in output.records["promotions"]] == ids[:7] + ids[14:]


def test_an_empty_account(small):
    small.fault("raw_body", body='{"items": [], "paging": {"next_cursor": null, "items_page": 0}}')
    output = run(TapPromotions, settings(small))
    assert output.records == {}
    assert set(output.schemas) == {*PARENTS, *CHILDREN}


def test_rows_made_during_the_run_are_read_too():
    new = {"id": "999", "created": "2026-05-01T00:00:00Z"}
    path = f"{V2}/promotions"
    with Sandbox(data={"promotions": generate(Random(4), promotions=20, brands=12, sizes=(9, 4))}) as sandbox:
        sandbox.fault("page_cap", path=path, size=8)
        sandbox.change(api="promotions", resource="promotions", op="insert", rows=[new], after=1, path=path)
        output = run(TapPromotions, settings(sandbox))
        assert_all(output, sandbox)
    assert output.records["promotions"][-1] == new


def test_same_bytes_whatever_the_concurrency(small):
    small.fault("latency", seconds=0.002, rate=0.5)
    small.fault("status", status=500, rate=0.05)

    def lines(concurrency):
        output = run(TapPromotions, settings(small, concurrency=concurrency, max_retries=9))
        # STATE and records tell when the run was.
        return [{**message, "time_extracted": None, "value": None} for message in output.messages]

    assert lines(1) == lines(16)


def test_an_interrupted_run_goes_on_where_it_was(small, tmp_path):
    """The promotion whose id is a number on the wire is the one that the first run ended after."""
    promotions = small.data["promotions"]["promotions"]
    last = next(index for index, row in enumerate(promotions) if isinstance(row["id"], int))
    down = small.fault("status", path=rf"{V2}/[\w/]+/{promotions[last + 1]['id']}$", status=401)
    config = settings(small, max_retries=0)
    failed = command("tap_promotions", config=config, folder=tmp_path)
    assert (failed.returncode, down.hits > 0) == (2, True)
    first = Output(failed.stdout)
    small.clear()
    second = run(TapPromotions, config, state=first.state)
    for stream in CHILDREN:
        assert first.rows(stream) | second.rows(stream) == expected(small, stream)
    for promotion in promotions[: last + 1]:
        assert small.matching(rf"{V2}/[\w/]+/{promotion['id']}$") == []


def test_state_does_not_grow_with_promotions(small):
    state = run(TapPromotions, settings(small)).state
    assert {name for entry in state["bookmarks"].values() for name in entry if entry[name]} == {
        "last_pass_at",
        "whole_pass_at",
        "source",
    }
    assert_all(run(TapPromotions, settings(small), state=state), small)


def test_settings_and_streams():
    tap = TapPromotions(config={"api_url": "https://api.example.com/v2", "bearer_token": "x"})
    assert tap.client.limits.requests_per_minute == 200
    methods = {entry["replication_method"] for entry in tap.catalog_dict["streams"]}
    assert methods == {"FULL_TABLE"}
    keys = {entry["tap_stream_id"]: tuple(entry["key_properties"]) for entry in tap.catalog_dict["streams"]}
    assert keys.pop("rankings") == ("promotion_id", "user_id")
    assert {keys.pop(name) for name in PARENTS} == {("id",)}
    assert set(keys.values()) == {("promotion_id", "id")}
    assert keys.keys() == {*CHILDREN, *OFF} - {"rankings"}


_suite_sandbox = Sandbox(data={"promotions": generate(Random(5), promotions=20, brands=12, sizes=(9, 4))})
_suite_sandbox.__enter__()


@pytest.mark.filterwarnings("ignore:Fields in transformed catalog but not in records")
@pytest.mark.filterwarnings("ignore:No records were available to test")
class TestSuite(
    get_tap_test_class(
        TapPromotions,
        config=settings(_suite_sandbox, full_participations=True),
        catalog=select(TapPromotions, *PARENTS, *CHILDREN, *OFF),
    )
):
    """The SDK's own tests of a tap."""

    @classmethod
    def teardown_class(cls):
        _suite_sandbox.__exit__(None, None, None)
