"""Servers that lower their limit of rows in a page in mid-run, and leave rows out of pages they have cut."""

from __future__ import annotations

from random import Random

import pytest

from in_process import call, said, select
from json_api import JsonApi, cut, numbered
from lists import moment
from tap_billing.tap import TapBilling
from tap_events.tap import TapEvents
from tap_rewards.tap import TapRewards

LISTS = {"customers": TapBilling, "products": TapBilling, "users": TapEvents, "campaigns": TapRewards}


def read(folder, stream, count, limits, at, hidden, **config):
    """What a run says, and the ids that came: the first limit holds for so many requests, then the second."""

    def handle(_, query):
        limit = limits[len(api.paths) > at]
        is_numbered = LISTS[stream] is TapBilling
        page = (numbered if is_numbered else cut)(range(count), query, cap=limit)
        shown = [row for row in page if row not in hidden]
        rows = [
            {"id": str(row) if stream == "campaigns" else row, "created_at": moment(row)} for row in shown
        ]
        return [{stream[:-1]: row} for row in rows] if is_numbered else {stream: rows}

    with JsonApi(handle) as api:
        catalog = select(LISTS[stream], stream)
        output = call(LISTS[stream], folder, url=api.url, catalog=catalog, concurrency=1, **config)
    return output, {int(row["id"]) for row in output.records.get(stream, [])}


@pytest.mark.parametrize(("at", "deletes"), [(4, False), (8, True)])
@pytest.mark.parametrize("limits", [(100, 40), (50, 37), (100, 25)])
@pytest.mark.parametrize("stream", LISTS)
def test_a_limit_that_is_lowered_where_rows_are_left_out_ends_no_list_in_silence(
    tmp_path, stream, limits, at, deletes
):
    for share in (0.02, 0.2):
        chance = Random(str((limits, at, share)))
        hidden = {row for row in range(777) if chance.random() < share}
        config = {"emit_activate_version_messages": deletes}
        output, came = read(tmp_path, stream, 777, limits, at, hidden, **config)
        if LISTS[stream] is not TapBilling:  # places are rows there, whatever the limit
            assert output.code == 0
        if output.code == 0:
            assert came == {*range(777)} - hidden
        else:
            assert output.code == 2
            assert "in no way that can be known" in said(output)[0]
