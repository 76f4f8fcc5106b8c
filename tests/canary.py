"""A secret to be looked for in all that a tap says, in the ways that it can be written."""

from __future__ import annotations

import base64
import contextlib
import logging
from urllib.parse import quote

from tap_core import redaction

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


@contextlib.contextmanager
def masks_put_back():
    """What is masked in the logs of this process is afterwards what it was before."""
    factory, pattern, forms = logging.getLogRecordFactory(), redaction._pattern, set(redaction._forms)
    parts = {size: set(some) for size, some in redaction._parts.items()}
    yield
    logging.setLogRecordFactory(factory)
    redaction._pattern = pattern
    redaction._forms.clear()
    redaction._forms.update(forms)
    redaction._parts.clear()
    redaction._parts.update(parts)
