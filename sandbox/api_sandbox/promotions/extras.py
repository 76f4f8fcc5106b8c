"""What promotions have beside their people: stock of prizes, coins, the form's fields, points of sale."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from api_sandbox.promotions.data import Account

EXTRAS = ("prize_inventory", "coin_transactions", "registration_fields", "points_of_sale")
"""Tables by the promotion's id as a string."""

_CHANGES = 230
"""Of the promotion that most take part in: more than two pages."""

_FEW_CHANGES = 4
_COIN = {"coin_id": "31", "coin_name": "Points"}


def add_extras(account: Account) -> None:
    """Fill these tables for all promotions of an account whose people have taken part."""
    tables = account.tables
    most = max(map(len, tables["participations"].values()), default=0)
    for promotion in tables["promotions"]:
        parent = str(promotion["id"])
        code = int if isinstance(promotion["id"], int) else str
        tables["prize_inventory"][parent] = _inventory(tables["prizes"][parent], code)
        tables["coin_transactions"][parent] = _coins(account, parent, code, most)
        tables["registration_fields"][parent] = [
            {
                "id": code("4471"),
                "title": "Postal code",
                "ref": "postalcode",
                "type": "text",
                "required": True,
            }
        ]
        tables["points_of_sale"][parent] = [
            {"id": code(str(900 + number)), "name": account.fake.place().city, "ref": f"S-0{number}"}
            for number in range(int(parent) % 3)
        ]


def _inventory(prizes: list[dict[str, Any]], code: Any) -> list[dict[str, Any]]:
    """The kinds of prizes that were won, and one that nobody has won."""
    won = {str(prize["prize_type"]["id"]): prize["prize_type"] for prize in prizes if prize["prize_type"]}
    spare = {"id": code("70001"), "name": "Umbrella ☂️", "qty": code("3"), "given": None, "image": None}
    return [*won.values(), spare]


def _coins(account: Account, parent: str, code: Any, most: int) -> list[dict[str, Any]]:
    """Pairs of a change of a balance and the user, the oldest first."""
    users = {str(user["id"]): user for user in account.tables["users"][parent]}
    balances = dict.fromkeys(users, 0)
    pairs = []
    participations = account.tables["participations"][parent]
    for played in participations[: _CHANGES if len(participations) == most else _FEW_CHANGES]:
        user_id, amount = str(played["user_id"]), account.fake.rng.choice((5, 10, -5))
        balances[user_id] += amount
        change = {
            "id": code(account.new_id("coins")),
            "user_id": played["user_id"],
            "promotion_id": account.fake.rng.choice((code(parent), None)),
            **_COIN,
            "amount": account.fake.rng.choice((str(amount), amount)),
            "balance": account.fake.rng.choice((str(balances[user_id]), Decimal(balances[user_id]))),
            "created": played["created"],
            "transaction_type": code("1" if amount > 0 else "2"),
            "reason": account.fake.rng.choice(("Played the daily spin", "Spent in the shop", None)),
            "extra": None,
        }
        pairs.append({"transaction": change, "user": users[user_id]})
    return pairs
