"""Lists of an organization: the ids in their paths, who may read them, and accounts without one."""

from __future__ import annotations

import re

import pytest

from in_process import call, said, select
from scheduling.truth import OFF, ORGANIZATION, assert_all, expected
from support import KEY, run
from tap_core.errors import ApiError
from tap_scheduling.tap import TapScheduling

PATH = "/scheduling/v1/organizations"
SHORT = [name for name in ORGANIZATION if name != "organization_bookings"]


@pytest.fixture
def config(api):
    return {"api_url": f"{api.url}/scheduling", "api_key": KEY, "requests_per_minute": 100_000}


def read(config, *streams, state=None, **more):
    return run(TapScheduling, {**config, **more}, state=state, catalog=select(TapScheduling, *streams))


def test_lists_that_are_off_are_not_asked_for(api, config):
    output = run(TapScheduling, config)
    assert not {*OFF} & output.schemas.keys()
    assert not api.matching(PATH)


@pytest.mark.parametrize("size", [1, 7, 250])
def test_all_rows_and_values(api, config, size):
    api.fault("page_cap", path=PATH, query="take", size=size)
    api.fault("status", status=503, first_attempts=True)
    streams = ORGANIZATION if size > 1 else SHORT
    output = read(config, *streams)
    assert_all(output, api, streams)
    assert not any("_sdc_unmapped" in row for rows in output.records.values() for row in rows)
    assert "my_profile" not in output.records


def test_paging_ignored(api, config):
    api.fault("ignore_paging", path=PATH)
    assert_all(read(config, *SHORT), api, SHORT)


def test_what_requests_ask_for(api, config):
    read(config, *ORGANIZATION)
    asked = {}
    for entry in api.matching(PATH):
        name = re.sub(r"(forms|attributes)/[^/]+/", r"\1/7/", entry.path.removeprefix(f"{PATH}/42210/"))
        asked.setdefault(name, re.sub(r"skip=\d+&take", "skip=0&take", entry.query))
        assert entry.headers.get("cal-api-version") == ("2024-08-13" if name == "bookings" else None)
    assert asked == {
        "users": "skip=0&take=250",
        "memberships": "skip=0&take=250",
        "teams": "skip=0&take=250",
        "bookings": "sortCreated=asc&skip=0&take=100",
        "ooo": "sortStart=asc&skip=0&take=250",
        "routing-forms": "sortCreatedAt=asc&skip=0&take=100",
        "routing-forms/7/responses": "sortCreatedAt=asc&skip=0&take=100",
        "attributes": "skip=0&take=250",
        "attributes/7/options": "",
    }


@pytest.mark.parametrize("organization", [None, "absent"])
def test_a_user_without_an_organization(api, config, organization, caplog):
    """One line, no request, and nothing is called gone: an account that leaves keeps its tables."""
    me = api.data["scheduling"]["me"][0]
    me["organizationId"] = None
    if organization:
        del me["organizationId"]
    output = read(config, "my_profile", *ORGANIZATION, emit_activate_version_messages=True)
    assert output.records.keys() == {"my_profile"}
    assert {*ORGANIZATION} <= output.schemas.keys()
    assert [entry.path for entry in api.requests] == ["/scheduling/v1/me"]
    lines = [line for line in caplog.messages if "organizationId" in line]
    assert len(lines) == 1
    assert all(name in lines[0] for name in ORGANIZATION)
    activated = {m["stream"] for m in output.messages if m["type"] == "ACTIVATE_VERSION"}
    assert activated == {"my_profile"}
    assert not output.state["bookmarks"].get("organization_bookings", {}).get("replication_key_value")


@pytest.mark.parametrize("status", [403, 404])
def test_a_user_who_is_no_admin(api, config, status, caplog):
    api.fault("status", path=PATH, status=status)
    output = read(config, "my_profile", *ORGANIZATION, emit_activate_version_messages=True)
    assert output.records.keys() == {"my_profile"}
    asked = {*ORGANIZATION} - {"routing_form_responses", "attribute_options"}
    for name in asked:
        assert caplog.text.count(f"{name}: this account or server has no such list ({status})") == 1
    activated = {m["stream"] for m in output.messages if m["type"] == "ACTIVATE_VERSION"}
    assert activated == {"my_profile"}


def test_a_later_page_that_is_refused_is_a_failure(api, config):
    api.fault("page_cap", path=PATH, size=7)
    api.fault("status", path=f"{PATH}/42210/users", query="skip=[1-9]", status=403)
    with pytest.raises(ApiError, match="partly read: organization_users"):
        read(config, "organization_users", "attributes")


def test_responses_in_two_runs(api, config):
    first = read(config, "routing_form_responses")
    forms = api.data["scheduling"]["routing_form_responses"]
    rows = forms[min(forms)]
    newest = rows[-1]["createdAt"]
    old, late = rows[3], rows[-9]
    old["routedToBookingUid"] = late["routedToBookingUid"] = "filled in later"
    rows.append({**rows[-1], "id": 1, "createdAt": newest})
    rows.append({**rows[-1], "id": 2, "createdAt": "2026-02-01T10:00:00.000Z"})
    forms[max(forms)].append({**rows[-1], "id": 3, "formId": max(forms)})
    api.clear()
    second = read(config, "routing_form_responses", state=first.state)
    found = first.rows("routing_form_responses") | second.rows("routing_form_responses")
    truth = expected(api, "routing_form_responses")
    assert found.pop((old["id"],)) != truth.pop((old["id"],))
    assert found == truth
    assert len(second.records["routing_form_responses"]) < len(truth)
    entry = second.state["bookmarks"]["routing_form_responses"]
    values = {kept["of"]: kept.get("replication_key_value") for kept in entry["lists"]}
    none = sorted(forms)[2]
    assert values.pop(none) is None
    assert values.pop(sorted(forms)[1]) == forms[sorted(forms)[1]][-1]["createdAt"]
    assert set(values.values()) == {"2026-02-01T10:00:00.000Z"}
    asked = api.matching(rf"{PATH}/42210/routing-forms/.*/")
    assert all(("afterCreatedAt" in entry.query) == (none not in entry.path) for entry in asked)


def test_responses_to_a_form_that_is_new_to_the_user_are_all_read(api, config):
    tables = api.data["scheduling"]
    form = tables["routing_forms"].pop()
    first = read(config, "routing_form_responses")
    tables["routing_forms"].append(form)
    second = read(config, "routing_form_responses", state=first.state)
    rows = tables["routing_form_responses"][form["id"]]
    assert {(row["id"],) for row in rows} <= second.rows("routing_form_responses").keys()
    found = first.rows("routing_form_responses") | second.rows("routing_form_responses")
    assert found == expected(api, "routing_form_responses")


@pytest.mark.parametrize("damage", [5, "x", None, True])
@pytest.mark.parametrize("where", ["lists", "lists.f", "lists.0"])
def test_E12_what_is_no_bookmark_in_the_state_of_lists_is_ignored_with_a_line(
    api, config, tmp_path, damage, where
):
    """Of a list of them, or of an object, as it was in earlier versions."""
    stream = "routing_form_responses"
    first = read(config, stream)
    entry = first.state["bookmarks"][stream]
    kept = entry["lists"]
    at, form = next((at, each["of"]) for at, each in enumerate(kept) if "replication_key_value" in each)
    entry["lists"], place = {
        "lists": (damage, "lists"),
        "lists.f": ({**{each["of"]: each for each in kept}, form: damage}, f"lists.{form}"),
        "lists.0": ([damage if each["of"] == form else each for each in kept], f"lists.{at}"),
    }[where]
    chosen = {"url": config["api_url"], "catalog": select(TapScheduling, stream)}
    output = call(TapScheduling, tmp_path, state=first.state, **chosen)
    assert output.code == 0, output.log
    is_told = damage is not None or where == "lists.0"
    told = [f"state: {stream}: `{place}` is no object; it is ignored"] if is_told else []
    assert said(output, "WARNING") == told
    found = {each["of"]: each for each in output.state["bookmarks"][stream]["lists"]}
    assert found[form]["replication_key_value"]
    rows = api.data["scheduling"]["routing_form_responses"][form]
    assert len([row for row in output.records[stream] if row["formId"] == form]) == len(rows)


def test_E12_a_list_s_bookmark_that_is_no_time_is_refused_before_anything_is_read(api, config, tmp_path):
    stream = "routing_form_responses"
    first = read(config, stream)
    for kept in first.state["bookmarks"][stream]["lists"]:
        kept["replication_key_value"] = 5
    chosen = {"url": config["api_url"], "catalog": select(TapScheduling, stream)}
    output = call(TapScheduling, tmp_path, state=first.state, **chosen)
    assert (output.code, output.messages) == (1, [])
    key = "createdAt"
    told = f"state: {stream}: the bookmark 5 of `{key}` is no date and time; correct or remove it"
    assert said(output) == [told]


@pytest.mark.parametrize("status", [403, 500])
def test_a_form_that_fails_keeps_no_other_form_s_bookmark(api, config, status):
    forms = sorted(api.data["scheduling"]["routing_form_responses"])
    api.fault("status", path=f"{PATH}/42210/routing-forms/{forms[0]}/", status=status)
    output = read(config, "routing_form_responses", max_retries=0, allow_partial=True)
    lists = output.state["bookmarks"]["routing_form_responses"]["lists"]
    kept = {entry["of"] for entry in lists if entry.get("replication_key_value")}
    assert kept == {forms[1], *kept} - {forms[0]}
    api.clear()
    second = read(config, "routing_form_responses", state=output.state)
    found = output.rows("routing_form_responses") | second.rows("routing_form_responses")
    assert found == expected(api, "routing_form_responses")


@pytest.mark.parametrize("stream", ["bookings", "organization_bookings"])
def test_only_where_lists_hang_below_bookings_their_uid_always_comes(api, config, stream):
    catalog = select(TapScheduling, stream)
    entry = next(found for found in catalog["streams"] if found["tap_stream_id"] == stream)
    (uid,) = (found for found in entry["metadata"] if found["breadcrumb"] == ["properties", "uid"])
    uid["metadata"]["selected"] = False
    rows = run(TapScheduling, config, catalog=catalog).records[stream]
    assert {"uid" in row for row in rows} == {stream == "bookings"}


def test_bookings_of_the_organization_in_two_runs(api, config):
    bookings = api.data["scheduling"]["bookings"]
    first = read(config, "organization_bookings")
    for number, row in enumerate(bookings[:120]):
        row |= {"updatedAt": f"2026-01-30T00:01:{number % 60:02}.000Z", "title": "Moved ✈"}
    held = next(row for row in bookings[200:] if row["start"] > "2026-01-20")
    held["attendees"] = [{"name": "A", "email": "a@mail.example", "absent": True}]
    api.clear()
    second = read(config, "organization_bookings", state=first.state)
    rows = first.rows("organization_bookings") | second.rows("organization_bookings")
    assert rows == expected(api, "organization_bookings")
    assert 120 <= len(second.records["organization_bookings"]) < 250
    queries = [entry.query for entry in api.matching(f"{PATH}/42210/bookings")]
    assert "afterUpdatedAt" in queries[0]
    assert "sortUpdatedAt=asc" in queries[0]
    assert any("afterStart" in query for query in queries)
    newest = max(row["updatedAt"] or "" for row in bookings)
    assert second.state["bookmarks"]["organization_bookings"]["replication_key_value"] == newest
