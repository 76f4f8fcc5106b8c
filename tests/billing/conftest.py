from __future__ import annotations

import pytest


@pytest.fixture
def small(api):
    """The sandbox with few subscriptions, so that lists below each of them are few."""
    tables = api.data["billing"]
    tables["subscriptions"] = tables["subscriptions"][:8]
    kept = {row["id"] for row in tables["subscriptions"]}
    tables["subscription_components"] = [
        row for row in tables["subscription_components"] if row["subscription_id"] in kept
    ]
    for name in ("usages", "allocations"):
        tables[name] = {
            place: rows for place, rows in tables[name].items() if int(place.split("/")[0]) in kept
        }
    tables["proforma_invoices"] = {number: tables["proforma_invoices"][number] for number in kept}
    places = [place for place, rows in tables["allocations"].items() if len(rows) > 50]
    for place in places:  # the API has no more of them
        tables["allocations"][place] = sorted(tables["allocations"][place], key=lambda row: row["timestamp"])
        tables["allocations"][place] = tables["allocations"][place][-50:]
    return api
