"""The promotions API: a bearer token, cursors that are numbers or strings, ids of either kind.

The rows: ``data["promotions"]`` has ``promotions`` and ``organizing_brands`` as lists, oldest first, and
``stages``, ``users``, ``participations``, ``prizes``, ``rankings`` and the tables of ``extras`` as lists by
the promotion's id, which is a string there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api_sandbox.api import SANDBOX_KEY, Api, Reply
from api_sandbox.promotions.data import generate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.datastructures import Headers

    from api_sandbox.api import Call

Row = dict[str, Any]
Rows = list[Row]

_PAGE_SIZE = 100


def _error(status: int, message: str) -> Reply:
    return Reply({"code": status, "message": message}, status)


def _authorized(headers: Headers) -> bool:
    return headers.get("authorization") == f"Bearer {SANDBOX_KEY}"


def _paged(call: Call, rows: Sequence[Row], key: str = "id") -> Reply:
    """One page; the cursor is the last row's id, of the type that the row has it in."""
    after = call.query.get("next_cursor")
    page = call.paging.by_cursor(rows, after, _PAGE_SIZE, key)
    if page is None:
        return _error(400, f"Unknown cursor {after!r}")
    count = len(page.rows)
    odd = bool(count % 2)
    paging: Row = {"items_page": str(count) if odd else count}
    if page.next_cursor is not None or not odd:  # on the last page it is null or absent
        paging["next_cursor"] = page.next_cursor
    return Reply({"items": page.rows, "paging": paging})


def _ordered(call: Call, rows: Rows) -> Rows:
    """Newest first, unless the oldest are asked for first."""
    return rows if call.query.get("order") == "created_asc" else rows[::-1]


def _promotions(call: Call) -> Reply:
    """All promotions, or those of a status."""
    rows, status = call.tables["promotions"], call.query.get("status", "all")
    chosen = rows if status == "all" else [row for row in rows if row["status"] == status]
    return _paged(call, _ordered(call, chosen))


def _organizing_brands(call: Call) -> Reply:
    return _paged(call, _ordered(call, call.tables["organizing_brands"]))


def _of_promotion(handler: Callable[[Call, str], Reply]) -> Callable[[Call], Reply]:
    """A handler of a path below a promotion, which must exist."""

    def checked(call: Call) -> Reply:
        promotion_id = call.path["promotion_id"]
        if not any(str(row["id"]) == promotion_id for row in call.tables["promotions"]):
            return _error(404, f"Promotion {promotion_id} does not exist")
        return handler(call, promotion_id)

    return checked


@_of_promotion
def _promotion(call: Call, promotion_id: str) -> Reply:
    """A bare object."""
    return Reply(next(row for row in call.tables["promotions"] if str(row["id"]) == promotion_id))


@_of_promotion
def _stages(call: Call, promotion_id: str) -> Reply:
    return _paged(call, call.tables["stages"].get(promotion_id, []))


@_of_promotion
def _users(call: Call, promotion_id: str) -> Reply:
    return _paged(call, _ordered(call, call.tables["users"].get(promotion_id, [])))


@_of_promotion
def _participations(call: Call, promotion_id: str) -> Reply:
    """Flat rows, or with all that belongs to them."""
    rows = call.tables["participations"].get(promotion_id, [])
    if call.query.get("format") == "full":
        rows = full_participations(call.tables, promotion_id)
    return _paged(call, _ordered(call, rows))


@_of_promotion
def _prizes(call: Call, promotion_id: str) -> Reply:
    return _paged(call, call.tables["prizes"].get(promotion_id, []))


@_of_promotion
def _prize_inventory(call: Call, promotion_id: str) -> Reply:
    """The whole stock, without a word about pages."""
    return Reply({"items": call.tables["prize_inventory"].get(promotion_id, [])})


@_of_promotion
def _registration_fields(call: Call, promotion_id: str) -> Reply:
    return Reply({"items": call.tables["registration_fields"].get(promotion_id, [])})


@_of_promotion
def _points_of_sale(call: Call, promotion_id: str) -> Reply:
    return _paged(call, call.tables["points_of_sale"].get(promotion_id, []))


@_of_promotion
def _coin_transactions(call: Call, promotion_id: str) -> Reply:
    """Pairs, which have no id of their own: the cursor is the id of the change in the last one."""
    pairs = [
        {"id": pair["transaction"]["id"], "pair": pair}
        for pair in call.tables["coin_transactions"].get(promotion_id, [])
    ]
    reply = _paged(call, _ordered(call, pairs))
    if reply.status < 400:  # noqa: PLR2004
        reply.body["items"] = [row["pair"] for row in reply.body["items"]]
    return reply


@_of_promotion
def _ranking(call: Call, promotion_id: str) -> Reply:
    """The best first; the cursor counts the entries before it. Promotions that are no game have none."""
    ranking = call.tables["rankings"].get(promotion_id, [])
    reply = _paged(
        call, [{"before": before, "entry": entry} for before, entry in enumerate(ranking, 1)], "before"
    )
    if reply.status < 400:  # noqa: PLR2004
        reply.body["items"] = [row["entry"] for row in reply.body["items"]]
    return reply


def full_participations(tables: Any, promotion_id: str) -> Rows:
    """The participations of a promotion as `format=full` has them."""
    users = {str(row["id"]): row for row in tables["users"].get(promotion_id, [])}
    prizes = {
        str(row["participation_id"]): {name: value for name, value in row.items() if name != "user"}
        for row in tables["prizes"].get(promotion_id, [])
    }
    requirements = tables["requirements"].get(promotion_id, {})
    return [
        {
            **row,
            "requirement": requirements.get(str(row["id"])),
            "user": users.get(str(row["user_id"])),
            "prize": prizes.get(str(row["id"])),
        }
        for row in tables["participations"].get(promotion_id, [])
    ]


_ROUTES = {
    "/promotions": _promotions,
    "/promotions/{promotion_id}": _promotion,
    "/organizing_brands": _organizing_brands,
    "/stages/{promotion_id}": _stages,
    "/users/{promotion_id}": _users,
    "/participations/{promotion_id}": _participations,
    "/promotions/{promotion_id}/registration_fields": _registration_fields,
    "/prizes/{promotion_id}": _prizes,
    "/prizes/inventory/{promotion_id}": _prize_inventory,
    "/pos/{promotion_id}": _points_of_sale,
    "/coin_transactions/{promotion_id}": _coin_transactions,
    "/ranking/{promotion_id}": _ranking,
}

API = Api(
    name="promotions",
    generate=generate,
    routes={f"/v2{path}": handler for path, handler in _ROUTES.items()},
    authorized=_authorized,
    error=_error,
)
