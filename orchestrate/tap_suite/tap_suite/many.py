"""Runs many units side by side: all of them whatever becomes of some, those with one key in turn."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tap_suite.outcome import Outcome
    from tap_suite.plan import Unit
    from tap_suite.run import Runner

_TICK = 0.2


def run_all(
    units: Sequence[Unit],
    runner: Runner,
    jobs: int,
    tell: Callable[[Unit, Outcome], None],
    retry_after: float | None = None,
) -> dict[str, Outcome]:
    """Run all units.

    Args:
        units: What to run.
        runner: Runs one.
        jobs: How many at once.
        tell: Is told of each that ended.
        retry_after: Seconds after which those are tried once more whose failure may pass; None for never.

    Returns:
        What became of each, by its name.
    """
    outcomes: dict[str, Outcome] = {}

    def run_in_turn(queue: Iterable[Unit]) -> None:
        for unit in queue:
            if runner.stop.signum:
                return
            outcomes[unit.name] = runner.run(unit)
            tell(unit, outcomes[unit.name])

    _side_by_side(units, jobs, run_in_turn)
    again = [unit for unit in units if unit.name in outcomes and outcomes[unit.name].may_pass]
    if again and retry_after is not None and not runner.stop.wait(retry_after):
        _side_by_side(again, jobs, run_in_turn)
    return {unit.name: outcomes.get(unit.name) or runner.not_begun(unit) for unit in units}


def _side_by_side(units: Iterable[Unit], jobs: int, run: Callable[[Iterable[Unit]], None]) -> None:
    """Run queues of units that share a key; the main thread stays free to take signals."""
    queues: dict[str, list[Unit]] = {}
    for unit in units:
        queues.setdefault(unit.key, []).append(unit)
    with ThreadPoolExecutor(jobs) as pool:
        running = {pool.submit(run, queue) for queue in queues.values()}
        while running:
            done, running = wait(running, timeout=_TICK)
            for future in done:
                future.result()
