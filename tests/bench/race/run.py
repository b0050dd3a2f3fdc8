#!/usr/bin/env python3
"""Measures what race detection costs: gort's detector beside ThreadSanitizer and Go -race on the same kernels. docs/benchmarks.md says what the rows are.

Each contender is a pair of programs, plain and under its detector. One invocation per row, program and round, all in turn, so that the machine's
noise meets all alike. Status 0; 1 if a program failed (the others' rows are there all the same); 2 for wrong use.
"""
import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import Failed, Skipped, check_writable, figure, in_turn, machine, main, progress, run_bench, warm_memory, within, write_json

PLAIN = ["sum", "write", "random", "hash", "matrix", "records", "copy", "epochs", "handed"]
SYNC = ["mutex1", "mutex2", "mutex8", "pmutex1", "pmutex2", "pmutex8", "atomic1", "atomic2", "pingpong", "pipe", "spawn"]
SCALE = ["scale1k", "scale10k", "scale100k", "scale300k"]
ROWS = PLAIN + SYNC + SCALE
WARM_BYTES = {"scale100k": 2 << 30, "scale300k": 4 << 30}
TITLES = {"gort-gcc": "gort, gcc", "gort-clang": "gort, clang", "tsan-gcc": "TSan, gcc", "tsan-clang": "TSan, clang", "go": "Go"}
OURS = ["gort-gcc", "gort-clang"]
KINDS = ["plain", "race"]
TABLE = "{:<10} {:<12} {:>10} {:>10} {:<5} {:>9} {:>11} {:>10}"


def same_addresses():
    """ThreadSanitizer's own mappings collide with some kernels' random addresses: it is run without them where that is allowed."""
    setarch = shutil.which("setarch")
    if not setarch:
        return []
    prefix = [setarch, platform.machine(), "-R"]
    return prefix if subprocess.run([*prefix, "true"], capture_output=True).returncode == 0 else []


class Bench:
    def __init__(self, options):
        self.options = options
        self.results, self.failures, self.skipped = [], [], []
        every = {(who, kind): options.programs / f"{who}-{kind}" for who in TITLES for kind in KINDS}
        self.programs = {key: p for key, p in every.items() if p.exists()}
        self.missing = [p.name for p in every.values() if not p.exists()]
        self.prefix = same_addresses()

    def row(self, row, procs):
        """All rounds of a row: a line for each contender, and one that compares."""
        found, units, out = {}, {}, {}
        for n in range(self.options.rounds):
            for (who, kind), program in in_turn(self.programs.items(), n):
                if (who, kind) in out:
                    continue
                progress(f"{row}, round {n + 1} of {self.options.rounds}, {program.name}")
                prefix = self.prefix if (who.startswith("tsan"), kind) == (True, "race") else []
                try:
                    if row in WARM_BYTES and self.options.scale == 1:
                        warm_memory(WARM_BYTES[row])
                    metrics = run_bench(program, row, procs, self.options, prefix)
                    if row not in metrics:
                        raise Failed(f"{program.name} printed no result for row {row}")
                except Skipped as e:
                    out[who, kind] = "n/a"
                    entry = {"row": row, "program": who, "reason": str(e)}
                    if entry not in self.skipped:
                        self.skipped.append(entry)
                    continue
                except Failed as e:
                    out[who, kind] = "failed"
                    progress("")
                    print(f"bench: row {row}, round {n + 1}: {e}" + (f"\n{e.stderr}" if e.stderr else ""), file=sys.stderr, flush=True)
                    self.failures.append({"row": row, "program": program.name, "problem": str(e), "stderr": e.stderr})
                    continue
                for metric, (value, unit) in metrics.items():
                    if units.setdefault(metric, unit) != unit:
                        raise SystemExit(f"bench: {program.name} gives {metric} in {unit}, another in {units[metric]}")
                    found.setdefault(metric, {}).setdefault((who, kind), []).append(value)
        progress("")
        self.report(row, found, units, out)

    def report(self, row, found, units, out):
        median = {metric: {key: statistics.median(v) for key, v in by.items() if key not in out} for metric, by in found.items()}
        time, peak = median.get(row, {}), median.get(row + "_peak", {})
        slowdown = {who: time[who, "race"] / time[who, "plain"] for who in TITLES if {(who, k) for k in KINDS} <= time.keys() and time[who, "plain"] > 0}
        versus = {}
        for who in OURS:
            versus[who] = {}
            for name, values in (("time", {w: time.get((w, "race")) for w in TITLES}), ("slowdown", slowdown),
                                 ("peak", {w: peak.get((w, "race")) for w in TITLES})):
                others = [values[w] for w in TITLES if w not in OURS and values.get(w)]
                if values.get(who) and others:
                    versus[who][name] = values[who] / min(others)
        for who, title in TITLES.items():
            if not any(w == who for w, _ in self.programs):
                continue
            cells = [out.get((who, k)) or figure(time.get((who, k))) for k in KINDS]
            print(TABLE.format(row, title, *cells, units.get(row, ""), figure(slowdown.get(who)), *[figure(peak.get((who, k))) for k in KINDS]), flush=True)
        for who in OURS:
            if versus[who]:
                print(f"{'':<10} {TITLES[who]} / best of the others: " + ", ".join(f"{name} {figure(v)}" for name, v in versus[who].items()), flush=True)
        self.results.append({"row": row, "unit": units.get(row, ""), "versus_best": versus, "slowdown": slowdown,
                             "time": {f"{w}-{k}": v for (w, k), v in time.items()}, "peak_mib": {f"{w}-{k}": v for (w, k), v in peak.items()},
                             "rounds": {m: {f"{w}-{k}": v for (w, k), v in by.items()} for m, by in found.items()}})

    def run(self):
        o = self.options
        procs = len(os.sched_getaffinity(0))
        about = machine({f"{who}-{kind}": p for (who, kind), p in self.programs.items() if kind == "plain"})
        print(TABLE.format("row", "detector", "plain", "race", "unit", "slowdown", "MiB plain", "MiB race"), flush=True)
        for row in o.rows:
            self.row(row, procs)
        print("\nRatios below 1: gort is better. Time and slowdown are compared with the best of the others in each, MiB is the most that was ever resident.")
        print(f"Medians of {o.rounds} round{'s' if o.rounds > 1 else ''}, the programs in turn, there and back.")
        if o.scale != 1:
            print(f"Sizes times {o.scale:g}: this shows that the rows work; compare nothing.")
        made = ", ".join(f"{TITLES[who.removesuffix('-plain')]}: {text or '?'}" for who, text in about["versions"].items())
        print(f"{about['cpus']} CPUs ({about['cpu']}), {about['kernel']}, load average {about['load_average']} at the start; {made}.")
        for name in self.missing:
            print(f"Not built: {name}.")
        for s in self.skipped:
            print(f"{s['row']}, {TITLES[s['program']]}: n/a: {s['reason']}")
        for f in self.failures:
            print(f"{f['row']}, {f['program']}: FAILED: {f['problem']}")
        if o.json and not write_json(o.json, {"machine": about, "rounds": o.rounds, "scale": o.scale, "rows": self.results, "failures": self.failures,
                                              "skipped": self.skipped, "not_built": self.missing}):
            return 1
        return 1 if self.failures else 0


def options_of(argv):
    parser = argparse.ArgumentParser(prog="bench race", description="Measures what race detection costs, gort's beside ThreadSanitizer's and Go's.",
                                     allow_abbrev=False, epilog="rows: " + " ".join(ROWS) + "; plain, sync, scale: all of these")
    parser.add_argument("--rounds", type=within(int, 1, 1000, "a whole number from 1 to 1000"), metavar="N", help="rounds of each row (3)")
    parser.add_argument("--json", metavar="FILE", help="also write the results, every round's, to FILE")
    parser.add_argument("--quick", action="store_true", help="1 round, sizes times 0.02: does everything work?")
    parser.add_argument("--scale", type=within(float, 1e-6, 1, "a number from 0.000001 to 1"), metavar="F", help="sizes times F (1)")
    parser.add_argument("--programs", type=Path, metavar="DIR", default=Path(__file__).resolve().parents[3] / "build/race-bench/programs",
                        help="where the programs are (build/race-bench/programs)")
    parser.add_argument("rows", nargs="*", metavar="ROW", help="only these rows (all)")
    o = parser.parse_args(argv)
    groups = {"plain": PLAIN, "sync": SYNC, "scale": SCALE}
    unknown = [r for r in o.rows if r not in ROWS and r not in groups]
    if unknown:
        parser.error(f"no row '{unknown[0]}'; rows: {' '.join(ROWS)}, or plain, sync, scale")
    wanted = {r for name in o.rows for r in groups.get(name, [name])}
    o.rows = [r for r in ROWS if not wanted or r in wanted]
    o.rounds = o.rounds or (1 if o.quick else 3)
    o.scale = o.scale or (0.02 if o.quick else 1)
    if not any((o.programs / f"{who}-race").exists() for who in OURS):
        parser.error(f"{o.programs} holds no gort-gcc-race: './tools/dev bench race' builds everything and runs this")
    if o.json:
        check_writable(parser, o.json)
    return o


if __name__ == "__main__":
    sys.exit(main(lambda: Bench(options_of(sys.argv[1:])).run()))
