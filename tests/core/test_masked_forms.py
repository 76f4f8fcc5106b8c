"""A secret is masked in a log whatever form it has there."""

from __future__ import annotations

import base64
import io
import json
import logging
import re
from urllib.parse import quote, quote_plus, unquote

import pytest

import in_process
import two_taps
from canary import CANARY, FORMS, assert_silent, masks_put_back
from json_api import JsonApi
from support import run
from tap_billing.tap import TapBilling
from tap_core import redaction
from tap_core.errors import ApiError
from tap_events.tap import TapEvents
from tap_promotions.tap import TapPromotions
from tap_rewards.tap import TapRewards


@pytest.mark.parametrize("tap", [TapBilling, TapEvents])
@pytest.mark.parametrize(
    "root",
    [
        "nope://me:p/q-CANARY@h/x",
        "ftp://me:a#b-CANARY@127.0.0.1:1/",
        "ftp://me:pa@ss-CANARY@127.0.0.1:1/x",
        "s3://AKIA:se/cret-CANARY@bucket/x",
        "file:///proc/nope?sv=1&sig=CANARY",
        "https://h.invalid/c?sig=CAN%41RY",
    ],
)
def test_a_secret_in_the_storage_of_batches(tmp_path, log, tap, root):
    batches = {"encoding": {"format": "jsonl"}, "storage": {"root": root}}
    with two_taps.billing() if tap is TapBilling else two_taps.events() as api:
        output = in_process.call(tap, tmp_path, url=api.url, batch_config=batches)
    assert output.code
    scheme = root.partition("://")[0]
    assert f"batch_config.storage.root: {scheme}://" in output.log or scheme == "file"
    assert "(secret)" in output.log
    assert not re.search("CANARY|CAN%41RY", output.log)


@pytest.fixture
def log():
    """The lines that a new logger writes after `redact_logs`; what it set is put back."""
    with masks_put_back():
        redaction.redact_logs([CANARY])
        stream = io.StringIO()
        logger = logging.getLogger(f"new.{id(stream)}")
        logger.addHandler(logging.StreamHandler(stream))
        logger.text = stream.getvalue
        yield logger


def test_J06_no_part_of_a_record_holds_a_key(log):
    records = []
    log.addFilter(lambda record: records.append(record) or True)
    log.warning("as it is: %s; as %r", CANARY, CANARY)
    text = f"in the text: {CANARY}"
    log.warning(text)
    log.warning("named: %(key)s", {"key": CANARY})
    log.warning(ValueError(f"a failure: {CANARY}"))
    log.warning("in a list: %s", [CANARY, 1])
    try:
        int(CANARY)
    except ValueError:
        try:
            {}["outer"]
        except KeyError:
            log.exception("told: %s", CANARY, stack_info=True)
    assert_silent(log.text())
    assert "KeyError: 'outer'" in log.text()
    for record in records:
        assert CANARY not in repr(vars(record))


def escaped(pattern):
    """The key with all but its letters and digits escaped."""
    return "".join(letter if letter.isalnum() else pattern.format(ord(letter)) for letter in CANARY)


FOLDED = (
    *(f"{CANARY[:9]}{fold}{CANARY[9:]}" for fold in ("\n", "\r\n ", "\\n", "\\r\\n\t")),
    *(escaped(f"{slashes}u{{:04X}}") for slashes in ("\\", "\\\\")),
    *(escaped("&#{};"), escaped("&amp;#x{:04X};"), escaped("\\x{:02x}")),
    "".join(f"\\u{ord(letter):04x}" for letter in CANARY),
    "".join(f"&#{ord(letter)};" for letter in CANARY),
    *(quote(quote(CANARY, safe=""), safe=""), quote(quote(quote(CANARY), safe=""), safe="")),
    *(CANARY.encode().hex(mark) for mark in ": -"),
    "\0".join(CANARY),
)
"""What a program makes of a key that it puts into a text, or twice."""

AROUND = ("Bearer {}", "x-api-key: {}", "x:{}", "api:{}", '{{"k": "{}"}}', " {} ")


@pytest.mark.parametrize("form", FOLDED)
def test_a_key_with_its_letters_escaped_or_broken_over_lines(log, form):
    log.warning("bad %s!", form)
    assert log.text() == "bad (secret)!\n"
    assert redaction.redacted(f"more\n{form}\nmore") == "more\n(secret)\nmore"


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("coding", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode, base64.encodebytes])
@pytest.mark.usefixtures("log")
def test_a_key_in_base64_whatever_is_around_it(around, coding, encode):
    form = encode(around.format(CANARY).encode(coding)).decode()
    rest = len(encode(around.format("").encode(coding)).decode())
    for text in (form, quote(form, safe="")):
        masked = redaction.redacted(text)
        assert "(secret)" in masked
        assert len(unquote(masked).replace("(secret)", "")) <= rest + 4


@pytest.mark.parametrize("name", ["billing", "events"])
def test_a_key_that_an_api_sends_back_in_disguise(name):
    tap = {"billing": TapBilling, "events": TapEvents}[name]
    for form in (*FOLDED, base64.b64encode(f"Bearer {CANARY}".encode()).decode()):
        body = json.dumps({"message": f"bad {form}", "errors": [f"bad {form}"]}).encode()
        with JsonApi(lambda *_, body=body: (400, body)) as server:
            config = {"api_url": server.url, "api_key": CANARY, "max_retries": 0}
            with pytest.raises(ApiError, match=r"\(secret\)"):
                run(tap, config)


@pytest.mark.parametrize(
    "text",
    [
        "\\" * 10**6,
        "%" + "25" * 10**6,
        "&amp;" * 10**5,
        "\n" * 10**6,
        f"{CANARY[:-1]}\\n" * 10**4,
        "&#0" * 10**5,
    ],
)
@pytest.mark.usefixtures("log")
def test_a_long_text_is_masked_in_its_time(text):
    """What would take the square of its length takes hours."""
    assert redaction.redacted(f"{text} {CANARY}").endswith(" (secret)")


@pytest.mark.parametrize(
    "form",
    [
        *FORMS,
        CANARY.upper(),
        CANARY.encode().hex(),
        CANARY.encode().hex().upper(),
        "".join(f"%{byte:02X}" for byte in CANARY.encode()),
        quote(CANARY, safe="").lower(),
        quote_plus(CANARY),
        json.dumps(CANARY),
        base64.b64encode(f":{CANARY}".encode()).decode(),
        "http://:hidden@host/",
        "https://user:hidden@host/",
    ],
)
def test_E01_E03_every_way_to_write_a_secret_is_masked(log, form):
    log.warning("bad %s", form)
    text = log.text().lower()
    assert "(secret)" in text
    assert "hidden" not in text
    assert form.lower() not in text


def test_E02_what_comes_from_outside_stays_on_its_line(log):
    log.warning("The API says: %s", "a\nforged \x1b[31mline\u2028 \x9b")
    assert log.text() == "The API says: a\\nforged \\x1b[31mline\\u2028 \\x9b\n"
    log.warning("two lines\nof our own")
    assert log.text().endswith("two lines\nof our own\n")


@pytest.mark.parametrize("name", ["billing", "events"])
def test_E02_a_message_of_the_api_forges_no_line(api, name):
    said = "bad\n2026 | ERROR | forged \x1b[31m"
    body = json.dumps({"message": said, "errors": [said]})
    api.fault("raw_body", path=f"/{name}/", body=body, status=422)
    tap = {"billing": TapBilling, "events": TapEvents}[name]
    with pytest.raises(ApiError) as failure:
        run(tap, {"api_url": f"{api.url}/{name}", "api_key": "sandbox-key", "max_retries": 0})
    assert r"bad\n2026 | ERROR | forged \x1b[31m" in str(failure.value)


MAIL = "roberta.fernandez-castellanos.de.la.vega.y.ruiz@example.com"
MANGLED = {
    "filters": ({"filters": {MAIL: {}}}, {}),
    "a parameter": ({"filters": {"orders": {MAIL: "x"}}}, {}),
    "an expression": ({"stream_maps": {"orders": {"x": f"'{'-' * 45}{MAIL}"}}}, {}),
    "a bookmark": ({}, {"orders": {"replication_key": "created_at", "replication_key_value": MAIL}}),
    "a stream in STATE": ({}, {MAIL: {"replication_key": "x"}}),
}


@pytest.mark.parametrize("place", MANGLED)
def test_E_an_address_that_is_cut_is_masked_first(tmp_path, place):
    config, bookmarks = MANGLED[place]
    catalog, state = in_process.select(TapRewards, "orders"), {"bookmarks": bookmarks}
    output = in_process.call(TapRewards, tmp_path, catalog=catalog, state=state, **config)
    assert "(e-mail)" in output.log
    assert "roberta" not in output.log


PHONES = ["+44 20 7946 0958", "+442079460958", "+1 (202) 555-0143", "+33 6.12.34.56.78", "%2b14155552671"]
PHONES += ["+1\N{NO-BREAK SPACE}415\N{NO-BREAK SPACE}555\N{NO-BREAK SPACE}2671"]


@pytest.mark.parametrize("tap", [TapRewards, TapPromotions])
@pytest.mark.parametrize("number", PHONES)
def test_E_a_number_to_call_in_a_message_is_masked(tmp_path, tap, number):
    stream = {TapRewards: "orders", TapPromotions: "promotions"}[tap]
    with JsonApi(
        lambda path, query: (422, {"message": f"phone {number} is not valid, at 10:00+02:00, 1.4.2+20261129"})
    ) as api:
        output = in_process.call(tap, tmp_path, url=api.url, catalog=in_process.select(tap, stream))
    assert output.code
    assert "phone (phone) is not valid, at 10:00+02:00, 1.4.2+20261129" in output.log


@pytest.mark.parametrize("tap", [TapRewards, TapPromotions])
def test_E_an_id_that_is_an_address_is_masked_before_it_is_cut(tmp_path, tap):
    parent, child = {
        TapRewards: ("connected_organizations", "connected_organization_members"),
        TapPromotions: ("promotions", "stages"),
    }[tap]

    def answer(path, query):
        if path.endswith(parent) and MAIL not in str(query):
            return {parent: [{"id": MAIL}], "items": [{"id": MAIL}], "total_count": 1}
        return 418, {}

    with JsonApi(answer) as api:
        catalog = in_process.select(tap, parent, child)
        output = in_process.call(tap, tmp_path, url=api.url, catalog=catalog)
    assert output.code
    assert f"{child} (e-mail)" in output.log
    assert "roberta" not in output.log
