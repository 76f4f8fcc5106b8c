"""Fields that never leave the tap: keys, tokens, and links that act for whoever opens them.

Some names say so in any API; a stream lists those of its own. No schema has them, so they come as fields
that it does not know: only these, and what is kept in `_sdc_unmapped` or in an object without a schema of its
own, are looked through. A text is not: JSON that is sent as a text can hold one.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from tap_core.records.told import Told
from tap_core.records.values import types_of

if TYPE_CHECKING:
    import logging
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from tap_core.records.values import Schema

    Path = tuple[str, ...]

ACTING = (
    *("*access_token", "*refresh_token", "*vault_token", "*private_key", "*api_key", "*secret", "*password"),
    *("*secret_key", "*auth_token", "*session_token", "*encrypted_key", "*service_account_key"),
    *("credential.key", "credential.token"),
    *("invite_url", "invite_link", "invite_token"),
)
"""Names of what acts for whoever has it, in any API."""

_MOST_PATHS = 256
_MOST_SHAPES = 1024


_SPACERS = str.maketrans("", "", " _-")


def _ending(names: Iterable[str]) -> re.Pattern[str]:
    """What a path without spacers matches that ends with one of these names."""
    patterns = (_glob(name.translate(_SPACERS), f"n{number}") for number, name in enumerate(names))
    return re.compile(rf"(?:.*\.)?(?:{'|'.join(patterns)})", re.IGNORECASE | re.ASCII | re.DOTALL)


def _glob(name: str, group: str) -> str:
    """A pattern of a name in which `*` stands for any letters of one field's.

    What comes between two `*` is taken where it is first (found ahead, then matched as it was found): trying
    it in each place takes the square of a long name's length.
    """
    *before, last = map(re.escape, name.split("*"))
    if not before:
        return last
    inner = (f"(?=(?P<{group}_{at}>[^.]*?{part}))(?P={group}_{at})" for at, part in enumerate(before[1:]))
    return f"{before[0]}{''.join(inner)}[^.]*{last}"


class Secrets:
    """The secret fields of a stream: those whose names say so in any API, and its own.

    Args:
        names: Names of its own, `invite_url`, or the ends of their paths, `delivery.link`, in any case, as
            `inviteUrl` too; `*` stands for any letters. True and false are no secrets, whatever their name.
        logger: Where each of them is named once.
    """

    def __init__(self, names: Collection[str], logger: logging.Logger) -> None:
        ends = (*ACTING, *names)
        self._pattern, self._last = _ending(ends), _ending([name.rpartition(".")[-1] for name in ends])
        self._told = Told(logger.info, "More fields hold secrets and are dropped; they are not named here")
        self._is_named = lru_cache(_MOST_PATHS)(self._matches)
        # Most objects have names as others had.
        self._suspects = lru_cache(_MOST_SHAPES)(self._named)
        self._secrets_in = lru_cache(_MOST_SHAPES)(self._secrets_named)

    def _named(self, names: tuple[str, ...]) -> list[str]:
        """Those among the names of an object's fields that can be a secret's."""
        return [name for name in names if self._last.fullmatch(name.translate(_SPACERS))]

    def _secrets_named(self, path: Path, names: tuple[str, ...]) -> list[str]:
        """Those among the names of an object's fields that are a secret's, where the object stands."""
        return [name for name in self._suspects(names) if self._is_named((*path, name))]

    def _matches(self, path: Path) -> bool:
        return self._pattern.fullmatch(".".join(path).translate(_SPACERS)) is not None

    def takes(self, path: Path, value: Any) -> bool:
        """Whether a field is a secret and to be left out; if not, its value is rid of those inside of it.

        Args:
            path: Names of fields from the record down to this one.
            value: What it holds; objects in it are changed.
        """
        if self._is_secret(path, value):
            return True
        self.take_from(path, (value,))
        return False

    def are_secret(self, path: Path, column: Iterable[Any]) -> bool:
        """Whether what a field holds in some records is to be left out, where it is no boolean.

        Args:
            path: Names of fields from the record down to this one.
            column: What it holds, `UNSET` where there is none.
        """
        if not self._is_named(path):
            return False
        held = (value for value in column if value is not None and value is not UNSET)
        any(self._is_secret(path, value) for value in held)  # which tells of the first one
        return True

    def take_from(self, path: Path, values: Iterable[Any]) -> None:
        """Rid what a field holds in some records of the secrets inside of it.

        Args:
            path: Names of fields from the record down to this one.
            values: What it holds; objects in them are changed.
        """
        holding = [value for value in values if type(value) is dict or type(value) is list]
        waiting = [(path, holding)] if self._may_be_in(holding) else []
        while waiting:
            path, holding = waiting.pop()
            in_lists: list[Any] = []
            below: dict[str, list[Any]] = {}
            for value in holding:
                if type(value) is dict:
                    for name in self._secrets_in(path, tuple(value)):
                        if self._is_secret((*path, name), value[name]):
                            del value[name]
                    for name, item in value.items():
                        if type(item) is dict or type(item) is list:
                            below.setdefault(name, []).append(item)
                elif type(value) is list:
                    in_lists += value
            if in_lists:
                waiting.append((path, in_lists))
            waiting += [((*path, name), found) for name, found in below.items()]

    def _may_be_in(self, values: Sequence[Any]) -> bool:
        """Whether a name of a secret may be among those in some objects."""
        while values:
            if any(map(self._suspects, {tuple(value) for value in values if type(value) is dict})):
                return True
            values = [
                item
                for value in values
                for item in (value.values() if type(value) is dict else value)
                if type(item) is dict or type(item) is list
            ]
        return False

    def _is_secret(self, path: Path, value: Any) -> bool:
        if isinstance(value, bool) or not self._is_named(path):
            return False
        if value is not None:
            self._told.once(path[-1], "Field `%s` holds a secret and is dropped", path[-1])
        return True

    def without(self, schema: Schema, path: Path = ()) -> dict[str, Any]:
        """A schema without columns of them: a catalog of an earlier version can have some."""
        kept = dict(schema)
        if isinstance(schema.get("items"), dict):
            kept["items"] = self.without(schema["items"], path)
        if "properties" in schema:
            fields: Mapping[str, Schema] = schema["properties"]
            kept["properties"] = {
                name: self.without(field, (*path, name))
                for name, field in fields.items()
                if {*types_of(field)} == {"boolean", "null"} or not self._is_named((*path, name))
            }
        return kept
