"""The configuration of the document on promotions.

Changes, beside how a child finds its promotion:

1. Ids are numbers in some answers and strings in others. dlt would put them into two columns, one of them
   null, and refuse a key that is null: it is told that they are texts.
2. Entries of a ranking have no `id`, or have the user's in its place: their key is the promotion and the
   user, wherever the entry has the user.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oracle.documents import Document, child_of
from tap_promotions.tap import TapPromotions

if TYPE_CHECKING:
    from oracle.documents import Row

CURSOR = {"type": "cursor", "cursor_param": "next_cursor", "cursor_path": "paging.next_cursor"}
TEXT = {"data_type": "text"}  # 1


def resource(name: str, path: str, **endpoint: object) -> dict[str, object]:
    """All resources of the document are alike but for these."""
    return {
        "name": name,
        "columns": {"id": TEXT},  # 1
        "endpoint": {"path": path, "data_selector": "items", "paginator": CURSOR, **endpoint},
    }


def child(name: str, path: str) -> dict[str, object]:
    """A resource of each promotion."""
    return {
        **resource(name, path, params=child_of("promotions", "promotion_id")),
        "include_from_parent": ["id"],
    }


def with_user_id(row: Row) -> Row:
    """An entry of a ranking with the user's id as a field of its own."""
    if "user_id" in row:
        return row
    return {**row, "user_id": row["user"]["id"] if "user" in row else row["id"]}


def points(row: Row) -> Row:
    """Points can be called a score."""
    return {("points" if name == "score" else name): value for name, value in row.items()}


def without_links(row: Row) -> Row:
    """The tap does not pass on links that redeem a prize."""
    return {name: value for name, value in row.items() if name not in {"download_url", "redeem_url"}}


DOCUMENT = Document(
    tap=TapPromotions,
    settings={"api_url": "/promotions/v2", "requests_per_minute": 100_000},
    client={"base_url": "/promotions/v2", "auth": {"type": "bearer", "token": "sandbox-key"}},
    resources=[
        resource("promotions", "/promotions"),
        resource("organizing_brands", "/organizing_brands"),
        child("stages", "/stages/{promotion_id}"),
        child("users", "/users/{promotion_id}"),
        child("participations", "/participations/{promotion_id}"),
        child("prizes", "/prizes/{promotion_id}"),
        {
            **child("rankings", "/ranking/{promotion_id}"),
            "primary_key": ["_promotions_id", "user_id"],  # 2
            "columns": {"_promotions_id": TEXT, "user_id": TEXT},  # 1
            "processing_steps": [{"map": with_user_id}],  # 2
        },
    ],
    parents={
        stream: {"_promotions_id": "promotion_id"}
        for stream in ("stages", "users", "participations", "prizes", "rankings")
    },
    mend={"prizes": without_links, "rankings": points},
)
