"""Writes docs/reliability.md from the figures that the tests noted while they ran."""

from __future__ import annotations

import os
import platform
from datetime import datetime, timezone
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

HEAD = """\
# What is promised, and how it is tested

This page is written by `make reliability`, which runs the tests that inject the harm. Every figure below
comes from that run, on the local sandbox; nothing here was tried against a vendor's live API.

## What is promised

- **Offset lists** (events, bookings, rewards): each page begins with the last row of the page before.
  When that row is not there, or was changed and so may have moved, the reader steps back until it finds
  one that it knows, that is as it was and that stands among those it stood among. Every row that is in the
  list from the begin of the read to its end is emitted, whatever is inserted, deleted or updated around it,
  in lists of any order. A row can come twice, with the same key.
- **Page-number lists** (billing) overlap in the same way: page 2 of 199 rows begins with the last row of
  page 1 of 200, and so on with sizes a little below the largest. That costs one request in ten of a long
  list, none of a list of one page.
- **Lists that are documented to come whole** are looked behind once if they have ten rows or more, or twenty
  kilobytes, unless longer and heavier ones of the endpoint were seen to be whole, and none was cut: a server
  that pages them all the same, by rows or by weight, is read to the end. The look begins with the last row:
  where that has moved, the list is read again from its top. A look that fails, fails the list, unless the
  server refuses every place, the first one too.
- **Cursor lists** (promotions): as safe as the vendor's cursors. A cursor that comes again is an error.
- **Ends** are believed on evidence from the list itself: a total that was reached, an explicit end, an
  empty page; and not where another sign in the same answer says that there is more. A short page ends a
  list of a stream's many, one for each parent, only where the endpoint has sent much longer ones in the
  same run, and none that is nearly as heavy as any of these; its length, from ten rows on, is believed
  once, and then when nothing was behind such a page. Where a bookmark, deletes or all of a stream depend on
  it, one more page of full size shows the end. If that has known rows alone, the places behind all that was
  read are asked for too, as servers cut pages before a heavy row; where neither a bookmark nor deletes
  depend on it, of each endpoint until nothing was there five times. A place behind all that came, which the
  server refuses twice, is an end, unless the page before said that there is more, or was full and the
  refusal may be of a place too deep (400, 422). A total that is missed by more than a tenth is a failure; a
  smaller difference is logged with both numbers, and no row is called gone. Where the API documents no
  total, and all of a stream is one list, a `total_count`, `total_pages` or their like is heeded too: as it
  may be of other rows as well, it is a failure if not even half of them came.
- **An answer that is none**: a list must stand in its place, and an empty one with words of refusal beside it
  ("Too many requests") is asked for again, and then fails by name. A refusal that says that a limit of
  requests was passed counts as a 429, whatever its status; inside a 200 too, where it is said plainly.
  Where waiting does not help, it is that list's own failure, unless nothing passes any more. Only the words
  of the vendor for an empty list, with the resource's own name, are believed.
- **Faults** are tried again; what fails for good costs its list, and STATE does not go past it. A page
  that fails is asked for by halves, down to the row that the server can't send.
- **Lists that seem to be gone** (404, 403 in place of their first page) are asked for once more at the end of
  what is read with them, and so are those that others' failures cost their retries, or their turn. Where five
  such tries in a row say the same, it is believed of the others.
- **Outages** in mid-run, of some 30 s by default, cost nothing, whether connections are refused or dropped or
  a proxy answers with 502 or 503: while nothing passes, requests whose retries are used up wait for one
  that tries what passed before. An end is waited for three times as long as a request's own retries take,
  42 s by default and a minute at most, and once; then the failures count. Before a first answer nothing is
  waited for.
- **STATE**, fed back after any interruption, loses nothing. A full read goes on where it was, and what both
  runs read is held against the total. After a list that failed as a whole, as with fewer rows than its total
  says or in no order, the next run begins at its start; a page that fails is gone on from once. One of
  another `account`, or of another host or path in `api_url`, is forgotten in a line; by the key alone no
  account is told apart.

## What is not promised

- **Page-number lists of a server with a page size of its own**, whatever is asked for, cannot overlap: a
  row deleted while such a list is read can hide another at a page's edge from that run, and so can rows of
  one moment that come in another order each time.
- **Numbered pages of fewer than eight rows**, to which a server may cut them, overlap too little: where
  rows are deleted while such a list is read, others can be missed. `page_size` is never less than 10.
- **A server that sends only one row at a time**, and fails with more: such pages cannot overlap, so that
  a row deleted while the list is read can hide another.
- **A server that cuts pages by their weight**, in another list than the first five of an endpoint, or the
  first fifty where a bookmark or deletes depend on them, is believed where a row heavier than all that a
  page may weigh comes right behind the end of a page. Numbered pages that are cut so fail by name. Of lists
  that are documented to come whole, one that is cut to fewer than ten rows and twenty kilobytes is believed
  until another one was cut.
- **Rows of one moment that come in another order each time**, and are more than a third of a page: the stream
  keeps what came and fails by name, as a rule. In a list that is in no documented order some of them can pass
  the reader: of up to three quarters of a page, and in lists of few pages. Of fewer none do in a list that
  stays as it is. Where rows are deleted or moved to its end between two requests, one that trades places at
  just that end of a page can. So can one where the run goes on after a stop just there, or where five ends of
  pages before showed rows that others insert, and no more.
- **A list that grows with every request** is read until a hundred pages in a row brought little more than
  what was added meanwhile, and the same place shows more rows each of four times; the rest is left to the
  next run.
- **Lines of the ledger of the last moment that came**, where the next page fails: which of equal ones they
  are shows with that page, so that they are left to the next run, as STATE says.
- **A limit of rows in a page that is lowered in mid-run**, to half or less, where each parent has a list: the
  first such list can end too soon. The second one of that length shows it, and the stream fails by name.
- **Lists of ended parents that the API said this account does not have**, as those of `rankings`, are not
  asked for again with `children_since` until `full_read_every` is due.
- **A parent that a cursor list shows on two pages**, as it was moved meanwhile, comes twice under one key,
  and so do its children.
- **A row that an update moves from what is still to be read to what was read**, as in a list with the
  newest change first, is missed by that run. The lists are asked for in an order that an update leaves
  alone, or that has the newest change last, where the API has one. Where a read goes on after an
  interruption, the time between the two runs counts too; and where deletes are claimed, such a row is called
  gone until the next whole read.
- **Rows that are never sent alike twice**, such as those with addresses that expire, are told apart by
  their keys alone: there, an update that moves a row to just where a page begins can hide others.
- **A server that sends no `Date`**, where this machine's clock is ahead of it: a change during a read can
  then fall behind the bookmark. With the header, which every web server sends, it does not.
- **A total that is capped at just the page's size**, for list after list, is believed: a total
  that was reached is an end.
- **A server that lies twice**, with a total that is too low and pages smaller than asked for, cannot be
  told from one that tells the truth.
- **Rows that a server leaves out of pages once it has cut them** cost no other rows, but for a whole page of
  them in a row, or more than half of a numbered page, or a third of one of ten rows; without a bookmark or
  deletes, also more rows of the first page than it has. From such a server rows can come twice, under one
  key. Where it also lowers its limit of rows in a page, in mid-run and to a quarter, a numbered list that
  lacks a third of its rows can lose others.
- **A numbered list of a server that always sends fewer rows than asked for**, gone on with after an
  interruption, can lose rows at the edge of a page.
- **Secrets in JSON that is sent as a text** are not looked for: they leave the tap as the text does.
- **Rows without a replication key**, as `bookings` without `updatedAt` and `invoices` without `updated_at`,
  are passed over by the API where it is asked for what is new. A line names the stream. New invoices are read
  by their day of issue, bookings when their meeting has been; what else changes in them is seen when
  `full_read_every` is due.
- **Deletes** are seen by whole reads alone, as none of these APIs reports them: of an incremental stream,
  when `full_read_every` is due.
"""


def write(path: Path, figures: Sequence[tuple[str, str, str]]) -> None:
    """Write the page.

    Args:
        path: Where to.
        figures: Topic, case and outcome of each.
    """
    machine = f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    lines = [HEAD, "## Measured", "", f"On {datetime.now(timezone.utc).date().isoformat()}; {machine}.", ""]
    for topic, rows in groupby(sorted(figures, key=lambda figure: figure[0]), key=lambda figure: figure[0]):
        lines += [f"### {topic}", "", "| case | outcome |", "|---|---|"]
        lines += [f"| {case} | {outcome} |" for _, case, outcome in dict.fromkeys(rows)]
        lines.append("")
    path.write_text("\n".join(lines), encoding="utf-8")
