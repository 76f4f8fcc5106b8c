"""`GroupedTap`: a tap whose streams are listed in groups, by what they are about."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_core.sdk import SdkTap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_core.stream import ApiStream


class GroupedTap(SdkTap):
    """The streams of a tap, and their order in the catalog, `--about` and all that is made of these."""

    subjects: ClassVar[Mapping[str, Sequence[type[ApiStream]]]] = {}
    """The streams by what they are about, for a tap that has more than a few."""

    stream_types: ClassVar[Sequence[type[ApiStream]]] = ()
    """The streams in the order in which they are listed: those of `subjects`, if there are any."""

    @override
    def __init_subclass__(cls, **options: Any) -> None:
        """Put the streams of all subjects in a row."""
        super().__init_subclass__(**options)
        if "subjects" in vars(cls):
            cls.stream_types = tuple(chain.from_iterable(cls.subjects.values()))

    @property
    @override
    def catalog_dict(self) -> dict[str, Any]:
        """The catalog; the SDK has its streams by name."""
        catalog: dict[str, Any] = super().catalog_dict
        entries = {entry["tap_stream_id"]: entry for entry in catalog["streams"]}
        kinds: Sequence[Any] = self.stream_types
        return {**catalog, "streams": [entries[kind.name] for kind in kinds]}

    @classmethod
    @override
    def description(cls) -> str:
        """What the tap reads, and the names of its streams."""
        subjects: Mapping[str, Any] = cls.subjects or {"Streams": cls.stream_types}
        streams = (f"{name}: {', '.join(kind.name for kind in kinds)}." for name, kinds in subjects.items())
        return " ".join([cls.__doc__ or "", *streams])
