"""Turns the samples of a run into RESULTS.md and results.svg."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.contenders import CONCURRENCY, Contender

from benchmarks import chart, contenders, pipeline

FOLDER = Path(__file__).parent
FULL = "1000x100"
START = "1x1"
ROWS = 101_000
PEERS = ("sdk", "dlt", "dlt-10", "airbyte", "estuary")
"""Those that do the work of a connector; bare loops are limits."""

_MELTANO = (
    "Meltano runs the tap beside the loader and relays between them. In the first round it also asks the tap "
    "for its catalog,\nand keeps that. dlt is told the same keys, so that all merge."
)

_DIRTY = (
    "Every attendee has a field more than documented; one of ten a value that does not fit, another of ten\n"
    "odd texts: a number as text, blanks around a reference. Ids alone are compared, as contenders do not\n"
    "agree on the rest."
)

LABELS = {
    contender.name: contender.label
    for module in (contenders, pipeline)
    for contender in vars(module).values()
    if isinstance(contender, Contender)
}


class Figures:
    """Medians of the samples."""

    def __init__(self, samples: list[dict[str, Any]]) -> None:
        self._samples = samples

    def median(self, work: str, contender: str, field: str = "seconds", size: str = FULL) -> float:
        """The median of a field over all rounds."""
        return float(median(self.all(work, contender, field, size)))

    def all(self, work: str, contender: str, field: str = "seconds", size: str = FULL) -> list[float]:
        """A field in every round."""
        wanted = (work, contender, size)
        return [s[field] for s in self._samples if (s["work"], s["contender"], s["size"]) == wanted]

    def contenders(self, work: str) -> list[str]:
        """Who did a work, the fastest first."""
        names = {s["contender"] for s in self._samples if (s["work"], s["size"]) == (work, FULL)}
        return sorted(names, key=lambda name: self.median(work, name))

    def least(self, work: str, contender: str, field: str = "cpu", size: str = FULL) -> float:
        """The least of a field over all rounds."""
        return float(min(self.all(work, contender, field, size)))

    def net(self, work: str, contender: str) -> float:
        """Seconds without the start-up, which is how long one record takes."""
        return self.median(work, contender) - self.median(work, contender, size=START)

    def net_cpu(self, work: str, contender: str, size: str = FULL) -> float:
        """The least processor seconds without those of the start-up."""
        return self.least(work, contender, size=size) - self.least(work, contender, size=START)

    def server(self, work: str, contender: str) -> float:
        """The share of the time that the server's processor was busy."""
        return self.median(work, contender, "server") / self.median(work, contender)


def write(results: dict[str, Any]) -> None:
    """Write both files."""
    figures = Figures(results["samples"])
    text = "\n\n".join(
        [
            _head(results["about"]),
            _goals(figures),
            _extract(figures, "a", "suite", "## (a) Extraction, no latency"),
            _extract(figures, "dirty", "suite", f"## (a) The same, dirty\n\n{_DIRTY}"),
            _extract(
                figures, "b", "suite", f"## (b) Extraction, 50 ms latency, {CONCURRENCY} requests at once"
            ),
            _extract(figures, "c", "meltano-suite", f"## (c) Into DuckDB\n\n{_MELTANO}"),
            _growth(figures),
        ]
    )
    (FOLDER / "RESULTS.md").write_text(text + "\n", encoding="utf-8")
    (FOLDER / "results.svg").write_text(chart.draw(_panels(figures)), encoding="utf-8")
    print(f"==> {FOLDER / 'RESULTS.md'}")


def _head(about: dict[str, Any]) -> str:
    again = "".join(f" ({work}) was run again at {time}." for work, time in about.get("again", {}).items())
    return f"""# Benchmarks

![The same work done by tap-events and its peers](results.svg)

`make bench` runs all of this again; it takes an hour and wants a quiet machine. Written by
`benchmarks/report.py`, not by hand.

- {about["date"]}, {about["machine"]}, load {about["load"]:.1f} before it, Python {about["python"]}.{again}
- This suite: {about[""]}.
- Peers, each in an environment of its own: {about["sdk"]} (plain tap); {about["dlt"]}; {about["airbyte"]};
  {about["estuary"]}; bare loops: {about["loop"]}; {about["curl"]}.
- The work: 1,000 events with 100 attendees each, 101,000 records of about 450 bytes, in 1,010 full pages.
  Lists of attendees have no total, as the vendor's have none, so that each takes a second request, which the
  server answers with 404. All peers are told so. One local server ([server.py](server.py)) builds its pages
  beforehand. Every run's output is compared with the server's data by count and checksum; a difference ends
  the benchmark.
- All in turn, three rounds, warm; medians of whole processes, with start-up. Those marked ¹ ran once, as
  they take so long. Net is without start-up, which is measured as the time for one event with one attendee.
- CPU is that of all processes of the contender, memory the peak of the largest of them. Server is the
  share of the time that the server was busy, on a core of its own."""


def _goals(f: Figures) -> str:
    suite, dirty = f.least("a", "suite"), f.least("dirty", "suite")
    peer = min(PEERS, key=lambda name: f.least("a", name))
    merges = min(f.median("c", name) for name in ("dlt-merge", "dlt-parquet"))
    tap = f.median("c", "meltano-suite")
    million, hundred = (f.net_cpu("d", "suite", size) for size in ("1x1000000", "1x100000"))
    state = f.median("d", "suite", "state", "10000x100")
    memory = max(f.median("d", "suite", "memory", size) for size in ("10000x100", "1x1000000")) / 1e6
    rows = [
        ("(a) less CPU than any peer", "> 1×", f"{f.least('a', peer) / suite:.2f}× ({LABELS[peer]})"),
        ("(a) less CPU than the plain SDK tap", "", f"{f.least('a', 'sdk') / suite:.1f}×"),
        ("(a) less CPU than dlt's extract stage", "", f"{f.least('a', 'dlt') / suite:.1f}×"),
        *_beside_the_loop(f, "a", "≤ 1.4×"),
        ("(a) dirty, less CPU than the plain SDK tap", "≥ 5.5×", f"{f.least('dirty', 'sdk') / dirty:.1f}×"),
        ("(a) dirty, less CPU than dlt's extract stage", "≥ 2.2×", f"{f.least('dirty', 'dlt') / dirty:.1f}×"),
        *_beside_the_loop(f, "dirty", "≤ 1.8×"),
        (
            f"(a) {CONCURRENCY} requests at once in place of 1, CPU of a row",
            "≤ 3 µs more",
            f"{1e6 * (suite - f.least('a', 'suite-1')) / ROWS:.1f} µs",
        ),
        *_beside_the_latency(f),
        (
            "(c) against the same messages from a file",
            "within 1.1×",
            f"{tap / f.median('c', 'meltano-replay'):.2f}×",
        ),
        ("(c) against dlt's best merge", "≥ 2×", f"{merges / tap:.2f}×"),
        (
            "(d) CPU net of start-up, 100,000 to 1,000,000 children of one parent",
            "10×",
            f"{million / hundred:.1f}×",
        ),
        (
            "(d) 100,000 parents with one child, CPU net of start-up against the bare loop",
            "≤ 2×",
            f"{f.net_cpu('d', 'suite-1', '100000x1') / f.net_cpu('d', 'loop', '100000x1'):.2f}×",
        ),
        ("(d) memory with 1,000,000 children, of one parent or of 10,000", "< 80 MB", f"{memory:.0f} MB"),
        ("(d) STATE of 10,000 events, all messages", "under 100 kB", f"{state / 1e3:.0f} kB"),
    ]
    return "\n".join(["## Goals", "", "| goal | wanted | measured |", "|---|---|---|", *map(_row, rows)])


def _beside_the_loop(f: Figures, work: str, wanted: str) -> list[tuple[str, str, str]]:
    times = f.net_cpu(work, "suite-1") / f.net_cpu(work, "loop")
    kind = "(a) dirty" if work == "dirty" else "(a)"
    return [(f"{kind}, CPU net of start-up against the bare loop", wanted, f"{times:.2f}×")]


def _beside_the_latency(f: Figures) -> list[tuple[str, str, str]]:
    rows = []
    for contender, size, latency, at_once in (
        ("suite", FULL, 0.05, CONCURRENCY),
        ("suite-4", "200x100", 0.2, 4),
    ):
        ideal = f.median("b", contender, "requests", size) * latency / at_once
        net = f.median("b", contender, size=size) - f.median("b", contender, size=START) + 3 * latency
        label = (
            f"(b) {latency * 1000:.0f} ms, {at_once} at once: requests × latency ÷ {at_once}, plus start-up"
        )
        rows.append((label, "≤ 1.08×", f"{net / ideal:.2f}×"))
    return rows


def _extract(f: Figures, work: str, suite: str, title: str) -> str:
    lines = [
        title,
        "",
        "| contender | seconds | range | × this suite | net | CPU | memory | requests | server |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name in f.contenders(work):
        runs = f.all(work, name)
        seconds = median(runs)
        cells = (
            LABELS[name] + ("" if len(runs) > 1 else " ¹"),
            f"{seconds:.2f}",
            f"{min(runs):.2f} to {max(runs):.2f}" if len(runs) > 1 else "",
            f"{seconds / f.median(work, suite):.2f}",
            f"{f.net(work, name):.2f}" if work != "c" else "",
            f"{f.median(work, name, 'cpu'):.2f}",
            f"{f.median(work, name, 'memory') / 1e6:.0f} MB",
            f"{f.median(work, name, 'requests'):,.0f}",
            f"{f.server(work, name):.0%}",
        )
        lines.append(_row(cells))
    return "\n".join(lines)


def _growth(f: Figures) -> str:
    lines = [
        "## (d) Growth",
        "",
        "| contender | events | records | seconds | memory | STATE in all | requests |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for work, name, size in (
        *(("d", "suite", f"{events}x100") for events in (100, 1000, 10_000)),
        ("d", "suite", "1x100000"),
        ("d", "suite", "1x1000000"),
        ("d", "suite-1", "100000x1"),
        ("d", "loop", "100000x1"),
        ("d", "sdk", "100x100"),
        ("a", "sdk", FULL),
    ):
        events, attendees = map(int, size.split("x"))
        cells = (
            LABELS[name],
            f"{events:,}",
            f"{events * (attendees + 1):,}",
            f"{f.median(work, name, size=size):.2f}",
            f"{f.median(work, name, 'memory', size) / 1e6:.0f} MB",
            f"{f.median(work, name, 'state', size) / 1e3:,.0f} kB",
            f"{f.median(work, name, 'requests', size):,.0f}",
        )
        lines.append(_row(cells))
    return "\n".join(lines)


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _panels(f: Figures) -> list[chart.Panel]:
    titles = {
        "a": "Extract 101,000 records, no latency",
        "b": f"The same with 50 ms latency, {CONCURRENCY} requests at once",
        "c": "Into DuckDB",
    }
    return [
        chart.Panel(
            title,
            [chart.Bar(LABELS[name], f.median(work, name), "suite" in name) for name in f.contenders(work)],
        )
        for work, title in titles.items()
    ]
