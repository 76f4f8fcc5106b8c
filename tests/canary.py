"""A secret to be looked for in all that a tap says, in the ways that it can be written."""

from __future__ import annotations

import base64
from urllib.parse import quote

CANARY = "canary/ key+91735="  # with letters that URLs write in another way
FORMS = (
    CANARY,
    quote(CANARY, safe=""),
    quote(CANARY),
    base64.b64encode(f"{CANARY}:x".encode()).decode(),
    base64.b64encode(CANARY.encode()).decode(),
    CANARY.replace("/", r"\/"),
    CANARY.replace("/", "&#47;").replace(" ", "&#32;").replace("+", "&#43;").replace("=", "&#61;"),
)


def assert_silent(text):
    assert text
    assert [form for form in FORMS if form in text] == []
