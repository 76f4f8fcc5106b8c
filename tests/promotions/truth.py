"""What tap-promotions should emit of the sandbox's rows."""

from __future__ import annotations

from decimal import Decimal

from api_sandbox.promotions.api import full_participations
from support import KEY

PARENTS = ("promotions", "organizing_brands")
CHILDREN = (
    *("stages", "users", "participations", "prizes", "prize_inventory", "rankings"),
    "coin_transactions",
)
OFF = ("registration_fields", "points_of_sale")
"""Lists that are read only where they are selected."""
V2 = "/promotions/v2"


def settings(sandbox, **more):
    url = f"{sandbox.url}{V2}"
    return {"api_url": url, "bearer_token": KEY, "requests_per_minute": 100_000, **more}


ACTING = {"download_url", "redeem_url"}
"""Links that leave no tap."""

EMPTIED = {"organizing_brand", "meta_data", "legals"}
"""Objects that the sandbox also sends as empty lists."""


def plain(value, name="", inside=""):
    """A value of the sandbox's as the contract wants it emitted."""
    if isinstance(value, dict):
        return {key: plain(item, key, name) for key, item in value.items() if key not in ACTING}
    if isinstance(value, list):
        return {} if not value and name in EMPTIED else [plain(item, "", name) for item in value]
    return None if value is None else plain_scalar(value, name, inside)


def plain_scalar(value, name, inside):
    if name in {"points", "time", "amount", "balance"}:
        return Decimal(value)
    if name == "position" or (name, inside) == ("type", "requirement"):
        return int(value)
    if name in {"visible", "required"}:
        return value in {True, "1"}
    if name in {"created", "start_date", "end_date"}:
        return value if value.endswith("Z") else value.replace(" ", "T") + "Z"
    return str(value)


def ranked(entry, place):
    """An entry of a ranking with its fields where the schema has them."""
    entry = {"position": place, **entry}
    if "user_id" not in entry:
        entry["user_id"] = entry["user"]["id"] if "user" in entry else entry["id"]
    if "score" in entry:
        entry["points"] = entry.pop("score")
    return entry


def lifted(pair, _):
    """A change of a balance, with its user beside it."""
    return {**pair["transaction"], "user": pair["user"]}


SHAPED = {"rankings": ranked, "coin_transactions": lifted}


def expected(sandbox, stream, *, full=False):
    """The sandbox's rows as the tap should emit them, by key."""
    tables = sandbox.data["promotions"]
    if stream in PARENTS:
        return {(str(row["id"]),): plain(row) for row in tables[stream]}
    rows = {}
    for promotion in tables["promotions"]:
        parent = str(promotion["id"])
        children = full_participations(tables, parent) if full else tables[stream].get(parent, [])
        for place, child in enumerate(children, 1):
            row = plain(SHAPED[stream](child, place) if stream in SHAPED else child)
            row["promotion_id"] = row.get("promotion_id") or parent
            rows[parent, row["user_id" if stream == "rankings" else "id"]] = row
    return rows


def assert_all(output, sandbox, streams=(*PARENTS, *CHILDREN)):
    output.check()
    assert set(output.schemas) == {*PARENTS, *CHILDREN}
    for stream in streams:
        truth = expected(sandbox, stream)
        assert output.rows(stream) == truth
        assert len(output.records[stream]) == len(truth)
    assert not any("_sdc_unmapped" in row for rows in output.records.values() for row in rows)
