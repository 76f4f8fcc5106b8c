"""`RelatedStream`: what a stream's lists take from its parent, and give to children; what narrows them."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk.mapper import DefaultStreamMap
from typing_extensions import override

from tap_core.filters import as_params
from tap_core.maps import filters_of
from tap_core.records.mapping import passes
from tap_core.sdk import SdkStream

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from singer_sdk.helpers.types import Context, Record

    from tap_core.records.codec import Codec


class RelatedStream(SdkStream):
    """A stream that can have a parent, children, or both."""

    child_keys: ClassVar[Mapping[str, str]] = {}
    """What children are given of a record: the name in their paths, and the field it is read from."""

    parent_fields: ClassVar[Mapping[str, str]] = {}
    """Fields filled from the parent's keys under another name: `{"parent_event_id": "event_id"}`.

    A field that is called like the parent's key is filled without being named here."""

    no_list_where: ClassVar[Mapping[str, Collection[Any]]] = {}
    """What fields of a parent's record hold where it has no such list; with any other value, null too, it may
    have one, and is asked."""

    for_every_parent = False
    """Whether its lists are read for all parents, whatever the parent's bookmark: where this stream is
    selected, the parent is read whole, and written from its bookmark on."""

    is_single = False
    """Whether it is one row at all times: then each stream below it has one list."""

    ends_at: ClassVar[Sequence[str]] = ()
    """Fields of a record that say when it ended: its lists change no more some time after that.

    The setting `children_since` leaves such lists out. Where `made_at` names a field too, those of a record
    that was made since the last pass are read once."""

    filters: ClassVar[Sequence[str]] = ()
    """Query parameters by which the API leaves rows out, that the setting `filters` can give.

    None that the stream sends itself. Of a name that ends in `[]` the API wants one for each value."""

    made_at: str | None = None
    """Field that says when a row was made, where the replication key is an id that grows.

    The bookmark then stays before the rows that were made in the last `lookback` seconds before the run, as
    ids are given before rows are seen; and on a first run `start_date` is compared with this field."""

    @cached_property
    def has_one_list(self) -> bool:
        """Whether all rows are in one list: that, refused, says the same of them all."""
        return self.parent is None or bool(self.parent.is_single)

    @property
    @abstractmethod
    def codec(self) -> Codec:
        """What makes records of this stream fit its schema."""

    @property
    def parent(self) -> Any:
        """The stream whose records this one's lists belong to, or None."""
        return next((other for other in self.tap.streams.values() if self in other.child_streams), None)

    @property
    def children(self) -> list[Any]:
        """The child streams that are selected, or have selected children of their own."""
        return [child for child in self.child_streams if child.selected or child.has_selected_descendents]

    @property
    def selected_descendants(self) -> list[Any]:
        """The selected streams below this one, at any depth."""
        return [child for child in self.descendent_streams if child.selected]

    @cached_property
    def followers(self) -> list[Any]:
        """The selected streams below this one whose lists are read for those of its rows that a run reads."""
        return [below for below in self.selected_descendants if not below.for_every_parent]

    @cached_property
    def filter_params(self) -> dict[str, Any]:
        """The query parameters that the setting `filters` gives the stream."""
        return as_params((self.config.get("filters") or {}).get(self.name, {}))

    @cached_property
    def filtered_by(self) -> dict[str, dict[str, Any]]:
        """Those of the stream and of the streams above it, by stream: each leaves out rows of this one."""
        above: dict[str, dict[str, Any]] = self.parent.filtered_by if self.parent else {}
        return {**above, self.name: self.filter_params} if self.filter_params else above

    @cached_property
    def map_filters(self) -> dict[str, Any]:
        """The filters of the stream's maps, and of copies of it, by map."""
        return filters_of(self.config.get("stream_maps") or {}, self.name)

    @cached_property
    def narrowed_by(self) -> dict[str, Any]:
        """`filtered_by`, and the filters of stream maps: a bookmark holds for the rows that these leave."""
        above: dict[str, Any] = self.parent.narrowed_by if self.parent else {}
        maps = {f"{self.name} by stream_maps": self.map_filters} if self.map_filters else {}
        return {**above, **self.filtered_by, **maps}

    @cached_property
    def is_fetched_whole(self) -> bool:
        """Whether the list is fetched whole because children need every parent.

        Rows before the bookmark are still not written.
        """
        return any(below.for_every_parent for below in self.selected_descendants)

    @property
    def fields_for_children(self) -> set[str]:
        """Fields that tell which lists the children have, and which of these are read."""
        tap: Any = self.tap  # its streams can't be asked: they are made of the catalog that this settles
        looked_at = (kind.no_list_where for kind in tap.stream_types if kind.parent_stream_type is type(self))
        fields = {*self.child_keys.values(), *(name for values in looked_at for name in values)}
        if self.ends_at and self.config.get("children_since") is not None:
            fields |= {*self.ends_at, *([self.made_at] if self.made_at else [])}
        return fields

    def ended(self, record: Any) -> str | None:
        """When a record ended, or is to end, as a timestamp; null, or any other text, if nothing tells."""
        ended: str | None = self.codec.get(record, self.ends_at[0])
        return ended

    def has_list(self, parent: RelatedStream, record: Any) -> bool:
        """Whether a record of the parent has such a list."""
        none_where = self.no_list_where.items()
        return not any(parent.codec.get(record, name) in values for name, values in none_where)

    @override
    def get_child_context(self, record: Record, context: Context | None) -> dict[str, Any]:
        """The ids that the children's paths need, and no more."""
        own = {name: self.codec.get(record, field) for name, field in self.child_keys.items()}
        return {**(context or {}), **own}

    def null_child_key(self, record: Any) -> str | None:
        """The field that a record would have to give its children an id by, and that is null."""
        return next((name for name in self.child_keys.values() if self.codec.get(record, name) is None), None)

    def child_contexts(self, record: Any, context: Context | None) -> list[dict[str, Any]]:
        """What the children are read with; none for a record that a stream map filters out, or without an id.

        A map that takes the whole stream away is a deselection, and its children stay.
        """
        stream_map = self.stream_maps[0]
        if self.null_child_key(record):
            return []
        if not isinstance(stream_map, DefaultStreamMap) and not passes(stream_map, record):
            return []
        return [dict(found) for found in self.generate_child_contexts(record, context) if found]
