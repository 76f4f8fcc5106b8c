"""A STATE of one account says nothing of another one."""

from __future__ import annotations

import pytest

from json_api import JsonApi, cut, numbered
from lists import moment, only, settings
from support import run
from tap_billing.tap import TapBilling
from tap_core.errors import ApiError
from tap_events.tap import TapEvents
from tap_rewards.tap import TapRewards


def rows_of(length, day):
    return [
        {"id": str(number), **dict.fromkeys(("created_at", "updated_at"), moment(number, day=day))}
        for number in range(length)
    ]


def orders(rows, query):
    since = query.get("created_at[gte]", "")[:10]
    return {"orders": cut([row for row in rows if row["created_at"][:10] >= since], query)}


def customers(rows, query):
    since = query.get("start_datetime", "")[:10]
    return [{"customer": row} for row in numbered([row for row in rows if row["updated_at"] >= since], query)]


LISTS = [(TapRewards, "orders", orders), (TapBilling, "customers", customers)]
OTHERS = {
    "host": lambda api: {"api_url": api.url.replace("127.0.0.1", "localhost")},
    "path": lambda api: {"api_url": f"{api.url}/other"},
    "account": lambda api: {"account": "other"},
}


def read(tap, stream, api, state=None, **more):
    return run(tap, {**settings(api, lookback=0), **more}, state=state, catalog=only(tap, stream))


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize(("tap", "stream", "page_of"), LISTS)
def test_a_bookmark_of_another_account_is_forgotten_in_a_line(tap, stream, page_of, other, caplog):
    """The other account's rows are older than what was read of the first one's."""
    with JsonApi(lambda _, query: page_of(rows_of(20, 20), query)) as api:
        first = read(tap, stream, api, account="one")
    with JsonApi(lambda _, query: page_of(rows_of(30, 5), query)) as api:
        again = {} if other == "account" else {"account": "one"}
        second = read(tap, stream, api, first.state, **{**again, **OTHERS[other](api)})
        third = read(tap, stream, api, second.state, **{**again, **OTHERS[other](api)})
    assert len(second.records[stream]) == 30
    assert f"{stream}: read from the start, as STATE is of another account" in caplog.text
    assert len(third.records.get(stream, [])) < 30
    assert caplog.text.count("STATE is of another account") == 1


@pytest.mark.parametrize(("tap", "stream", "page_of"), LISTS)
def test_another_port_of_the_same_host_is_the_same_account(tap, stream, page_of, caplog):
    first = None
    for _ in range(2):
        with JsonApi(lambda _, query: page_of(rows_of(20, 20), query)) as api:
            first = read(tap, stream, api, first and first.state)
    assert len(first.records[stream]) < 20
    assert "another account" not in caplog.text


@pytest.mark.parametrize(("tap", "stream", "page_of"), LISTS)
def test_a_state_that_does_not_say_whose_it_is_is_believed(tap, stream, page_of):
    with JsonApi(lambda _, query: page_of(rows_of(20, 20), query)) as api:
        first = read(tap, stream, api)
        assert first.state["bookmarks"][stream].pop("source")
        assert len(read(tap, stream, api, first.state, account="one").records[stream]) < 20


@pytest.mark.parametrize("source", [{}, [], ["x"], 5, True, ""])
@pytest.mark.parametrize(("tap", "stream", "page_of"), LISTS)
def test_E_a_damaged_note_of_whose_a_state_is_counts_as_anothers(tap, stream, page_of, source, caplog):
    with JsonApi(lambda _, query: page_of(rows_of(20, 20), query)) as api:
        first = read(tap, stream, api)
        first.state["bookmarks"][stream]["source"] = source
        assert len(read(tap, stream, api, first.state).records[stream]) == 20
    assert caplog.text.count("STATE is of another account") == 1


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize(
    ("tap", "stream", "page_of"),
    [
        (TapEvents, "users", lambda rows, query: {"users": cut(rows, query)}),
        (TapRewards, "campaigns", lambda rows, query: {"campaigns": cut(rows, query)}),
    ],
)
def test_an_interrupted_read_of_another_account_is_not_gone_on_with(tap, stream, page_of, other, capsys):
    rows, broken = rows_of(450, 5), [True]

    def handle(_, query):
        return (401, {}) if broken[0] and int(query["offset"]) > 250 else page_of(rows, query)

    with JsonApi(handle) as api:
        one = settings(api, account="one", concurrency=1)
        stopped = tap(config=one, catalog=only(tap, stream))
        with pytest.raises(ApiError):
            stopped.run()
        state = stopped.state
        assert state["bookmarks"][stream]["checkpoint"]
        broken[0] = False
        capsys.readouterr()
        assert len(read(tap, stream, api, state, account="one").records[stream]) < 450
        second = read(tap, stream, api, state, **{"account": "one", **OTHERS[other](api)})
    assert len(second.records[stream]) == 450
