"""What is worth seeing of each tap: a few figures and charts, each with the query that it is made from.

A query runs in the schema that the tap was loaded into, and reads no name or address of a person.
Texts are cast with TRY_CAST: a vendor's odd value is left out of a picture, and does not prevent it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pictures import charts

if TYPE_CHECKING:
    from pictures.charts import Draw


class Figure(NamedTuple):
    """A number worth knowing; a second column of the answer is its unit."""

    label: str
    query: str


class Chart(NamedTuple):
    """A picture of a query's rows."""

    title: str
    note: str
    draw: Draw
    query: str


class Domain(NamedTuple):
    """What one tap reads."""

    title: str
    schemas: tuple[str, ...]
    """Where the tap and its vendor preset are loaded."""
    made_up: str
    """Finds rows of the sandbox's: its links lead to hosts under .example, which nobody can own."""
    figures: tuple[Figure, ...]
    charts: tuple[Chart, ...]


EVENTS = Domain(
    "Events",
    ("tap_events", "tap_eventzilla"),
    "SELECT count(*) FROM events WHERE url LIKE 'https://events.example/%'",
    (
        Figure("events", "SELECT count(*) FROM events"),
        Figure("tickets sold", "SELECT sum(tickets_sold) FROM events"),
        Figure("orders", "SELECT count(*) FROM transactions"),
    ),
    (
        Chart(
            "Tickets sold per event",
            "The 15 events that sold most",
            charts.ranking,
            """
            SELECT coalesce(title, 'Event ' || id), tickets_sold FROM events
            WHERE tickets_sold > 0 ORDER BY tickets_sold DESC, id LIMIT 15
            """,
        ),
        Chart(
            "Orders per week",
            "By the day of the order, as the account's clock had it",
            charts.weeks,
            """
            SELECT date_trunc('week', TRY_CAST(transaction_date AS TIMESTAMP))::DATE AS week,
              lower(coalesce(transaction_status, 'no status')) AS status, count(*), NULL
            FROM transactions WHERE week IS NOT NULL GROUP BY ALL ORDER BY ALL
            """,
        ),
        Chart(
            "Orders by way of payment",
            "All orders, cancelled and refunded ones included",
            charts.ranking,
            """
            SELECT coalesce(payment_type, 'Not told') AS payment, count(*) AS orders
            FROM transactions GROUP BY payment ORDER BY orders DESC, payment LIMIT 7
            """,
        ),
    ),
)

SCHEDULING = Domain(
    "Scheduling",
    ("tap_scheduling", "tap_calcom"),
    "SELECT count(*) FROM bookings WHERE location LIKE 'https://app.example/%'",
    (
        Figure("bookings", "SELECT count(*) FROM bookings"),
        Figure("kinds of meeting", "SELECT count(*) FROM event_types"),
        Figure(
            "hours accepted",
            "SELECT round(sum(duration) FILTER (status = 'accepted') / 60)::HUGEINT FROM bookings",
        ),
    ),
    (
        Chart(
            "Bookings per week",
            "By the day of the meeting, UTC",
            charts.weeks,
            """
            SELECT date_trunc('week', "start")::DATE AS week, coalesce(status, 'no status') AS status,
              count(*), NULL
            FROM bookings WHERE week IS NOT NULL GROUP BY ALL ORDER BY ALL
            """,
        ),
        Chart(
            "Bookings by status",
            "All bookings, as they were when they were last read",
            charts.ranking,
            """
            SELECT coalesce(status, 'no status') AS status, count(*) AS bookings
            FROM bookings GROUP BY status ORDER BY bookings DESC, status LIMIT 15
            """,
        ),
    ),
)

PROMOTIONS = Domain(
    "Promotions",
    ("tap_promotions", "tap_easypromos"),
    "SELECT count(*) FROM promotions WHERE url LIKE 'https://promo.example/%'",
    (
        Figure("promotions", "SELECT count(*) FROM promotions"),
        Figure("users", "SELECT count(*) FROM users"),
        Figure("participations", "SELECT count(*) FROM participations"),
        Figure("prizes", "SELECT count(*) FROM prizes"),
    ),
    (
        Chart(
            "Participations per promotion",
            "The 15 promotions that most took part in",
            charts.ranking,
            """
            SELECT coalesce(any_value(p.title), 'Promotion ' || x.promotion_id), count(*) AS times
            FROM participations x LEFT JOIN promotions p ON p.id = x.promotion_id
            GROUP BY x.promotion_id ORDER BY times DESC, x.promotion_id LIMIT 15
            """,
        ),
        Chart(
            "Users over time",
            "Registered in all promotions up to a day",
            charts.growth,
            """
            SELECT created::DATE AS day, sum(count(*)) OVER (ORDER BY day)::BIGINT, NULL
            FROM users WHERE day IS NOT NULL GROUP BY day ORDER BY day
            """,
        ),
        Chart(
            "Participations per week",
            "By the day somebody took part, UTC",
            charts.weeks,
            """
            SELECT date_trunc('week', created)::DATE AS week, 'participations', count(*), NULL
            FROM participations WHERE week IS NOT NULL GROUP BY week ORDER BY week
            """,
        ),
    ),
)

BILLING = Domain(
    "Billing",
    ("tap_billing", "tap_maxio"),
    "SELECT count(*) FROM invoices WHERE public_url LIKE 'https://acme.example/%'",
    (
        Figure("active subscriptions", "SELECT count(*) FROM subscriptions WHERE state = 'active'"),
        Figure("invoices", "SELECT count(*) FROM invoices"),
        Figure(
            "paid by invoices",
            """
            SELECT sum(TRY_CAST(paid_amount AS DECIMAL(38, 8)))::DECIMAL(38, 2), currency
            FROM invoices GROUP BY currency ORDER BY count(*) DESC, currency LIMIT 1
            """,
        ),
        Figure("customers", "SELECT count(*) FROM customers"),
    ),
    (
        Chart(
            "Revenue per month",
            "Invoices by day of issue, drafts and voided ones left out; in the currency of most",
            charts.months,
            """
            SELECT date_trunc('month', TRY_CAST(issue_date AS DATE))::DATE AS month,
              CASE WHEN status = 'paid' THEN 'paid' ELSE 'not yet paid' END AS status,
              coalesce(sum(TRY_CAST(total_amount AS DECIMAL(38, 8))), 0)::DECIMAL(38, 2), currency
            FROM invoices WHERE status NOT IN ('draft', 'voided', 'canceled') AND month IS NOT NULL
              AND currency IS NOT DISTINCT FROM (
                SELECT currency FROM invoices GROUP BY currency ORDER BY count(*) DESC, currency LIMIT 1
              )
            GROUP BY ALL ORDER BY ALL
            """,
        ),
        Chart(
            "Subscriptions by state",
            "All subscriptions, as they were when they were last read",
            charts.ranking,
            """
            SELECT replace(coalesce(state, 'no state'), '_', ' ') AS name, count(*) AS subscriptions
            FROM subscriptions GROUP BY name ORDER BY subscriptions DESC, name LIMIT 15
            """,
        ),
    ),
)

REWARDS = Domain(
    "Rewards",
    ("tap_rewards", "tap_tremendous"),
    "SELECT count(*) FROM products WHERE images::VARCHAR LIKE '%https://img.example/%'",
    (
        Figure("rewards", "SELECT count(*) FROM rewards"),
        Figure("orders", "SELECT count(*) FROM orders"),
        Figure("campaigns", "SELECT count(*) FROM campaigns"),
        Figure(
            "last balance known",
            """
            SELECT balance::DECIMAL(38, 2), currency_code FROM balance_transactions
            WHERE balance IS NOT NULL ORDER BY created_at DESC, _sdc_key LIMIT 1
            """,
        ),
    ),
    (
        Chart(
            "Rewards per campaign",
            "The 15 campaigns with most; a reward has the campaign of its order",
            charts.ranking,
            """
            SELECT coalesce(any_value(c.name), o.campaign_id, 'No campaign'), count(*) AS rewards
            FROM rewards r
              LEFT JOIN orders o ON o.id = r.order_id
              LEFT JOIN campaigns c ON c.id = o.campaign_id
            GROUP BY o.campaign_id ORDER BY rewards DESC, o.campaign_id LIMIT 15
            """,
        ),
        Chart(
            "Balance over time",
            "The ledger's last known balance of each day, UTC",
            charts.level,
            """
            SELECT created_at::DATE AS day,
              last(balance::DECIMAL(38, 2) ORDER BY created_at, _sdc_key),
              last(currency_code ORDER BY created_at, _sdc_key)
            FROM balance_transactions WHERE balance IS NOT NULL AND day IS NOT NULL GROUP BY day ORDER BY day
            """,
        ),
        Chart(
            "Rewards by delivery",
            "All rewards, as they were when they were last read",
            charts.ranking,
            """
            SELECT lower(coalesce(delivery->>'status', 'not told')) AS status, count(*) AS rewards
            FROM rewards GROUP BY status ORDER BY rewards DESC, status LIMIT 7
            """,
        ),
    ),
)

DOMAINS = (EVENTS, SCHEDULING, PROMOTIONS, BILLING, REWARDS)
