"""A full refresh that fails or is stopped: Meltano merges its STATE into the one before. No row is lost."""

from __future__ import annotations

import signal
from copy import deepcopy

import pytest

from core.test_state_merged import Broken, merged
from ended_parents import ACCOUNTS, ago
from in_process import call, select
from json_api import JsonApi
from tap_billing.tap import TapBilling
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling

CASES = [
    ("billing", TapBilling, ("customers", "invoices"), ".*/customers"),
    ("billing", TapBilling, ("customers", "usages"), ".*/usages"),
    ("rewards", TapRewards, ("orders", "fields"), ".*/v2/orders"),
    ("scheduling", TapScheduling, ("bookings", "my_profile"), ".*/bookings"),
    ("scheduling", TapScheduling, ("routing_form_responses",), ".*/responses"),
    ("scheduling", TapScheduling, ("bookings", "booking_attendees"), ".*/attendees"),
]


def keys(output, stream):
    return output.rows(stream).keys() if stream in output.schemas else set()


@pytest.mark.parametrize(("part", "tap", "streams", "path"), CASES)
def test_B02_what_failed_in_a_full_refresh_is_read_by_the_next_run(api, tmp_path, part, tap, streams, path):
    chosen = {"url": f"{api.url}/{part}", "catalog": select(tap, *streams)}
    whole = call(tap, tmp_path, **chosen)
    state = whole.state
    api.fault("status", path=path, status=500)
    refresh = call(tap, tmp_path, **chosen)
    assert refresh.code == 2, refresh.log
    merged(refresh.state, state)
    api.clear()
    later = call(tap, tmp_path, state=state, **chosen)
    assert later.code == 0, later.log
    merged(later.state, state)
    for name in streams:
        assert keys(whole, name) == keys(refresh, name) | keys(later, name), name
    again = call(tap, tmp_path, state=state, **chosen)
    assert len(again.records.get(streams[0], [])) < len(whole.records[streams[0]]), "it goes on as ever"


@pytest.mark.parametrize(
    ("part", "tap", "streams"),
    [
        ("billing", TapBilling, ("customers", "invoices", "subscriptions", "coupons")),
        ("scheduling", TapScheduling, ("bookings", "routing_form_responses")),
    ],
)
def test_B03_streams_that_had_not_begun_when_a_full_refresh_was_stopped_are_read(
    api, tmp_path, monkeypatch, capsys, part, tap, streams
):
    chosen = {"url": f"{api.url}/{part}", "catalog": select(tap, *streams)}
    whole = call(tap, tmp_path, **chosen)
    state = whole.state
    write = tap.write_message
    stopped = []

    def stop_soon(self, message):
        write(self, message)
        if message.to_dict()["type"] == "SCHEMA" and not stopped:
            stopped.append(self)
            self.stop(signal.SIGTERM)

    with monkeypatch.context() as patched:
        patched.setattr(tap, "write_message", stop_soon)
        refresh = call(tap, tmp_path, **chosen)
    assert refresh.code, refresh.log
    merged(refresh.state, state)
    later = call(tap, tmp_path, state=state, **chosen)
    assert later.code == 0, later.log
    for name in streams:
        assert keys(whole, name) == keys(refresh, name) | keys(later, name), name


@pytest.mark.parametrize("kind", ACCOUNTS)
def test_B04_a_full_refresh_forgets_which_lists_were_read_with_children_since(tmp_path, kind):
    account, state = kind({1: ago(days=60), 2: ago(days=30), 3: None}), {}
    chosen = {"catalog": select(kind.tap, kind.parent, *kind.children), "children_since": 7}
    with JsonApi(account) as api:

        def read(state=None, **more):
            return call(kind.tap, tmp_path, url=api.url, state=state, **chosen, **more)

        whole = read()
        merged(whole.state, state)
        merged(read(state).state, state)
        account.failing = {*account.parents}
        merged(read(allow_partial=True).state, state)
        account.failing = set()
        later = read(state)
    assert later.code == 0, later.log
    for name in kind.children:
        assert keys(later, name) == keys(whole, name), name


def test_a_checkpoint_after_a_run_that_left_none_can_be_merged(tmp_path):
    """Meltano fails at an object that comes where null was: no run had got its STATE any more."""
    server, state = Broken(), {}
    server.breaks = False
    with JsonApi(server.billing) as api:
        chosen = {"url": api.url, "catalog": select(TapBilling, "coupons")}
        for server.breaks in (False, True):
            merged(call(TapBilling, tmp_path, state=deepcopy(state) or None, **chosen).state, state)
    assert state["bookmarks"]["coupons"]["checkpoint"]


def test_streams_that_are_not_selected_keep_what_state_has_of_them(api, tmp_path):
    chosen = {"url": f"{api.url}/billing"}
    state = call(TapBilling, tmp_path, catalog=select(TapBilling, "customers", "invoices"), **chosen).state
    kept = deepcopy(state["bookmarks"]["invoices"])
    merged(call(TapBilling, tmp_path, catalog=select(TapBilling, "customers"), **chosen).state, state)
    assert state["bookmarks"]["invoices"] == kept
