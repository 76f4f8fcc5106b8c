"""The promotions API of the sandbox as its contract describes it."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
import requests

from promotions.truth import V2
from support import KEY


@pytest.fixture
def get(api):
    """GET below the API's version with the token."""
    with requests.Session() as session:
        session.headers["authorization"] = f"Bearer {KEY}"

        def get(path, **params):
            return session.get(f"{api.url}{V2}{path}", params=params, timeout=5)

        yield get


def pages(get, path, **params):
    """The bodies of all pages of a list."""
    bodies = [get(path, **params).json()]
    while (cursor := bodies[-1]["paging"].get("next_cursor")) is not None:
        bodies.append(get(path, **params, next_cursor=cursor).json())
    return bodies


def plain(rows):
    """Rows as they look after their way over the wire."""
    return msgspec.json.decode(msgspec.json.Encoder(decimal_format="number").encode(rows))


@pytest.mark.parametrize("order", [None, "created_desc", "created_asc"])
@pytest.mark.parametrize("name", ["promotions", "organizing_brands"])
def test_lists_page_to_the_end_in_their_order(api, get, name, order):
    bodies = pages(get, f"/{name}", order=order)
    truth = plain(api.data["promotions"][name])
    rows = [row for body in bodies for row in body["items"]]
    assert rows == (truth if order == "created_asc" else truth[::-1])
    assert [int(body["paging"]["items_page"]) for body in bodies] == [len(body["items"]) for body in bodies]
    assert len(bodies[0]["items"]) == 100


def test_lists_below_a_promotion(api, get):
    tables = api.data["promotions"]
    for promotion in tables["promotions"][:6]:
        parent = str(promotion["id"])
        for name, path in (
            ("stages", "stages"),
            ("users", "users"),
            ("prizes", "prizes"),
            ("rankings", "ranking"),
        ):
            bodies = pages(get, f"/{path}/{parent}", order="created_asc")
            assert [row for body in bodies for row in body["items"]] == plain(tables[name][parent])
    newest = pages(get, f"/users/{parent}")[0]["items"]
    assert newest == plain(tables["users"][parent])[::-1][:100]


def test_promotions_by_status_and_alone(api, get):
    truth = api.data["promotions"]["promotions"]
    drafts = [row for body in pages(get, "/promotions", status="draft") for row in body["items"]]
    assert 0 < len(drafts) == sum(row["status"] == "draft" for row in truth) < len(truth)
    assert get(f"/promotions/{truth[8]['id']}").json() == plain(truth[8])


def test_full_participations(api, get):
    parent = str(api.data["promotions"]["promotions"][2]["id"])
    flat = [row for body in pages(get, f"/participations/{parent}") for row in body["items"]]
    full = [row for body in pages(get, f"/participations/{parent}", format="full") for row in body["items"]]
    assert len(flat) > 200
    assert [{**row, **dict.fromkeys(("user", "prize", "requirement"))} for row in flat] == [
        {**row, **dict.fromkeys(("user", "prize", "requirement"))} for row in full
    ]
    for row in full:
        assert row["user"]["id"] == row["user_id"]
        assert row["prize"] is None or row["prize"]["participation_id"] == row["id"]


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [("/promotions", {"next_cursor": "null"}, 400), ("/stages/1", {}, 404), ("/nothing", {}, 404)],
)
def test_refusals(get, path, params, status):
    response = get(path, **params)
    assert (response.status_code, response.json()["code"]) == (status, status)


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}, {"x-api-key": KEY}])
def test_the_token_is_enforced(api, headers):
    assert requests.get(f"{api.url}{V2}/promotions", headers=headers, timeout=5).status_code == 401


def test_the_data_has_what_taps_stumble_over(api):
    tables = api.data["promotions"]
    children = ("stages", "users", "participations", "prizes")
    every = {name: [row for rows in tables[name].values() for row in rows] for name in children}
    every["promotions"] = tables["promotions"]
    for name, rows in every.items():
        assert {type(row["id"]) for row in rows} == {int, str}, name
        assert len({str(row["id"]) for row in rows}) == len(rows) >= 300, name
    assert {type(row.get("points")) for row in every["participations"]} == {Decimal, str, type(None)}
    assert {len(row["created"]) for row in every["users"]} == {19, 20}
    legals = [
        (row["meta_data"] or {"legals": 0})["legals"] for row in every["users"] if row["meta_data"] != []
    ]
    assert [] in legals
    assert {} in legals
    assert None in legals
    assert {str(row["visible"]) for row in every["stages"]} >= {"True", "False", "1", "0"}
    assert min(len(rows) for rows in tables["users"].values()) == 0
    assert any(max(row["title"] or " ") > "\uffff" for row in tables["promotions"])
