"""The endpoints of the promotions API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_promotions.client import OLDEST_FIRST, PromotionsStream

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record

    from tap_core.paging.paginator import Query


class Promotions(PromotionsStream):
    """One row per promotion, whatever its status: draft, active or expired."""

    name = "promotions"
    path = "/promotions"
    params = OLDEST_FIRST
    child_keys = {"promotion_id": "id"}


class OrganizingBrands(PromotionsStream):
    """One row per brand that promotions are organized by."""

    name = "organizing_brands"
    path = "/organizing_brands"
    params = OLDEST_FIRST


class Stages(PromotionsStream):
    """One row per stage of a promotion: a quiz, a game, a form."""

    name = "stages"
    path = "/stages/{promotion_id}"
    parent_stream_type = Promotions


class Users(PromotionsStream):
    """One row per participant of a promotion; a person in two promotions has two rows."""

    name = "users"
    path = "/users/{promotion_id}"
    params = OLDEST_FIRST
    parent_stream_type = Promotions


class Participations(PromotionsStream):
    """One row per time that a user took part in a stage.

    `user`, `prize` and `requirement` are filled only with the setting `full_participations`.
    """

    name = "participations"
    path = "/participations/{promotion_id}"
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
    parent_stream_type = Promotions


class Rankings(PromotionsStream):
    """One row per user in the ranking of a promotion, best first, as it stands when it is read.

    Only games with points or time have one.
    """

    name = "rankings"
    path = "/ranking/{promotion_id}"
    primary_keys = ("promotion_id", "user_id")
    parent_stream_type = Promotions
    may_be_missing = True
    mended = (*PromotionsStream.mended, "user_id", "id", "points", "score")

    @override
    def post_process(self, row: Record, context: Context | None = None) -> Record:
        """The user's id can be inside of `user`, or be the entry's own; points can be called `score`."""
        if row.get("user_id") in (None, ""):
            user = row.get("user")
            user_id = user.get("id") if isinstance(user, dict) else None
            row["user_id"] = row.pop("id", None) if user_id is None else user_id
        if row.get("points") is None and "score" in row:
            row["points"] = row.pop("score")
        return super().post_process(row, context)
