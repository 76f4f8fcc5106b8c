"""`timestamps: utc`: every time that names its zone is written in UTC, whichever way its record takes."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from in_process import call, said, select
from json_api import JsonApi
from lists import bookings, customers
from tap_billing.tap import TapBilling
from tap_core.positions import instant
from tap_core.records.codec import UNMAPPED, UNMAPPED_SCHEMA
from tap_core.records.values import in_utc
from tap_scheduling.tap import TapScheduling
from ways import encoder, ways

MOMENT = {"type": ["string", "null"], "format": "date-time"}
SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "at": MOMENT,
        "or_number": {"type": ["string", "integer", "null"], "format": "date-time"},
        "all": {"type": ["array", "null"], "items": MOMENT},
        "part": {"type": ["object", "null"], "properties": {"at": MOMENT}},
        "parts": {"type": ["array", "null"], "items": {"type": "object", "properties": {"at": MOMENT}}},
        "open": {"type": ["object", "null"], "properties": {"at": MOMENT}, "additionalProperties": True},
        "day": {"type": ["string", "null"], "format": "date"},
        "local": {"type": ["string", "null"]},
        UNMAPPED: UNMAPPED_SCHEMA,
    },
}
LAST_YEAR = 9999
LOCAL = "2026-03-01T10:20:30"


@pytest.mark.parametrize(
    ("sent", "written"),
    [
        ("2026-03-01T10:20:30Z", "2026-03-01T10:20:30Z"),
        ("2026-03-01T10:20:30+00:00", "2026-03-01T10:20:30Z"),
        ("2026-03-01T01:20:30+05:30", "2026-02-28T19:50:30Z"),
        ("2026-12-31T20:00:00.123456789-0500", "2027-01-01T01:00:00.123456789Z"),
        ("0001-01-01T00:00:00+01:00", "0001-01-01T00:00:00+01:00"),
        ("9999-12-31T23:59:59-01:00", "9999-12-31T23:59:59-01:00"),
    ],
)
def test_a_moment_in_utc(sent, written):
    assert in_utc(sent) == written


moments = st.one_of(
    st.none(),
    st.datetimes(timezones=st.timezones())
    .filter(lambda at: 1 < at.year < LAST_YEAR)
    .map(lambda at: at.isoformat()),
    st.sampled_from(["", LOCAL, "2026-03-01", "2026-03-01T10:20:30+05:30", "2026-03-01T10:20:30.5Z", 7]),
)
of_one = st.fixed_dictionaries({}, optional={"at": moments, "new": moments})
records = st.fixed_dictionaries(
    {"id": st.integers()},
    optional={
        "at": moments,
        "or_number": moments,
        "all": st.lists(moments, max_size=3),
        "part": of_one,
        "parts": st.lists(of_one, max_size=3),
        "open": of_one,
        "day": st.just("2026-03-01"),
        "local": moments,
    },
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(records, min_size=1, max_size=4))
def test_all_ways_agree_and_differ_from_what_was_sent_in_the_zone_alone(sent):
    texts = [encoder.encode(record).decode() for record in sent]
    careful, others = ways(SCHEMA, utc=True)
    written = careful(texts)
    assert all(other(texts) == written for other in others)
    as_sent, _ = ways(SCHEMA)
    for here, there in zip(written, as_sent(texts), strict=True):
        assert_same_instants(here, there)


def assert_same_instants(here, there):
    """All the same but for moments, of which the first are in UTC; what does not fit stays as it was sent."""
    for name in ("day", "local", UNMAPPED, "id"):
        assert here.get(name) == there.get(name)
    assert here.keys() == there.keys()
    for name in ("at", "or_number"):
        assert_same(here.get(name), there.get(name))
    for place in ("part", "open"):
        assert_same((here.get(place) or {}).get("at"), (there.get(place) or {}).get("at"))
    for place in ("all", "parts"):
        pairs = zip(here.get(place) or [], there.get(place) or [], strict=True)
        for one, other in pairs:
            assert_same(*((part.get("at") if isinstance(part, dict) else part) for part in (one, other)))


def assert_same(here, there):
    if isinstance(there, str):
        assert here.endswith("Z")
        assert instant(here) == instant(there)
    else:
        assert here == there


ROWS = {
    "customers": [
        {"id": n, "created_at": "2026-01-01T00:00:00Z", "updated_at": f"2026-04-0{n}T20:00:00-05:00"}
        for n in range(1, 6)
    ],
    "bookings": [
        {"id": n, "createdAt": "2026-01-01T00:00:00Z", "updatedAt": f"2026-04-0{n}T20:00:00+02:00"}
        for n in range(1, 6)
    ],
}
ANSWERS = {
    "customers": (TapBilling, "updated_at", lambda query: customers(ROWS["customers"], query, 200)),
    "bookings": (TapScheduling, "updatedAt", lambda query: bookings(ROWS["bookings"], query)),
}


@pytest.mark.parametrize("stream", ANSWERS)
def test_rows_and_state_of_a_run(tmp_path, stream):
    """STATE is right whichever way it was written: the next run asks for the same, in either setting."""
    tap, field, handle = ANSWERS[stream]
    found = {}
    for timestamps in ("as_sent", "utc"):
        with JsonApi(lambda _, query: handle(query)) as api:
            run = {"url": api.url, "catalog": select(tap, stream), "timestamps": timestamps}
            first = call(tap, tmp_path, **run)
            asked = len(api.paths)
            later = call(tap, tmp_path, state=first.state, **run)
            paths = [path for path in api.paths[asked:] if "2026" in path]
        assert (first.code, later.code, said(first, "WARNING")) == (0, 0, [])
        found[timestamps] = first, later, paths
    as_sent, in_utc = found["as_sent"][0], found["utc"][0]
    for here, there in zip(in_utc.records[stream], as_sent.records[stream], strict=True):
        assert here[field].endswith("Z")
        assert instant(here[field]) == instant(there[field])
    kept = [output.state["bookmarks"][stream]["replication_key_value"] for output in (as_sent, in_utc)]
    assert instant(kept[0]) == instant(kept[1])
    assert (
        len(found["utc"][1].records[stream]) == len(found["as_sent"][1].records[stream]) < len(ROWS[stream])
    )
    assert found["utc"][2], "asked from the bookmark on"


def test_another_word_is_refused(tmp_path):
    assert said(call(TapBilling, tmp_path, timestamps="local"))[0] == "timestamps must be one of as_sent, utc"
