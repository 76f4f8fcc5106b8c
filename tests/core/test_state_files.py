"""State, config and catalog files as people, targets and Meltano leave them."""

from __future__ import annotations

import json

import pytest

from in_process import call, said, select
from tap_billing.tap import TapBilling
from tap_rewards.tap import TapRewards
from two_taps import CUSTOMERS, billing

STATE = {
    "bookmarks": {
        "customers": {"replication_key": "updated_at", "replication_key_value": "2026-01-05T00:00:00Z"}
    }
}
OLD = {
    "bookmarks": {
        "customers": {"replication_key": "updated_at", "replication_key_value": "2026-01-01T00:00:00Z"}
    }
}
WHOLE = json.dumps(STATE)


def read(folder, state, **more):
    with billing() as api:
        return call(
            TapBilling, folder, url=api.url, state=state, catalog=select(TapBilling, "customers"), **more
        )


@pytest.mark.parametrize(
    "state",
    [
        WHOLE,
        json.dumps(STATE, indent=2),
        "\ufeff" + WHOLE,
        f"{json.dumps(OLD)}\n{WHOLE}\n\n",
        json.dumps({"type": "STATE", "value": STATE}),
        json.dumps({"type": "STATE", "value": OLD}) + "\r\n" + json.dumps({"type": "STATE", "value": STATE}),
        f"{json.dumps(OLD)}\n\ufeff{WHOLE}\n",
        f"{json.dumps(OLD)}\n{json.dumps(STATE, indent=2)}\n",
        f"a line of a log\r\n\ufeff{json.dumps({'type': 'STATE', 'value': STATE}, indent=chr(9))}".replace(
            "\n", "\r\n"
        ),
        *(
            f"{json.dumps(OLD)}\n{json.dumps({**STATE, 'note': f'a{end}b'}, ensure_ascii=False)}"
            for end in "\u2028\u2029\u0085"
        ),
        json.dumps({"singer_state": STATE}),
        json.dumps({"completed": {"singer_state": STATE}, "partial": {}}),
        json.dumps({"completed": {"singer_state": STATE}, "partial": None}),
        json.dumps({"completed": {"singer_state": OLD}, "partial": {"singer_state": STATE}}),
        json.dumps({"completed": {}, "partial": {"singer_state": STATE}}),
    ],
)
def test_J09_G07_state_in_every_form_it_comes_in(tmp_path, state):
    output = read(tmp_path, state)
    assert output.code == 0
    assert [row["id"] for row in output.records["customers"]] == [5]  # with the look-back, the newest alone
    assert not said(output, "WARNING")


@pytest.mark.parametrize("state", ["", " \n\n", "\ufeff"])
def test_J09_an_empty_state_file_is_no_state(tmp_path, state):
    output = read(tmp_path, state)
    assert output.code == 0
    assert len(output.records["customers"]) == len(CUSTOMERS)
    assert said(output, "WARNING") == ["state: the file is empty; the run begins without one"]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("[]", "state: the file holds no JSON object"),
        ("null", "state: the file holds no JSON object"),
        ('{"type": "RECORD", "stream": "x"}', "state: its last line is no STATE but 'RECORD'"),
        (f"{WHOLE}\nnothing", "state is no JSON: Extra data: line 2 column 1"),
        (f"{WHOLE}\n\n{WHOLE[:-1]}", "state is no JSON: Expecting ',' delimiter: line 3 column"),
        ('{"bookmarks": null}', "state: `bookmarks` must be an object"),
        ('{"completed": 3}', "state: the file holds no JSON object"),
        ('{"singer_state": "x"}', "state: the file holds no JSON object"),
        ("[" * 100_000, "state is nested too deep"),
    ],
)
def test_J09_what_is_no_state_is_refused_in_a_line(tmp_path, state, words):
    output = read(tmp_path, state)
    assert output.code == 1
    assert not output.messages
    (line,) = said(output)
    assert line.startswith(words)


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("what", ["config", "catalog", "state"])
def test_D10_files_in_utf_16_are_named(tmp_path, what, coding):
    content = {
        "config": {"api_url": "http://127.0.0.1:9", "api_key": "k"},
        "catalog": select(TapBilling, "customers"),
        "state": STATE,
    }[what]
    text = json.dumps(content).encode(coding)
    if what == "config":
        (tmp_path / "other.json").write_bytes(text)
        output = call(TapBilling, tmp_path, "--config", str(tmp_path / "other.json"))
    else:
        output = call(TapBilling, tmp_path, **{what: text})
    assert output.code == 1
    (line,) = said(output)
    assert line.startswith(what)
    assert f"is no UTF-8 text but {coding.upper()[:6]}" in line


@pytest.mark.parametrize("what", ["config", "catalog", "state"])
def test_D10_bytes_that_are_no_text_are_named(tmp_path, what):
    (tmp_path / "other.json").write_bytes(b'{"a": "\xff\xfe\xfa"}')
    output = call(TapBilling, tmp_path, f"--{what}", str(tmp_path / "other.json"))
    assert output.code == 1
    assert "is no UTF-8 text" in said(output)[0]


def test_J09_a_mark_before_config_and_catalog(tmp_path):
    with billing() as api:
        config = json.dumps({"api_url": api.url, "api_key": "k"})
        (tmp_path / "marked.json").write_text("\ufeff" + config, encoding="utf-8")
        catalog = "\ufeff" + json.dumps(select(TapBilling, "customers"))
        output = call(
            TapBilling, tmp_path, "--config", str(tmp_path / "marked.json"), url=api.url, catalog=catalog
        )
    assert output.code == 0
    assert len(output.records["customers"]) == len(CUSTOMERS)


def test_J09_bookmarks_that_are_no_streams_are_named(tmp_path):
    more = {"bookmarks": {**STATE["bookmarks"], "guests": {}, "visits": {"replication_key_value": 3}}}
    output = read(tmp_path, more)
    assert output.code == 0
    (line,) = said(output, "WARNING")
    assert line == "state: guests, visits: no stream of tap-billing; the bookmark is kept and not used"
    assert output.state["bookmarks"]["visits"] == {"replication_key_value": 3}


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(("tap", "stream"), [(TapBilling, "customers"), (TapRewards, "orders")])
def test_E_of_many_bookmarks_that_are_no_streams_the_first_few_are_named(tmp_path, tap, stream, known):
    bookmarks = {f"gone_{number}": {} for number in range(100_000)} | ({stream: {}} if known else {})
    output = call(tap, tmp_path, state={"bookmarks": bookmarks}, catalog=select(tap, stream))
    assert "gone_0, gone_1, gone_2, gone_3, gone_4 and 99995 more" in said(output, "WARNING")[0]
    assert len(output.log) < 5000
    assert len(output.state["bookmarks"]) == 100_001


@pytest.mark.parametrize(("tap", "stream"), [(TapBilling, "customers"), (TapRewards, "orders")])
def test_E_of_many_entries_of_a_catalog_that_are_no_streams_the_first_few_are_named(tmp_path, tap, stream):
    catalog = select(tap, stream)
    schema = {"type": "object", "properties": {}}
    catalog["streams"] += [
        {"tap_stream_id": f"gone_{number}", "stream": f"gone_{number}", "schema": schema, "metadata": []}
        for number in range(500)
    ]
    output = call(tap, tmp_path, catalog=catalog)
    line = said(output, "WARNING")[0]
    assert line == "catalog: there is no stream gone_0, gone_1, gone_2, gone_3, gone_4 and 495 more: ignored"


@pytest.mark.parametrize(
    ("tap", "stream", "other"), [(TapBilling, "customers", "orders"), (TapRewards, "orders", "customers")]
)
def test_J09_a_state_of_another_tap_is_named(tmp_path, tap, stream, other):
    state = {"bookmarks": {other: {"replication_key": "updated_at", "replication_key_value": "2026-01-01"}}}
    output = call(tap, tmp_path, state=state, catalog=select(tap, stream))
    assert said(output, "WARNING")[0] == (
        f"state: it holds no stream of {tap.name} but {other}: is it another tap's?"
    )


def test_J09_a_state_without_bookmarks_is_named(tmp_path):
    output = read(tmp_path, {"customers": "2026-01-05"})
    assert output.code == 0
    assert said(output, "WARNING") == ["state: it has no `bookmarks`, so that the run begins without one"]


@pytest.mark.parametrize("value", [1700000000, 0, 1.5, True, "now", "12:00", "soon", {"at": 1}, [1]], ids=str)
@pytest.mark.parametrize(
    ("tap", "stream", "key"), [(TapBilling, "customers", "updated_at"), (TapRewards, "orders", "created_at")]
)
def test_D11_a_bookmark_that_is_no_time_is_named(tmp_path, tap, stream, key, value):
    state = {"bookmarks": {stream: {"replication_key": key, "replication_key_value": value}}}
    output = call(tap, tmp_path, state=state)
    assert output.code == 1
    assert said(output) == [
        f"state: {stream}: the bookmark {value!r} of `{key}` is no date and time; correct or remove it"
    ]


def test_E06_a_start_date_in_the_future_is_told(tmp_path):
    with billing() as api:
        output = call(TapBilling, tmp_path, url=api.url, start_date="2099-01-01")
    assert "start_date lies in the future: streams that heed it read nothing yet" in output.log


@pytest.mark.parametrize("start_date", ["now", "12:00"])
def test_D01_a_time_of_day_is_no_date(tmp_path, start_date):
    output = call(TapRewards, tmp_path, start_date=start_date)
    assert output.code == 1
    assert "start_date is no date" in said(output)[0]


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ({"partitions": [{"replication_key": "updated_at"}]}, "`partitions` is no bookmark of this tap's"),
        (
            {"progress_markers": {"replication_key": "updated_at"}},
            "`progress_markers` is no bookmark of this tap's",
        ),
        ({"updated_at": "2026-01-05T00:00:00Z"}, "`updated_at` is no bookmark of this tap's"),
        ({"replication_key_value": "2026-01-05T00:00:00Z"}, "its bookmark lacks `replication_key`"),
        (
            {"replication_key": "id", "replication_key_value": 5},
            "its bookmark is of `id` and not of `updated_at`",
        ),
        ({"replication_key": None, "replication_key_value": None}, None),
    ],
)
def test_what_is_no_bookmark_of_the_stream_is_read_from_the_start_with_a_line(tmp_path, entry, why):
    output = read(tmp_path, {"bookmarks": {"customers": entry}})
    assert len(output.records["customers"]) == len(CUSTOMERS)
    told = [f"state: customers: read from the start, as {why}"] if why else []
    assert said(output, "WARNING") == told
