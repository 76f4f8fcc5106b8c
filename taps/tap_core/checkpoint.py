"""Checkpoints in STATE: an interrupted read goes on where it was instead of from nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_core.bookmark_scope import CHECKPOINT
from tap_core.errors import PageFailed
from tap_core.filters import digest
from tap_core.parents import Parents
from tap_core.positions import instant, instant_or_none
from tap_core.versions import is_too_large

if TYPE_CHECKING:
    from datetime import datetime

    from tap_core.errors import ApiError
    from tap_core.stream import ApiStream


def name_of(key: Any) -> str:
    """A record's key as a text for STATE."""
    return "|".join(map(str, key)) if isinstance(key, tuple) else str(key)


def scope_of(stream: ApiStream, began: datetime) -> dict[str, Any]:
    """What tells reads of a stream apart: what is written of it and below, as what, for which parents."""
    streams = (stream, *stream.selected_descendants)
    filters = {name: given for one in streams for name, given in one.filtered_by.items()}
    below = stream.children if stream.ends_at else ()
    skipping = [child.name for child in below if not Parents(child, began).are_all]
    written = [one for one in streams if one.selected]
    given = stream.config.get("stream_maps") or {}
    maps = {one.name: given[one.name] for one in written if one.name in given}
    keys = {one.name: [*one.primary_keys] for one in written if [*one.primary_keys] != [*one.declared_keys]}
    return {
        "streams": sorted(one.name for one in written),
        "filters": digest(filters),
        "written_as": digest({**maps, **{f"keys of {name}": found for name, found in keys.items()}}),
        "skipping": skipping or None,
    }


def forget_checkpoint(state: dict[str, Any]) -> None:
    """A read begins that has no checkpoint: that of another kind of read would outlive it.

    Args:
        state: The stream's entry in STATE.
    """
    if state.get(CHECKPOINT):
        state[CHECKPOINT] = None


class Checkpoint:
    """The last record of a stream's list that was dealt with, children included.

    It holds for the same question only: the same streams, filtered alike, between the same bounds.

    Args:
        state: The stream's entry in STATE, which is read and written.
        question: What tells reads apart: the streams that are read, their bounds, their filters.
        began: When this run began; None where nothing depends on it.
        dated: Whether a bookmark depends on it.
    """

    def __init__(
        self, state: dict[str, Any], question: dict[str, Any], began: str | None, *, dated: bool
    ) -> None:
        self._state = state
        self._dated = dated
        self._question = question
        self._has_moved = False
        kept = state.get(CHECKPOINT)
        found = kept[0] if isinstance(kept, list) and kept else kept  # earlier versions had no list around it
        self.given = isinstance(found, dict)
        """Whether the last run left a checkpoint."""
        self.query: dict[str, Any] | None = None
        """Query of the page that the record was on, if the checkpoint is for this question."""
        self.key = ""
        self.before: int | None = None
        """Records of the list before that page; None if that is not known, as of earlier versions."""
        self.version: int | None = None
        """The version under which every row before came; None if some did not, or under none."""
        self.began = began
        """When the first of the runs began that read this list."""
        if isinstance(found, dict) and self._answers(found):
            self.query, self.key = found["query"], str(found.get("key"))
            before, version = found.get("before"), found.get("version")
            self.before = before if type(before) is int and before >= 0 else None
            self.version = version if type(version) is int and not is_too_large(version) else None
            self.began = found.get("began") or began
        elif self.given:  # it would outlive this read: versions may never go back
            self.drop()

    def _answers(self, found: dict[str, Any]) -> bool:
        """Whether a checkpoint is for the same question; one of a full read is not for an incremental one."""
        same = all(found.get(name) == value for name, value in self._question.items())
        return same and isinstance(found.get("query"), dict) and self._has_moment(found.get("began"))

    def _has_moment(self, began: Any) -> bool:
        """Whether a checkpoint says when its run began, if a bookmark depends on it, and only if it may."""
        if not began or not self.began:
            return not began and not (self.began and self._dated)
        return instant_or_none(began) is not None

    def cap_at(self, moment: datetime) -> None:
        """The run began no later than at this moment, by the server's clock."""
        if self.began and moment < instant(self.began):
            self.began = moment.isoformat()

    def put(self, query: dict[str, Any], key: Any, before: int, version: int | None = None) -> None:
        """All is written up to and with this record, which was on the page of this query.

        Args:
            query: Of the page.
            key: The record's.
            before: Records of the list before the page.
            version: The one that every row up to here was written with, if there is one.
        """
        self._has_moved = query != self.query
        more = {"before": before, "began": self.began, "version": version}  # null where there is none
        self._state[CHECKPOINT] = [{**self._question, "query": query, "key": name_of(key), **more}]

    def failed(self, error: ApiError) -> None:
        """The list can't be read to its end: the next run goes on where the server failed, but for once.

        What is wrong with the list itself can be wrong with what came before too, and rows at its beginning
        are to come again at times.

        Args:
            error: Why.
        """
        is_of_a_request = error.status is not None or isinstance(error, PageFailed)
        if not is_of_a_request or not self._has_moved:
            self.drop()

    def drop(self) -> None:
        """The stream is done. Null and not absent: a merge of two STATEs would bring back what is absent."""
        self._state[CHECKPOINT] = None
