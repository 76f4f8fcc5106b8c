"""The endpoints of the promotions API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from typing_extensions import override

from tap_core.records import jsonpath
from tap_core.records.keys import is_missing
from tap_promotions.client import OLDEST_FIRST, PromotionsStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import requests
    from singer_sdk.helpers.types import Context

    from tap_core import Page
    from tap_core.paging.page import Rows
    from tap_core.paging.paginator import Query


class Promotions(PromotionsStream):
    """One row per promotion, whatever its status: draft, active or expired."""

    name = "promotions"
    path = "/promotions"
    filters = ("status",)
    params = OLDEST_FIRST
    child_keys = {"promotion_id": "id"}
    ends_at = ("end_date",)
    made_at = "created"


class OrganizingBrands(PromotionsStream):
    """One row per brand that promotions are organized by."""

    name = "organizing_brands"
    path = "/organizing_brands"
    params = OLDEST_FIRST


class Stages(PromotionsStream):
    """One row per stage of a promotion: a quiz, a game, a form."""

    name = "stages"
    path = "/stages/{promotion_id}"
    primary_keys = ("promotion_id", "id")
    parent_stream_type = Promotions


class Users(PromotionsStream):
    """One row per participant of a promotion; a person in two promotions has two rows."""

    name = "users"
    path = "/users/{promotion_id}"
    primary_keys = ("promotion_id", "id")
    params = OLDEST_FIRST
    parent_stream_type = Promotions


class Participations(PromotionsStream):
    """One row per time that a user took part in a stage.

    `user`, `prize` and `requirement` are filled only with the setting `full_participations`.
    """

    name = "participations"
    path = "/participations/{promotion_id}"
    primary_keys = ("promotion_id", "id")
    params = OLDEST_FIRST
    parent_stream_type = Promotions

    @override
    def get_url_params(self, context: Context | None, next_page_token: Query | None) -> dict[str, Any]:
        """Flat rows, or with all that belongs to them, as the settings say."""
        form = {"format": "full"} if self.config["full_participations"] else {}
        return {**super().get_url_params(context, next_page_token), **form}


class Prizes(PromotionsStream):
    """One row per prize that a user was given; `prize_type.qty` is the stock that there was at first."""

    name = "prizes"
    path = "/prizes/{promotion_id}"
    primary_keys = ("promotion_id", "id")
    parent_stream_type = Promotions


class PrizeInventory(PromotionsStream):
    """One row per kind of prize of a promotion, with its stock; also of those that nobody has won.

    The API's reference does not show an answer: the fields are those of `prizes.prize_type`.
    """

    name = "prize_inventory"
    path = "/prizes/inventory/{promotion_id}"
    primary_keys = ("promotion_id", "id")
    parent_stream_type = Promotions
    may_be_missing = True


class Rankings(PromotionsStream):
    """One row per user in the ranking of a promotion, best first, as it stands when it is read.

    Only games with points or time have one. `position` is the place in the list where the API sends none.
    """

    name = "rankings"
    path = "/ranking/{promotion_id}"
    primary_keys = ("promotion_id", "user_id")
    parent_stream_type = Promotions
    may_be_missing = True

    @override
    def transform_pages(self, pages: Iterable[Rows]) -> Iterator[Rows]:
        """The pages, each entry with its position and its user's id."""
        place = 0
        for rows in pages:
            yield rows._replace(
                raws=[_placed(entry, place) for place, entry in enumerate(rows.raws, place + 1)]
            )
            place += len(rows.raws)


class CoinTransactions(PromotionsStream):
    """One row per change of a user's balance of coins, as points and the like are called.

    `user` is who had the balance, as the API sends it beside the change.
    """

    name = "coin_transactions"
    path = "/coin_transactions/{promotion_id}"  # `/coins/{promotion_id}` is a call that writes
    primary_keys = ("promotion_id", "id")
    params = OLDEST_FIRST
    parent_stream_type = Promotions
    may_be_missing = True

    @override
    def read_page(self, response: requests.Response) -> Page:
        """The changes, lifted out of the pairs `{"transaction": {…}, "user": {…}}` that they come in."""
        page = super().read_page(response)
        page.replace_records([_lifted(pair) for pair in page.records])
        return page


class RegistrationFields(PromotionsStream):
    """One row per field of a promotion's registration form: names of `users.custom_properties`.

    Unconfirmed: no answer of the API was seen, the fields are proposals, and others end up in
    `_sdc_unmapped`.
    """

    name = "registration_fields"
    path = "/promotions/{promotion_id}/registration_fields"
    primary_keys = ("promotion_id", "id")
    parent_stream_type = Promotions
    may_be_missing = True
    selected_by_default = False


class PointsOfSale(PromotionsStream):
    """One row per place where prizes of a promotion can be redeemed.

    Unconfirmed: no answer of the API was seen, the fields are proposals, and others end up in
    `_sdc_unmapped`.
    """

    name = "points_of_sale"
    path = "/pos/{promotion_id}"
    primary_keys = ("promotion_id", "id")
    parent_stream_type = Promotions
    may_be_missing = True
    selected_by_default = False


class _User(TypedDict, total=False):
    id: Any


class _Entry(TypedDict, total=False):
    position: Any
    user_id: Any
    id: Any
    user: _User | None
    points: Any
    score: Any


_entry = jsonpath.members_reader(_Entry)


def _placed(entry: Any, place: int) -> Any:
    """An entry of a ranking with its position, which is its place in the list if it says none.

    Its user's id can be inside of `user`, or be the entry's own; points can be called `score`.
    """
    fields = _entry(entry)
    if not isinstance(fields, dict):
        return entry
    if fields.get("points") is None and "score" in fields:
        entry = jsonpath.renamed(entry, "score", "points")
    members: dict[str, Any] = {}
    if fields.get("position") in (None, ""):
        members["position"] = place
    if fields.get("user_id") in (None, ""):
        user = fields.get("user")
        user_id = user.get("id") if isinstance(user, dict) else None
        members["user_id"] = fields.get("id") if user_id is None else user_id
    return jsonpath.with_members(entry, members)


def _lifted(pair: Any) -> Any:
    """What a pair says of a transaction, with the user beside it; a flat record as it is.

    Where both have a field, the row has the transaction's, but for the user; the other is kept beside it.
    """
    row = jsonpath.decode(pair)
    transaction = row.get("transaction") if isinstance(row, dict) else None
    if not isinstance(transaction, dict):
        return pair
    beside = {name: value for name, value in row.items() if name != "transaction"}
    lifted = {**transaction, **beside}
    for name in transaction.keys() & beside.keys():
        if not is_missing(transaction[name]) and (name != "user" or is_missing(beside[name])):
            lifted[name] = transaction[name]
    for place, fields in (("in_transaction", transaction), ("beside_transaction", beside)):
        others = {name: value for name, value in fields.items() if value != lifted[name]}
        others = {name: value for name, value in others.items() if not is_missing(value)}
        lifted |= {place: others} if others else {}
    return lifted
