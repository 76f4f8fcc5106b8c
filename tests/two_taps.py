"""Two APIs of a handful of rows each, for what two taps can suffer: parents with lists, incremental lists."""

from __future__ import annotations

from json_api import JsonApi, cut, numbered

CUSTOMERS = [
    {
        "id": number,
        "email": f"{number}@example.com",
        "created_at": f"2026-01-1{number}T00:00:00Z",
        "updated_at": f"2026-01-0{number}T00:00:00Z",
    }
    for number in range(1, 6)
]


def billing(rows=CUSTOMERS):
    """Customers, which have a replication key, and coupons, which have none."""

    def answer(path, query):
        if path == "/customers.json":
            return numbered([{"customer": row} for row in rows], query)
        if path == "/coupons.json":
            return numbered([{"coupon": {"id": 1, "code": "A", "updated_at": "2026-01-01T00:00:00Z"}}], query)
        return 404, {}

    return JsonApi(answer)


def events():
    """Three events with one attendee each."""

    def answer(path, query):
        if path == "/v1/events":
            return {
                "pagination": [{"total": 3}],
                "events": cut([{"id": n, "title": "x"} for n in (1, 2, 3)], query),
            }
        if path.endswith("/attendees"):
            number = int(path.split("/")[-2])
            rows = [{"id": 10 * number, "refno": "a", "first_name": "Ann"}]
            return {"pagination": [{"total": 1}], "attendees": cut(rows, query)}
        return 404, {}

    return JsonApi(answer)
