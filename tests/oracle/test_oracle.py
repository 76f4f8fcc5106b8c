"""The taps against dlt: the brief's own configurations, run by dlt itself, load the same rows.

The brief gives each API as a configuration of dlt's REST API source. Each is in the module of its name, with
every change that dlt needs to run it noted there.
"""

from __future__ import annotations

import sys
from collections import Counter
from functools import cache
from random import Random

import pytest

from api_sandbox import Sandbox
from api_sandbox.billing import data as billing_data
from api_sandbox.events import data as events_data
from api_sandbox.promotions import data as promotions_data
from api_sandbox.rewards import data as rewards_data
from api_sandbox.scheduling import data as scheduling_data
from oracle import billing, events, promotions, rewards, scheduling
from oracle.compare import comparable
from support import KEY, run

DOCUMENTS = {
    "billing": billing.DOCUMENT,
    "events": events.DOCUMENT,
    "promotions": promotions.DOCUMENT,
    "rewards": rewards.DOCUMENT,
    "scheduling": scheduling.DOCUMENT,
}
# Small accounts, but of more than one page wherever there are pages.
DATA = {
    "billing": billing_data.generate(Random(6), customers=210, subscriptions=205, coupons=205),
    "events": events_data.generate(Random(6), events=105),
    "promotions": promotions_data.generate(Random(6), promotions=15, brands=130),
    "rewards": rewards_data.generate(Random(6), orders=110),
    "scheduling": scheduling_data.generate(Random(6), event_types=110, schedules=105, bookings=210),
}


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(data=DATA) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    """dlt, that leaves no file behind, calls nobody, and takes no settings but those of the test."""
    folder = str(tmp_path_factory.mktemp("dlt"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
        for name in ("DLT_DATA_DIR", "DLT_LOCAL_DIR", "DLT_PROJECT_DIR"):
            patch.setenv(name, folder)
        # Not at the top: it takes seconds, and reads these settings.
        from oracle.dlt_run import load  # noqa: PLC0415

        # Even when it reports nothing, dlt writes an id for its reports into a folder of the user's.
        patch.setattr(sys.modules["dlt.pipeline.track"], "dlthub_telemetry_track", lambda *_: None)
        yield load


@pytest.fixture(scope="module")
def both(load, sandbox, tmp_path_factory):
    """What dlt loads by a document, and what the tap writes, each read once."""

    @cache
    def both(name):
        document = DOCUMENTS[name]
        rows = load(document.config(sandbox.url), tmp_path_factory.mktemp(name))
        url = sandbox.url + document.settings["api_url"]
        settings = {document.tap.key_setting: KEY, **document.settings, "api_url": url}
        return rows, run(document.tap, settings)

    return both


STREAMS = [(name, stream["name"]) for name, document in DOCUMENTS.items() for stream in document.resources]


@pytest.mark.parametrize(("name", "stream"), STREAMS)
def test_rows_and_values(both, name, stream):
    document = DOCUMENTS[name]
    theirs, output = both(name)
    message = output.schemas[stream][0]
    rows = [comparable(document.row(stream, row), message["schema"]) for row in theirs[stream]]
    emitted = [comparable(row, message["schema"]) for row in output.records[stream]]
    if message["key_properties"] == ["_sdc_key"]:  # the tap's own, for rows that have no key
        assert_same_bag(rows, emitted)
    else:
        assert_same(rows, emitted, message["key_properties"])


def assert_same(rows, emitted, keys):
    """The same rows by key, each once."""
    ours = {tuple(row[key] for key in keys): row for row in emitted}
    assert {tuple(row[key] for key in keys): row for row in rows} == ours
    assert len(rows) == len(emitted) == len(ours) > 0


def assert_same_bag(rows, emitted):
    """The same rows as often, in any order, beside the key that is the tap's own."""
    keys = {row.pop("_sdc_key") for row in emitted}
    assert Counter(map(frozen, rows)) == Counter(map(frozen, emitted))
    assert len(keys) == len(rows) > 0


def frozen(value):
    if isinstance(value, dict):
        return frozenset((name, frozen(item)) for name, item in value.items())
    return tuple(map(frozen, value)) if isinstance(value, list) else value


@pytest.mark.parametrize("name", DOCUMENTS)
def test_streams(both, name):
    """All resources of the document are streams of the tap, which may have others."""
    _, output = both(name)
    assert set(output.schemas) >= {resource["name"] for resource in DOCUMENTS[name].resources}
