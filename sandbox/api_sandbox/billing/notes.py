"""What was billed besides invoices: credit notes, proforma invoices, and the statements of a legacy site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from api_sandbox.fake import Fake

Row = dict[str, Any]

_NONE = "0.0"


def notes(fake: Fake, tables: Row) -> Row:
    """The tables, made of a site's invoices and transactions."""
    invoices, payments = tables["invoices"], tables["transactions"]
    return {
        "credit_notes": [_credit_note(number, invoice) for number, invoice in enumerate(invoices[:12])],
        "proforma_invoices": {
            row["id"]: [_proforma(number, row) for number in range(1 + fake.rng.randrange(2))]
            for row in tables["subscriptions"][:20]
        },
        "statements": [_statement(number, payment) for number, payment in enumerate(payments[:40])],
        "legacy_invoices": [_legacy_invoice(number, row) for number, row in enumerate(payments[:210])],
    }


def _printed(invoice: Row) -> Row:
    addresses = ("billing_address", "shipping_address")
    return {name: invoice[name] for name in ("site_id", "customer_id", "currency", "seller", *addresses)}


def _credit_note(number: int, invoice: Row) -> Row:
    amount = invoice["total_amount"]
    line = {"uid": f"li_{number}", "title": "Seats", "quantity": "1.0", "total_amount": amount}
    return {
        "uid": f"cn_{number:06d}",
        **_printed(invoice),
        "subscription_id": invoice["subscription_id"],
        "number": str(number + 1),
        "sequence_number": number + 1,
        "issue_date": invoice["issue_date"],
        "applied_date": invoice["issue_date"] if number % 2 else None,
        "status": "applied" if number % 2 else "open",
        "memo": "Seat downgrade",
        "subtotal_amount": amount,
        "discount_amount": _NONE,
        "tax_amount": _NONE,
        "total_amount": amount,
        "applied_amount": amount if number % 2 else _NONE,
        "remaining_amount": _NONE if number % 2 else amount,
        "line_items": [line],
        "discounts": [],
        "taxes": [],
        "applications": [{"uid": f"cda_{number}", "invoice_uid": invoice["uid"], "applied_amount": amount}],
        "refunds": [],
        "origin_invoices": [{"uid": invoice["uid"], "number": invoice["number"]}],
    }


def _proforma(number: int, subscription: Row) -> Row:
    amount, customer = "149.0", subscription["customer"]
    return {
        "uid": f"pro_{subscription['id']}_{number}",
        "site_id": 61_204,
        "customer_id": customer["id"],
        "subscription_id": subscription["id"],
        "number": 77 + number,
        "sequence_number": 77 + number,
        "created_at": subscription["created_at"],
        "delivery_date": subscription["created_at"][:10],
        "status": "draft",
        "collection_method": "automatic",
        "payment_instructions": "",
        "currency": "USD",
        "consolidation_level": "none",
        "product_name": subscription["product"]["name"],
        "product_family_name": "Mapping",
        "role": "proforma_adhoc",
        "customer": {"chargify_id": customer["id"], "email": customer["email"]},
        "memo": "",
        "subtotal_amount": amount,
        "total_amount": amount,
        **dict.fromkeys(("discount_amount", "tax_amount", "credit_amount", "paid_amount"), _NONE),
        "due_amount": amount,
        "line_items": [{"uid": f"li_{number}", "title": "Plan", "quantity": "1.0", "total_amount": amount}],
        "discounts": [],
        "taxes": [],
        "credits": [],
        "payments": [],
        "custom_fields": [],
        "public_url": None,
    }


def _statement(number: int, payment: Row) -> Row:
    """What is listed in it comes bare or wrapped."""
    event = {"id": 4_471_002_119 + number, "key": "renewal_success", "message": "Successful renewal"}
    times = ("opened_at", "closed_at", "settled_at", "created_at", "updated_at")
    return {
        "id": 330_917_204 + number,
        "subscription_id": payment["subscription_id"],
        **dict.fromkeys(times, payment["created_at"]),
        "starting_balance_in_cents": 0,
        "ending_balance_in_cents": 0,
        "total_in_cents": payment["amount_in_cents"],
        "memo": "Thank you.",
        "customer_first_name": "Marit",
        "customer_last_name": "Solberg",
        "customer_billing_city": "Bodø",
        "future_payments": [],
        "transactions": [{"transaction": payment} if number % 2 else payment],
        "events": [{"event": event}],
        **({"text_view": "Thank you."} if number % 3 else {}),
    }


def _legacy_invoice(number: int, payment: Row) -> Row:
    return {
        "id": 9_100 + number,
        "number": 1 + number,
        "display_number": f"{1 + number}",
        "subscription_id": payment["subscription_id"],
        "statement_id": 330_917_204 + number,
        "site_id": 61_204,
        "state": "paid",
        "total_amount_in_cents": payment["amount_in_cents"],
        "amount_due_in_cents": 0,
        "paid_at": payment["created_at"],
        "created_at": payment["created_at"],
        "updated_at": payment["created_at"],
        "charges": [payment],
        "payments_and_credits": [],
    }
