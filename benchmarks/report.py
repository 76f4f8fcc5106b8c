"""Turns the samples of a run into RESULTS.md and results.svg."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.contenders import CONCURRENCY, Contender

from benchmarks import chart, contenders, pipeline

FOLDER = Path(__file__).parent
REQUESTS = 1010
LATENCY = 0.05
FULL = "1000x100"
START = "1x1"

_MELTANO = (
    "Meltano runs the tap beside the loader and relays between them. In the first round it also asks the tap "
    "for its catalog,\nand keeps that. dlt is told the same keys, so that all merge."
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
        names = {s["contender"] for s in self._samples if s["work"] == work}
        return sorted(names, key=lambda name: self.median(work, name))

    def net(self, work: str, contender: str) -> float:
        """Seconds without the start-up, which is how long one record takes."""
        return self.median(work, contender) - self.median(work, contender, size=START)

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
    return f"""# Benchmarks

![The same work done by tap-events and its peers](results.svg)

`make bench` runs all of this again; it takes about twelve minutes and wants a quiet machine. Written by
`benchmarks/report.py`, not by hand.

- {about["date"]}, {about["machine"]}, load {about["load"]:.1f} before the run, Python {about["python"]}.
- This suite: {about[""]}.
- Peers, each in an environment of its own: {about["sdk"]} (plain tap); {about["dlt"]}; {about["airbyte"]};
  bare loop: {about["loop"]}.
- The work: 1,000 events with 100 attendees each, 101,000 records of about 450 bytes, in 1,010 pages that
  tell the total; from one local server ([server.py](server.py)) whose pages are built beforehand. Every run's
  output is compared with the server's data by count and checksum; a difference ends the benchmark.
- All in turn, three rounds, warm; medians of whole processes, with start-up. Those marked ¹ ran once, as
  they take so long. Net is without start-up, which is measured as the time for one event with one attendee.
- CPU is that of all processes of the contender, memory the peak of the largest of them. Server is the
  share of the time that the server was busy, on a core of its own."""


def _goals(f: Figures) -> str:
    suite = f.median("a", "suite")
    ideal = REQUESTS * LATENCY / CONCURRENCY
    start = f.median("b", "suite", size=START)
    merges = min(f.median("c", name) for name in ("dlt-merge", "dlt-parquet"))
    tap = f.median("c", "meltano-suite")
    dlt = min(f.median("a", name) for name in ("dlt", "dlt-10"))
    state = f.median("d", "suite", "state", "10000x100")
    memory = f.median("d", "suite", "memory", "10000x100") / 1e6
    small, large = (
        f.median("d", "suite", size=size) - f.median("d", "suite", size=START) for size in (FULL, "10000x100")
    )
    rows = [
        ("(a) against the plain SDK tap", "7× faster", f"{f.median('a', 'sdk') / suite:.1f}×"),
        ("(a) against dlt's extract stage, the faster of two ways", "2× faster", f"{dlt / suite:.1f}×"),
        ("(a) against the Airbyte CDK", "5× faster", f"{f.median('a', 'airbyte') / suite:.1f}×"),
        ("(a) net, against the bare loop", "within 2×", f"{f.net('a', 'suite') / f.net('a', 'loop'):.2f}×"),
        (
            f"(b) against requests × latency ÷ concurrency ({ideal:.2f} s) and start-up",
            "within 1.15×",
            f"{(f.median('b', 'suite') - start) / ideal:.2f}×",
        ),
        (
            "(c) against the same messages from a file",
            "within 1.1×",
            f"{tap / f.median('c', 'meltano-replay'):.2f}×",
        ),
        ("(c) against dlt's best merge", "faster", f"{merges / tap:.2f}×"),
        ("(d) net time from 1,000 to 10,000 events", "10×", f"{large / small:.1f}×"),
        ("(d) STATE of 10,000 events, all messages", "under 100 kB", f"{state / 1e3:.0f} kB"),
        ("(d) memory with 10,000 events", "under 150 MB", f"{memory:.0f} MB"),
    ]
    return "\n".join(["## Goals", "", "| goal | wanted | measured |", "|---|---|---|", *map(_row, rows)])


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
    for work, name, events in (
        *(("d", "suite", events) for events in (100, 1000, 10_000)),
        ("d", "sdk", 100),
        ("a", "sdk", 1000),
    ):
        size = f"{events}x100"
        cells = (
            LABELS[name],
            f"{events:,}",
            f"{events * 101:,}",
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
