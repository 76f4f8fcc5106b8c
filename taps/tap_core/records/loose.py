"""What is looked at in structs after decoding, a column at a time, and put right: open and loose fields."""

from __future__ import annotations

from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import UNSET, UnsetType

from tap_core.records.checks import Checked
from tap_core.records.conform import MISFIT, UNMAPPED, path_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from tap_core.records.conform import Conformer, Found, Path, Place
    from tap_core.records.secrets import Secrets
    from tap_core.records.values import Schema


class _Kept(NamedTuple):
    """Where what is added goes to."""

    secrets: Secrets
    attribute: str | None
    """Of the records' unmapped field."""

    def keep(self, record: Any, place: str, value: Any) -> None:
        """Keep a value."""
        if self.attribute:
            others = getattr(record, self.attribute)
            setattr(record, self.attribute, {**others, place: value} if others else {place: value})


class Loose(Checked):
    """Structs of one type with fields that can hold anything.

    Open fields have no schema of their own, and are looked through for secrets. Loose ones are decoded as
    anything and put right: those that came as something else before, and those that the vendor added.
    """

    attributes: dict[str, str]
    """Attribute of the struct for each field of the schema, the same in every shape of a schema."""

    def __init__(self, *, utc: bool) -> None:
        super().__init__(utc=utc)
        self._open: dict[str, str] = {}
        self._loose: list[tuple[str, str, Schema, frozenset[type]]] = []
        self._eased: list[tuple[str, frozenset[type], Callable[[Any], Any]]] = []
        self._repaired: list[tuple[str, Callable[[str], Any]]] = []
        self._dropped: list[str] = []
        self._added: list[tuple[str, str]] = []  # go into the unmapped field
        self._extra: list[tuple[str, str]] = []  # may be there, and stay
        self._nested: list[tuple[str, str, Loose]] = []

    def _watch(self, watched: Collection[str]) -> None:
        """Work out what is to be done, all fields being known.

        Args:
            watched: Fields that `fits_as_sent` looks at.
        """
        self._checked = [(attribute, shape) for attribute, _, shape in self._nested if shape.checks]
        self._conformed_inside = [found for found in self._nested if found[2].may_need_conforming]
        self._watched = {self.attributes[name] for name in watched if name in self.attributes}
        self._watched_slots = [attribute for attribute, name in self._added if name in watched]
        self._watched_loose = [loose for loose in self._loose if loose[1] in watched]
        self._watched_inside = [found for found in self._conformed_inside if found[1] in watched]
        as_sent = [(attribute, plain | {UnsetType}) for attribute, *_, plain in self._loose]
        gone = [*(attribute for attribute, _ in self._added), *self._dropped]
        absent = [(attribute, frozenset({UnsetType})) for attribute in gone]
        self._plain_types = [(attrgetter(attribute), plain) for attribute, plain in as_sent + absent]
        self.may_need_conforming: bool = bool(self._plain_types or self._conformed_inside)
        """Whether there is anything to be put right after decoding."""
        self._looked_into = [found for found in self._nested if found[2].has_open_ends]
        self.has_open_ends: bool = bool(self._open or self._looked_into)
        """Whether there are fields without a schema of their own, which can hold anything."""
        self._repaired_in = [found for found in self._nested if found[2].repairs]
        self.repairs: bool = bool(self._repaired or self._repaired_in)
        """Whether the stream says of a field how to put it right."""

    def look_through(self, values: Iterable[Any], secrets: Secrets, path: Path = ()) -> None:
        """Take the secrets out of what has no schema of its own, in structs and lists of them."""
        structs = self.structs_in(values)
        for attribute, name in self._extra:
            value_of = attrgetter(attribute)
            if secrets.are_secret((*path, name), map(value_of, structs)):
                for struct in structs:
                    if not isinstance(value_of(struct), bool):
                        setattr(struct, attribute, UNSET)
        for attribute, name in self._open.items():
            secrets.take_from((*path, name), map(attrgetter(attribute), structs))
        for attribute, name, shape in self._looked_into:
            shape.look_through(map(attrgetter(attribute), structs), secrets, (*path, name))

    def repair(self, values: Iterable[Any]) -> None:
        """Put right the texts that the stream says how to, in structs and lists of them."""
        structs = self.structs_in(values)
        for attribute, mend in self._repaired:
            for struct, value in zip(structs, map(attrgetter(attribute), structs), strict=True):
                if type(value) is str and (mended := mend(value)) is not value:
                    setattr(struct, attribute, mended)
        for attribute, _, shape in self._repaired_in:
            shape.repair(map(attrgetter(attribute), structs))

    def ease(self, values: Iterable[Any], *, unwatched: bool) -> None:
        """Put right numbers that are to be texts and texts that are to be numbers, a column at a time.

        Args:
            values: Structs, and lists of them.
            unwatched: Whether to leave the fields that `fits_as_sent` looks at.
        """
        structs = self.structs_in(values)
        left = self._watched if unwatched else ()
        for attribute, kinds, convert in self._eased:
            if attribute in left:
                continue
            for struct, value in zip(structs, map(attrgetter(attribute), structs), strict=True):
                if type(value) in kinds and (converted := convert(value)) is not None:
                    setattr(struct, attribute, converted)
        for attribute, _, shape in self._conformed_inside:
            if attribute not in left:
                shape.ease(map(attrgetter(attribute), structs), unwatched=False)

    def keep_added(self, records: Sequence[Any], conformer: Conformer, *, unwatched: bool) -> None:
        """Keep what the vendor added to records, and to objects in them but in no list, a column at a time.

        Args:
            records: Structs.
            conformer: Knows what is kept, and what is a secret.
            unwatched: Whether to leave the fields that `fits_as_sent` looks at.
        """
        left = {*self._watched, *self._watched_slots} if unwatched else set[str]()
        to = _Kept(conformer.secrets, self.attributes[UNMAPPED] if conformer.unmapped else None)
        # In the order of `Found.unmapped`.
        added = sorted(self._added_fields(records, records, (), left), key=itemgetter(0))
        for place, path, attribute, owners, structs in added:
            column = list(map(attrgetter(attribute), structs))
            if not (is_secret := to.secrets.are_secret(path, column)):
                to.secrets.take_from(path, column)
            for record, struct, value in zip(owners, structs, column, strict=True):
                if value is not UNSET:
                    setattr(struct, attribute, UNSET)
                    if not is_secret or isinstance(value, bool):
                        to.keep(record, place, value)

    def _added_fields(
        self, records: Sequence[Any], structs: Sequence[Any], above: Path, left: Collection[str]
    ) -> Iterator[tuple[str, Path, str, Sequence[Any], Sequence[Any]]]:
        """Fields that the vendor added: place, path and attribute, and the records and structs of it."""
        for attribute, name in self._added:
            if attribute not in left:
                path = (*above, name)
                yield path_of(path), path, attribute, records, structs
        for attribute, name, shape in self._conformed_inside:
            if attribute not in left:
                pairs = zip(records, map(attrgetter(attribute), structs), strict=True)
                inside = [pair for pair in pairs if type(pair[1]) is shape.struct]
                owners, objects = ([pair[at] for pair in inside] for at in (0, 1))
                yield from shape._added_fields(owners, objects, (*above, name), ())  # noqa: SLF001  its own kind

    def rows_to_conform(self, values: Sequence[Any]) -> set[int]:
        """Places of the structs, or lists of them, that hold anything to be put right; a column at a time."""
        places = [place for place, value in enumerate(values) if type(value) is self.struct]
        structs = [values[place] for place in places]
        lists = [(place, value) for place, value in enumerate(values) if type(value) is list]
        owners = [place for place, value in lists for _ in value]
        inside = self.rows_to_conform([item for _, value in lists for item in value]) if owners else ()
        found = {owners[place] for place in inside}
        for getter, plain in self._plain_types:
            types = list(map(type, map(getter, structs)))
            if not plain.issuperset(types):
                found.update(place for place, kind in zip(places, types, strict=True) if kind not in plain)
        for attribute, _, shape in self._conformed_inside:
            inner = shape.rows_to_conform(list(map(attrgetter(attribute), structs)))
            found.update(places[place] for place in inner)
        return found

    def fits_as_sent(self, value: Any, conformer: Conformer) -> bool:
        """Whether what is taken loosely, in one struct or a list, came as the schema has it.

        Fields that are not watched are not looked at.
        """
        if type(value) is list:
            return all(self.fits_as_sent(item, conformer) for item in value)
        if type(value) is not self.struct:
            return True
        for attribute in self._watched_slots:
            if getattr(value, attribute) is not UNSET:
                return False
        for attribute, _, schema, plain in self._watched_loose:
            loose = getattr(value, attribute)
            if loose is not UNSET and type(loose) not in plain and not conformer.fits(loose, schema):
                return False
        for attribute, _, shape in self._watched_inside:
            if not shape.fits_as_sent(getattr(value, attribute), conformer):
                return False
        return True

    def conform_row(self, value: Any, conformer: Conformer, found: Found, place: Place = ()) -> None:
        """Put right what is taken loosely, in one struct or a list; take out what is not to be emitted."""
        if type(value) is list:
            for index, item in enumerate(value):
                self.conform_row(item, conformer, found, (*place, index))
        if type(value) is not self.struct:
            return
        self._empty_slots(value, conformer, found, place)
        for attribute in self._dropped:
            setattr(value, attribute, UNSET)
        for attribute, name, schema, plain in self._loose:
            loose = getattr(value, attribute)
            if loose is not UNSET and type(loose) not in plain:
                conformed = conformer.field(loose, schema, (*place, name), found)
                if conformed is not loose:
                    setattr(value, attribute, UNSET if conformed is MISFIT else conformed)
        for attribute, name, shape in self._conformed_inside:
            shape.conform_row(getattr(value, attribute), conformer, found, (*place, name))

    def _empty_slots(self, value: Any, conformer: Conformer, found: Found, place: Place) -> None:
        for attribute, name in self._added:
            added = getattr(value, attribute)
            if added is UNSET:
                continue
            setattr(value, attribute, UNSET)
            conformer.keep_added(name, added, place, found)
