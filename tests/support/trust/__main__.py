"""``python -m tests.support.trust``: the whole, some twenty minutes; ``--short``: a glance of each.

Prints the figures of docs/RELIABILITY.md; ends with status 1 if anything happened that must not.
"""

from __future__ import annotations

import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path

from tests.support.trust import adapters, damage, kills


@dataclass(frozen=True)
class Size:
    """How much of each; ``driver`` and ``jax`` count kills, ``runs`` those of which workers are killed."""

    driver: int
    runs: int
    jax: int
    jax_runs: int
    files: int
    adapters: tuple[str, ...]


WHOLE = Size(130, 7, 16, 4, 390, tuple(adapters.EXPECTED))
SHORT = Size(12, 0, 0, 0, 12, ("Exact", "Raises"))

LONGEST = 40
"""A driver is killed within so many steps of its start: further on, and few would be."""


def killed(folder: Path, size: Size) -> kills.Kills:
    """Kill drivers and workers, side by side."""

    def of(name: str, who: str, workers: str, number: int, runs: int, seed: int) -> kills.Kills:
        where = folder / name
        where.mkdir()
        one = kills.Campaign(where, seed)
        if number or runs:
            whole, _ = one.whole(who)
            one.kill_driver(who, whole, number, LONGEST)
            one.kill_workers(workers, whole, runs)
            one.close()
        return one.found

    with ThreadPoolExecutor(3) as pool:
        parts = [
            pool.submit(of, "first", "fakes", "workers", size.driver // 2, 0, 16),
            pool.submit(of, "second", "fakes", "workers", size.driver - size.driver // 2, size.runs, 17),
            pool.submit(of, "real", "jax", "jax-workers", size.jax, size.jax_runs, 18),
        ]
        found = kills.Kills()
        for part in parts:
            one = part.result()
            for name in (f.name for f in fields(found)):
                setattr(found, name, getattr(found, name) + getattr(one, name))
    return found


def damaged(folder: Path, size: Size) -> damage.Damage:
    """Damage everything that is read."""
    one, n = damage.Campaign(folder), size.files
    one.run_files(5 * n)
    one.sealed_headers(n)
    one.sealed_headers(n, "baseline")
    one.sealed_tables(n)
    one.journals(n)
    one.texts(n, n, n)
    one.onnx(n)
    if size is WHOLE:
        one.inflating()
    return one.found


def main() -> int:
    """Do it, and print what came of it."""
    size, began = SHORT if "--short" in sys.argv else WHOLE, time.monotonic()
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(1) as beside:
        folder = Path(temporary)
        later = beside.submit(killed, folder, size)
        files = damaged(folder / "damaged", size)
        print(of_files(files), flush=True)
        odd = adapters.campaign(folder / "truths", list(size.adapters))
        right = odd.adapters - len(odd.wrong)
        print(f"{odd.adapters} adapters, honest and misbehaving: {right} as expected", flush=True)
        processes = later.result()
    print(of_kills(processes))
    print(f"{time.monotonic() - began:,.0f} s")
    for told in (*processes.told, *files.told, *odd.wrong):
        print(f"WRONG {told}")
    return int(bool(processes.wrong or files.wrong or odd.wrong))


def of_kills(found: kills.Kills) -> str:
    """What came of the kills."""
    return (
        f"{found.driver + found.worker} kill points: {found.driver} of the process that asks and writes, "
        f"{found.worker} of workers; {found.real} of them with a real framework (jax)\n"
        f"  {found.lost} verdicts lost, {found.twice} twice, {found.changed} runs with another table or "
        f"other distances, {found.tracebacks} tracebacks, {found.orphans} orphans, {found.left} journals left"
    )


def of_files(found: damage.Damage) -> str:
    """What came of the files."""
    lines = [
        f"{found.files:,} damaged or hostile files: {found.refused.total():,} refused, "
        f"{found.read.total():,} read as what they are",
        f"  {found.changed} read as something else, {found.passed} wrong passes, {found.tracebacks} "
        f"tracebacks, {found.hung} that hang",
    ]
    for reader in sorted(found.refused | found.read):
        lines.append(f"  {reader}: {found.refused[reader]:,} refused, {found.read[reader]:,} read")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
