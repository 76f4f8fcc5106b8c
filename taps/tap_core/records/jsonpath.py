"""The few JSONPath steps that envelopes need, walked over undecoded JSON.

Records stay `msgspec.Raw`, slices of the response body, until the codec decodes each into its own
type: the envelope is never built as Python objects.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import re
from contextlib import suppress
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_OBJECT = msgspec.json.Decoder(dict[str, Raw])
_ARRAY = msgspec.json.Decoder(list[Raw])
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_VALUE = msgspec.json.Decoder(float_hook=Decimal)
_CHUNK = 1 << 15
"""Bytes that are looked at together: few, as the text of a megabyte takes four times as long to be had."""

_DEEPEST = 100
MOST_DIGITS = 4300
"""Python's own limit for an integer as text."""
_NOWHERE = (False, None)
_TOKENS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)
"""Texts and brackets. A text that is cut off goes to the end: else each quote in it would be tried as one's
beginning.
"""

Place = tuple[bool, Any]
"""Whether anything stands in a place, and what: its members or items undecoded, or its value."""


@lru_cache
def steps(path: str) -> tuple[str, ...]:
    """`$.data[*].items[*]` as its steps: `data`, `*`, `items`, `*`."""
    steps = re.findall(r"\.([^.\[\]]+)|\[(\*|\d+)\]", path)
    return tuple(name or index for name, index in steps)


def parse(body: bytes) -> Any:
    """The document of a response body, undecoded where possible.

    Returns:
        An object or array of `Raw` members; decoded through and through when the document holds lone
        surrogates, which only the standard library's parser accepts.

    Raises:
        ValueError: The body is not JSON, or not UTF-8.
    """
    body = body.removeprefix(codecs.BOM_UTF8).strip()
    if not body.isascii() and place_of_no_utf8(body) is not None:
        msg = "not UTF-8"
        raise ValueError(msg)
    try:
        return _ARRAY.decode(body) if body[:1] == b"[" else _OBJECT.decode(body)
    except RecursionError:
        return parse(_shallow(body))
    except msgspec.DecodeError:
        return _loads(body)


def place_of_no_utf8(body: bytes) -> int | None:
    """Where the first character begins that is no UTF-8; None if all are."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    view, end = memoryview(body), 0
    try:
        while end < len(body):
            start, end = end, min(end + _CHUNK, len(body))
            decoder.decode(view[start:end])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:  # of what was left of the chunk before, and this one
        return end - len(error.object) + error.start
    return None


def _loads(body: bytes) -> Any:
    """The value of a JSON text that `msgspec` can't read: half a character, thousands of digits."""
    try:
        return json.loads(body, parse_float=_exact, parse_int=_whole, parse_constant=_no_constant)
    except RecursionError:
        return _loads(_shallow(body))


def _no_constant(name: str) -> Any:
    msg = f"{name} is not JSON"
    raise ValueError(msg)


def _exact(text: str) -> Decimal | str:
    """A number with a fraction or exponent; as text if no computer has room for its exponent."""
    try:
        return Decimal(text)
    except ArithmeticError:
        return text


def _whole(text: str) -> int | Decimal:
    """A whole number; Python limits the digits of integers, but not those of decimals."""
    return int(text) if len(text.lstrip("-")) <= MOST_DIGITS else Decimal(text)


def _shallow(body: bytes) -> bytes:
    """JSON with what is nested more than a hundred levels deep as text, which parsers are sure to read."""
    parts, done, start, depth = [], 0, 0, 0
    for token in _TOKENS.finditer(body):
        if token[0] in b"[{":
            depth += 1
            if depth == _DEEPEST + 1:
                start = token.start()
        elif token[0] in b"]}":
            depth -= 1
            if depth == _DEEPEST:
                parts += [body[done:start], json.dumps(body[start : token.end()].decode()).encode()]
                done = token.end()
    if depth:
        msg = "brackets do not match"
        raise ValueError(msg)
    return b"".join((*parts, body[done:]))


def decode(node: Any) -> Any:
    """The Python value of a node; numbers with a fraction or exponent are exact `Decimal`."""
    if not isinstance(node, Raw):
        return node
    try:
        return _VALUE.decode(node)
    except (msgspec.DecodeError, ArithmeticError, RecursionError):
        return _loads(bytes(node))


def find(document: Any, path: str) -> list[Any]:
    """All nodes at `path`, undecoded; none where a step of it is missing or null.

    `[*]` on a lone object means that object: some servers unwrap lists of one.
    """
    return find_in_places(document, path)[0]


def place(document: Any, path: str) -> Place:
    """What stands where a path's first `[*]` begins, one level opened, and whether anything does."""
    return find_in_places(document, path)[1][0]


def find_in_places(document: Any, path: str) -> tuple[list[Any], list[Place]]:
    """All nodes at `path`, and what stands wherever a `[*]` of it begins: for one without, at its end."""
    nodes, stood, names = [document], list[Place](), steps(path)
    for step in names:
        if step == "*":
            nodes = [found for node in nodes for found in _items(node, stood)]
        else:
            found = [_member(node, step) for node in nodes]
            stood += [_NOWHERE for nothing in found if not nothing]
            nodes = [node for some in found for node in some]
    if "*" not in names:
        for node in nodes:
            _items(node, stood)
    return nodes, stood


def members_reader(members: type) -> Callable[[Any], Any]:
    """A function that gives the value of a node: of an object only the members that a TypedDict names.

    That is quicker than all of it. What can't be read so is decoded whole.
    """
    read: Callable[[Any], Any] = msgspec.json.Decoder(members, float_hook=Decimal).decode

    def value_of(node: Any) -> Any:
        if isinstance(node, Raw):
            try:  # `suppress` takes as long as the reading
                return read(node)
            except (msgspec.DecodeError, UnicodeError, ArithmeticError, RecursionError):
                pass
        return decode(node)

    return value_of


def unwrap(elements: Sequence[Any], name: str) -> list[Any]:
    """What each element holds under a name, undecoded; the element itself where it holds nothing there.

    What an element has beside it, it gets as a member `beside_` and the name, as `beside_customer`.
    """
    try:
        return [element.value for element in map(_holder(name, alone=True), elements)]
    except (msgspec.DecodeError, TypeError, RecursionError):
        return [_unwrapped(element, name) for element in elements]


def _unwrapped(element: Any, name: str) -> Any:
    if isinstance(element, Raw):  # to look for one member takes a third of what opening it does
        with suppress(msgspec.DecodeError, RecursionError):
            if _holder(name, alone=False)(element).value is UNSET:
                return element
    members = open_node(element)
    if not isinstance(members, dict) or name not in members:
        return element
    beside = {other: value for other, value in members.items() if other != name}
    return with_members(members[name], {f"beside_{name}": beside} if beside else {})


@lru_cache
def _holder(name: str, *, alone: bool) -> Callable[[Any], Any]:
    """A decoder of objects of which one member counts, whatever is beside it if that need not be `alone`."""
    fields: list[Any] = [("value", Raw) if alone else ("value", Raw | UnsetType, UNSET)]
    struct = msgspec.defstruct("Holder", fields, rename={"value": name}, forbid_unknown_fields=alone)
    return msgspec.json.Decoder(struct).decode


def first(document: Any, path: str) -> Any:
    """The decoded value of the first node at `path`, or None."""
    nodes = find(document, path)
    return decode(nodes[0]) if nodes else None


def open_node(node: Any) -> Any:
    """One level of a node: its members or items, themselves undecoded."""
    if not isinstance(node, Raw):
        return node
    match bytes(memoryview(node)[:1]):
        case b"{":
            return _OBJECT.decode(node)
        case b"[":
            return _ARRAY.decode(node)
    return None


def is_object(node: Any) -> bool:
    """Whether a value is an object."""
    return isinstance(node, dict) or (isinstance(node, Raw) and bytes(memoryview(node)[:1]) == b"{")


def digest(node: Any) -> str:
    """What tells a node apart by all of its content, and shows nothing of that, as it can get into STATE."""
    try:
        content = repr(decode(node)).encode(errors="surrogatepass")
    except (ValueError, RecursionError):
        content = bytes(node) if isinstance(node, Raw) else str(id(node)).encode()
    return hashlib.sha256(content).hexdigest()


def with_members(node: Any, members: Mapping[str, Any]) -> Any:
    """An object with some members added, or put in the place of its own; undecoded if it was."""
    if not members:
        return node
    if not isinstance(node, Raw):
        return {**node, **members} if isinstance(node, dict) else node
    text = bytes(node).strip()
    if text[:1] != b"{":
        return node
    begun = text[:-1].rstrip()
    return Raw(b"%b%b%b" % (begun, b"," if len(begun) > 1 else b"", _ENCODER.encode(members)[1:]))


def renamed(node: Any, name: str, new: str) -> Any:
    """An object with a member under another name, in the place of what is there; undecoded if it was."""
    members = {**open_node(node)}
    members[new] = members.pop(name)
    return Raw(_ENCODER.encode(members)) if isinstance(node, Raw) else members


def _items(node: Any, stood: list[Place]) -> list[Any]:
    inside = open_node(node)
    stood.append((True, decode(node) if inside is None else inside))
    return inside if isinstance(inside, list) else [] if inside is None else [node]


def _member(node: Any, step: str) -> list[Any]:
    inside = open_node(node)
    if isinstance(inside, list):
        return inside[int(step) :][:1] if step.isdigit() else []
    return [inside[step]] if isinstance(inside, dict) and step in inside else []
