"""Makes units of accounts: what each `meltano run` is given. What can't be meant is refused, all at once."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from tap_suite.accounts import ACCOUNT_COLUMN, Refused
from tap_suite.project import TARGET_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tap_suite.accounts import Accounts, Entry
    from tap_suite.project import MeltanoProject, Plugin

_USER_IN_URL = re.compile(r"(?<=://)[^/?#\s@]*@")
_DELETES = "emit_activate_version_messages"
WINDOW = ("start_date", "end_date")
"""The settings that bound a read in time, from and to."""


@dataclass(frozen=True)
class Unit:
    """One tap of one account, as it is run.

    Args:
        entry: What `accounts.yml` says of it.
        schema: Where its tables are.
        key: A hash of its key: units that share one never run at the same time.
        secrets: The values that no log may show.
        variables: The environment variables that make Meltano run it.
        window: The variables of the settings that bound a read in time; empty if the tap has none.
        blocked_by: Why it can't be run as things are, though others can; empty if it can.
    """

    entry: Entry
    schema: str
    key: str
    secrets: tuple[str, ...] = field(repr=False)
    variables: Mapping[str, str] = field(repr=False)
    window: tuple[str, ...]
    blocked_by: str

    @property
    def name(self) -> str:
        """Its name, that of its folder too."""
        return f"{self.entry.tap}_{self.entry.account}"

    def shown(self, environment: str) -> dict[str, Any]:
        """What `plan` shows of it: all but secrets."""
        config = {name: _shown(value) for name, value in self.entry.config.items()}
        return {
            "account": self.entry.account,
            "tap": self.entry.tap,
            "target": self.entry.target,
            "schema": self.schema,
            "state_id": f"{environment}:{self.entry.tap}-to-{self.entry.target}:{self.entry.account}",
            "key": self.key,
            "config": config,
            "secrets": dict(self.entry.secrets),
            "select": list(self.entry.select),
        }


def units(accounts: Accounts, project: MeltanoProject) -> list[Unit]:
    """The units of a file.

    Raises:
        Refused: Something in it can't be meant well; every such thing is named.
    """
    problems = [
        f"{entry.title}: {problem}" for entry in accounts.entries for problem in _problems(entry, project)
    ]
    if problems:
        raise Refused(*problems)
    found = [_unit(entry, accounts.tables, project) for entry in accounts.entries]
    problems = [*_collisions(found, accounts.tables), *_deletes_of_others(found, accounts.tables, project)]
    if problems:
        raise Refused(*problems)
    return found


def _problems(entry: Entry, project: MeltanoProject) -> Iterator[str]:
    """What is wrong with an entry by itself."""
    tap, target = project.tap(entry.tap), project.target(entry.target)
    if not tap:
        yield f"the project has no tap {entry.tap}"
    if not target:
        yield f"the project has no target {entry.target}"
    if tap:
        yield from _setting_problems(entry, tap)
        yield from _missing_credentials(entry, tap)


def _setting_problems(entry: Entry, tap: Plugin) -> Iterator[str]:
    for name in (*entry.config, *entry.secrets):
        if name not in tap.settings:
            yield f"{entry.tap} has no setting {name}"
        elif name == "account":
            yield "the setting account is the account's name: leave it out"
    for name, value in entry.config.items():
        if name in tap.secrets:
            yield f"{name} is a secret: put the name of its variable under `secrets`"
        elif name in tap.settings and (kind := tap.other_kind(name, _text(value))):
            yield f"{name} is of the kind {kind} in meltano.yml, and its value is not"
        if name in entry.secrets:
            yield f"{name} is both in `config` and in `secrets`"


def _missing_credentials(entry: Entry, tap: Plugin) -> Iterator[str]:
    """What the unit would take from its tap's parent or the environment, which is another account's."""
    lacks = [[name for name in group if not _has(entry, tap, name)] for group in tap.groups]
    if not tap.groups and tap.secrets and not tap.secrets & {*entry.secrets}:
        lacks = [sorted(tap.secrets)]
    if lacks and all(lacks):
        for name in min(lacks, key=len):
            where = "secrets" if name in tap.secrets else "config"
            yield f"no {name} of its own, and so it would read another account's: put it under `{where}`"


def _has(entry: Entry, tap: Plugin, name: str) -> bool:
    if name in tap.secrets:
        return name in entry.secrets
    return name in entry.secrets or entry.config.get(name, "") != "" or tap.has_own(name)


def _unit(entry: Entry, tables: str, project: MeltanoProject) -> Unit:
    tap, target = _plugins(entry, project)
    secrets = {name: project.variable(variable) or "" for name, variable in entry.secrets.items()}
    schema = entry.tap.replace("-", "_")
    if tables != ACCOUNT_COLUMN:
        schema += "_" + entry.account.replace("-", "_")
    variables = {tap.settings[name]: _text(value) for name, value in {**entry.config, **secrets}.items()}
    variables[tap.option("_load_schema")] = schema
    if tables == ACCOUNT_COLUMN and "account" in tap.settings:
        variables[tap.settings["account"]] = entry.account
    if entry.select:
        patterns = [name if "." in name else f"{name}.*" for name in entry.select]
        variables[tap.option("_select")] = json.dumps(patterns)
    if TARGET_SCHEMA in target.settings:
        variables[target.settings[TARGET_SCHEMA]] = schema
    keys = [value for name, value in sorted(secrets.items()) if value and name in tap.secrets]
    lacks = [
        f"{entry.secrets[name]} is not set, or empty: it is the {name}"
        for name in secrets
        if not secrets[name]
    ]
    return Unit(
        entry=entry,
        schema=schema,
        key=hashlib.sha256("\0".join(keys or [entry.title]).encode()).hexdigest()[:16],
        secrets=tuple(secrets.values()),
        variables=variables,
        window=tuple(tap.settings[name] for name in WINDOW if name in tap.settings),
        blocked_by="; ".join(f"the variable {lack}" for lack in lacks),
    )


def _collisions(found: Iterable[Unit], tables: str) -> Iterator[str]:
    """Units that are one, or that would write into each other's tables; databases don't tell capitals."""
    named: dict[str, Unit] = {}
    places: dict[tuple[str, str], Unit] = {}
    for unit in found:
        twin = named.setdefault(unit.name.casefold(), unit)
        if twin is not unit:
            yield f"{unit.entry.title}: is there twice, or too much like {twin.entry.title}"
            continue
        place = (unit.entry.target, unit.schema.casefold())
        twin = places.setdefault(place, unit)
        if twin is not unit and tables != ACCOUNT_COLUMN:
            yield f"{unit.entry.title}: would share the schema {unit.schema} with {twin.entry.title}"
        if twin.entry.tap != unit.entry.tap and tables == ACCOUNT_COLUMN:
            yield f"{unit.entry.title}: would share the schema {unit.schema} with {twin.entry.tap}"


def _deletes_of_others(found: Iterable[Unit], tables: str, project: MeltanoProject) -> Iterator[str]:
    """Units that share tables with other accounts, or whose target has no place for each."""
    for unit in found:
        tap, target = _plugins(unit.entry, project)
        if not target.tells_schemas_apart:
            yield (
                f"{unit.entry.title}: {unit.entry.target} writes all accounts into one place: let a setting "
                "of its own, such as its folder, have ${MELTANO_EXTRACT__LOAD_SCHEMA} in it"
            )
        if tables != ACCOUNT_COLUMN:
            continue
        if "account" not in tap.settings:
            yield f"{unit.entry.title}: {unit.entry.tap} has no setting account: use `tables: schema`"
        elif not target.is_our_loader and unit.entry.config.get(
            _DELETES, _DELETES in tap.settings and tap.value(_DELETES)
        ):
            yield (
                f"{unit.entry.title}: {unit.entry.target} would call other accounts' rows deleted: put "
                f"{_DELETES}: false under `config`, or use `tables: schema`"
            )


def _plugins(entry: Entry, project: MeltanoProject) -> tuple[Plugin, Plugin]:
    tap, target = project.tap(entry.tap), project.target(entry.target)
    assert tap and target  # noqa: S101, PT018 - `_problems` has seen to it
    return tap, target


def _text(value: Any) -> str:
    """A value as an environment variable of Meltano's has it."""
    return value if isinstance(value, str) else _time(value) or json.dumps(value, default=_time)


def _time(value: Any) -> str | None:
    """A date or a time as ISO 8601 has it."""
    return value.isoformat() if isinstance(value, date) else None


def _shown(value: Any) -> Any:
    return _USER_IN_URL.sub("(secret)@", value) if isinstance(value, str) else value
