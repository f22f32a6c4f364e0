"""The program behind `scripts/fuzz`."""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from fuzz.campaign import Result, run_target
from fuzz.targets import GROUPS, TARGETS


def main() -> int:
    """Run the targets, and print a line for each."""
    names = {group: list(targets) for group, targets in GROUPS.items()} | {name: [name] for name in TARGETS}
    parser = argparse.ArgumentParser(
        prog="scripts/fuzz",
        description="Feed damaged and hostile files to everything that reads files. The inputs that break a rule "
        "are kept in tests/fuzz/kept/TARGET, and the exit code is 1 then.",
        epilog=f"groups: {', '.join(GROUPS)}; targets: {', '.join(TARGETS)}",
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="targets or groups (default: all)")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each target (default: 60)")
    parser.add_argument("--seed", type=int, help="of the changes (default: the time)")
    parser.add_argument("--jobs", type=int, default=1, help="targets at the same time (default: 1)")
    args = parser.parse_args()
    if unknown := [name for name in args.targets if name not in names]:
        parser.error(f"there is no target or group {', '.join(unknown)}")
    chosen = [one for name in args.targets or GROUPS for one in names[name]]
    seed = int(time.time()) if args.seed is None else args.seed
    print(f"seed {seed}", flush=True)

    def run(name: str) -> Result:
        result = run_target(name, args.seconds, seed=seed, is_native=TARGETS[name].is_native)
        native = f", {result.native} native crashes" if TARGETS[name].is_native else ""
        counts = (
            f"{result.executions:,} executions, {result.outcomes} outcomes, {len(result.finds)} finds{native}"
        )
        print(f"{name}: {counts}", flush=True)
        for kind, (path, text) in result.first.items():
            print(f"  {kind}, {result.finds[kind]} times: {path}\n{text}", flush=True)
        return result

    with ThreadPoolExecutor(args.jobs) as pool:
        results = list(pool.map(run, chosen))
    return int(any(result.finds for result in results))


if __name__ == "__main__":
    sys.exit(main())
