"""Reads `accounts.yml`: what is written there, before anything is known of the Meltano project.

```yaml
target: target-duckdb
tables: schema
accounts:
  - {account: acme, tap: tap-maxio, config: {api_url: https://acme.chargify.com}, secrets: {api_key: KEY}}
```
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import YAMLError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SCHEMA, ACCOUNT_COLUMN = "schema", "account_column"
"""How tables are kept apart: a schema for each unit, or a column in a schema for each tap."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
"""Capitals alone: many a key would do as a variable's name, and would be shown as one."""

_NO_TEXT = re.compile(r"[\0\ud800-\udfff]")
"""What no variable of the environment can hold."""

_VALUES = re.compile(r" with value .*", re.DOTALL)
"""What YAML's own message tells of a member that is there twice, a secret for instance."""

_DEEPEST, _MOST = 50, 100_000
"""Levels of a value, and what is on one of them: more than a variable of the environment can hold."""

_ENDLESS = "is too deep, too large or an alias to itself"

_FIELDS = {"target", "tables", "accounts"}
_ACCOUNT_FIELDS = {"account", "tap", "target", "config", "secrets", "select"}


class _Constructor(SafeConstructor):
    """Leaves a day that no calendar has as the text that it is: the tap can say better what is wrong."""

    def timestamp(self, node: Any) -> Any:
        """A day or a time; its text if it is none."""
        try:
            return self.construct_yaml_timestamp(node)
        except ValueError:
            return node.value


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", _Constructor.timestamp)


class Refused(Exception):
    """The accounts can't be run as they are written.

    Args:
        problems: What is wrong, each in a line that names the account and holds no secret.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Entry:
    """One line of the file: one tap of one account."""

    account: str
    tap: str
    target: str
    config: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    select: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """How messages call it."""
        return f"{self.account} {self.tap}"


@dataclass(frozen=True)
class Accounts:
    """The file."""

    tables: str
    entries: tuple[Entry, ...]


def read(path: Path) -> Accounts:
    """Read the file.

    Raises:
        Refused: It is not there, is no YAML, or says what has no meaning.
    """
    try:
        yaml = YAML(typ="safe", pure=True)
        yaml.Constructor = _Constructor
        content = yaml.load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Refused(f"{path} is not there: copy accounts.example.yml, or name a file with --file") from None
    except OSError as error:
        raise Refused(f"{path} can't be read: {error.strerror}") from None
    except (YAMLError, ValueError, LookupError, RecursionError) as error:  # a tag on another kind of value
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        problem = _VALUES.sub("", getattr(error, "problem", None) or "this is no YAML")
        raise Refused(f"{path.name}: {where}{problem}") from None
    problems = list(_problems(content))
    if problems:
        raise Refused(*(f"{path.name}: {problem}" for problem in problems))
    return Accounts(
        content.get("tables", SCHEMA), tuple(_entry(item, content) for item in content["accounts"])
    )


def _entry(item: Mapping[str, Any], content: Mapping[str, Any]) -> Entry:
    return Entry(
        account=item["account"],
        tap=item["tap"],
        target=item.get("target") or content["target"],
        config=item.get("config") or {},
        secrets=item.get("secrets") or {},
        select=tuple(item.get("select", ())),
    )


def _problems(content: Any) -> Iterator[str]:
    if not isinstance(content, dict) or not isinstance(content.get("accounts"), list):
        yield "a list `accounts` is missing"
        return
    yield from (f"`{name}` has no meaning here" for name in content if name not in _FIELDS)
    if content.get("tables", SCHEMA) not in (SCHEMA, ACCOUNT_COLUMN):
        yield f"tables: it is neither {SCHEMA} nor {ACCOUNT_COLUMN}"
    if not isinstance(content.get("target", ""), str):
        yield "`target` must be the name of a target"
    if not content["accounts"]:
        yield "the list `accounts` is empty"
    for number, item in enumerate(content["accounts"], 1):
        if not isinstance(item, dict):
            yield f"account {number} is no object with `account` and `tap`"
            continue
        named = (item.get(name) for name in ("account", "tap"))
        title = " ".join(name for name in named if isinstance(name, str) and name.isprintable())
        for problem in _entry_problems(item, has_target="target" in content):
            yield f"{title or f'account {number}'}: {problem}"


def _entry_problems(item: Mapping[str, Any], *, has_target: bool) -> Iterator[str]:
    yield from (f"`{name}` has no meaning here" for name in item if name not in _ACCOUNT_FIELDS)
    account = item.get("account")
    if not isinstance(account, str) or not _NAME.fullmatch(account):
        yield "`account` must be a text in quotes of up to 40 letters, digits, `-` and `_`"
    if not isinstance(item.get("tap"), str) or not item["tap"]:
        yield "`tap` is missing"
    if not isinstance(item.get("target", "" if has_target else None), str):
        yield "`target` is missing, here or for all accounts"
    for name in ("config", "secrets"):
        if not isinstance(item.get(name), (dict, type(None))):
            yield f"`{name}` must be an object of settings"
    select = item.get("select", ["*"])
    if not (isinstance(select, list) and select and all(name and isinstance(name, str) for name in select)):
        yield "`select` must be a list of streams; leave it out for what the tap selects"
    yield from _value_problems(item.get("config"), item.get("secrets"))


def _value_problems(config: Any, secrets: Any) -> Iterator[str]:
    for name, variable in secrets.items() if isinstance(secrets, dict) else ():
        if not isinstance(variable, str) or not _VARIABLE.fullmatch(variable):
            yield f"secrets: {name} must be a variable's name, in capitals, and never the value itself"
    for name, value in config.items() if isinstance(config, dict) else ():
        if value is None:
            yield f"config: {name} has no value"
        elif isinstance(value, str) and _NO_TEXT.search(value):
            yield f"config: {name} has a character that no variable can have"
        elif flaw := _flaw(value):
            yield f"config: {name} {flaw}"


def _flaw(value: Any) -> str:
    """Why JSON can't say a value that YAML can; empty if it can.

    It goes level by level, as an alias can be part of itself, or of many that are parts of many.
    """
    level = [value]
    for _ in range(_DEEPEST):
        below: list[Any] = []
        for item in level:
            if flaw := _own_flaw(item):
                return flaw
            below += item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
            if len(below) > _MOST:
                return _ENDLESS
        level = below
    return _ENDLESS if level else ""


def _own_flaw(value: Any) -> str:
    """Why a value can't be said, whatever is in it; a date is a text in JSON."""
    if isinstance(value, (int, float)):
        is_finite = abs(value) <= sys.float_info.max
        return "" if is_finite else "has a number that JSON can't say, such as .nan and .inf"
    is_plain = value is None or isinstance(value, (str, list, date))
    if is_plain or (isinstance(value, dict) and all(isinstance(name, str) for name in value)):
        return ""
    return "must be made of texts, numbers, dates, true and false, lists and objects"
