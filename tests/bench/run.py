#!/usr/bin/env python3
"""Runs the benchmark programs side by side and prints medians and ratios, a row a line: docs/benchmarks.md says what the rows are.

One invocation of one program per row and round, gort, Go and Boost.Fiber in turn, and in the next round the other way round, so that the machine's noise
meets all alike. Status 0; 1 if a program failed (the others' rows are there all the same); 2 for wrong use.
"""
import argparse
import os
import re
import select
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import (Failed, Skipped, check_writable, environment, figure, how_it_ended, in_turn, machine, main, progress, run, run_bench,
                    warm_memory, within, write_json)

ROWS = ["spawn", "yield", "pingpong", "pipe1x1", "pipe4x4", "select4", "mutex1", "mutex8", "sleep10k", "loop", "park100k", "park1m", "sieve",
        "echo100", "echo1k", "echo10k"]
ECHO = {"echo100": 100, "echo1k": 1000, "echo10k": 10000}   # connections
BOOST = {"spawn", "yield", "pingpong", "pipe1x1", "pipe4x4", "mutex1", "mutex8", "sleep10k", "park100k", "sieve"}
PROGRAMS = {"gort": "bench_gort", "go": "bench_go", "boost": "bench_boost"}
SERVERS = {"gort": "echo_gort", "go": "echo_go"}
TITLES = {"gort": "gort", "go": "Go", "boost": "Boost"}
LOAD = "bench_load"
LARGER_IS_BETTER = {"req/s"}
WARM_BYTES = {"park100k": 1 << 30, "park1m": 5 << 30}
SERVER_PATIENCE_S = 15   # with a server's first line, and with its end
STATUS_SKIP = 77         # the load generator's: not permitted here
TABLE = "{:<14} {:>4} {:>11} {:>11} {:>11}  {:<5} {:>8} {:>10}"


# ---- the echo servers ----

def first_line(server, name):
    """The first line of a server's stdout."""
    line, until = b"", time.monotonic() + SERVER_PATIENCE_S
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([server.stdout], [], [], max(0, until - time.monotonic()))
        if not ready:
            raise Failed(f"{name} printed no address within {SERVER_PATIENCE_S} s")
        some = os.read(server.stdout.fileno(), 4096)
        if not some:
            raise Failed(f"{name} {how_it_ended(server.wait(SERVER_PATIENCE_S))} before it printed its address")
        line += some
    return line.decode(errors="replace").strip()


def run_echo(program, row, procs, options):
    """Starts the server, runs the load against it, stops it."""
    load = options.programs / LOAD
    if not load.exists():
        raise Skipped(f"{LOAD} is not built")
    connections = max(1, int(ECHO[row] * options.scale))
    with tempfile.TemporaryFile() as log:
        def said():
            log.seek(0)
            return log.read().decode(errors="replace")
        try:
            server = subprocess.Popen([str(program)], env=environment(procs), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
        except OSError as e:
            raise Failed(f"{program.name} can't be run: {e.strerror}")
        try:
            line = first_line(server, program.name)
            address = re.fullmatch(r"listening on (127\.0\.0\.1:\d+)", line)
            if not address:
                raise Failed(f"{program.name} printed no address but {line!r}")
            status, out, err = run([str(load), "--seconds", str(options.seconds), address[1], str(connections)], procs)
            if status == STATUS_SKIP:
                raise Skipped(err.strip())
            if server.poll() is not None:
                raise Failed(f"{program.name} {how_it_ended(server.returncode)} under load", err)
            if status != 0:
                raise Failed(f"{LOAD}, run against {program.name}, {how_it_ended(status)}", err)
        except Failed as e:
            raise Failed(str(e), e.stderr + "\n" + said())
        finally:
            if server.poll() is None:
                server.terminate()
                try:
                    server.wait(SERVER_PATIENCE_S)
                except subprocess.TimeoutExpired:
                    server.kill()
                    server.wait()
            server.stdout.close()
    lines = [w.split() for w in out.splitlines()]
    found = {w[0]: (float(w[1]), w[2]) for w in lines if len(w) == 3}
    if not {"rate", "p50", "p99"} <= found.keys():
        raise Failed(f"{LOAD} printed {out!r}", err)
    return {row: found["rate"], row + "_p50": found["p50"], row + "_p99": found["p99"]}


# ---- rows ----

def procs_of(row, cpus):
    """With how many Ps a row is run."""
    if row == "loop":
        return [1]
    if row in ECHO:
        return [cpus]
    return [1, cpus] if cpus > 1 else [1]


def ratio(ours, theirs, unit):
    """Below 1: gort is better."""
    if ours is None or theirs is None or ours <= 0 or theirs <= 0:
        return None
    return theirs / ours if unit in LARGER_IS_BETTER else ours / theirs


class Bench:
    def __init__(self, options):
        self.options = options
        self.results, self.failures, self.skipped = [], [], []
        here = options.programs
        self.programs = {who: here / name for who, name in PROGRAMS.items() if (here / name).exists()}
        self.servers = {who: here / name for who, name in SERVERS.items() if (here / name).exists()}
        self.missing = [name for name in (*PROGRAMS.values(), *SERVERS.values(), LOAD) if not (here / name).exists()]

    def takers(self, row, procs):
        if row in ECHO:
            return self.servers
        return {who: p for who, p in self.programs.items() if who != "boost" or (procs == 1 and row in BOOST)}

    def row(self, row, procs):
        """All rounds of a row; adds to the results, prints its lines."""
        takers = self.takers(row, procs)
        values, units, out = {}, {}, {}
        if not takers:
            self.skip(row, None, "no program for it is built")
        for n in range(self.options.rounds):
            for who, program in in_turn(takers.items(), n):
                if who in out:
                    continue
                progress(f"{row}, GOMAXPROCS={procs}, round {n + 1} of {self.options.rounds}, {TITLES[who]}")
                try:
                    if row in WARM_BYTES and self.options.scale == 1:
                        warm_memory(WARM_BYTES[row])
                    found = (run_echo if row in ECHO else run_bench)(program, row, procs, self.options)
                except Skipped as e:
                    out[who] = "n/a"
                    self.skip(row, who, str(e))
                    continue
                except Failed as e:
                    out[who] = "failed"
                    progress("")
                    print(f"bench: row {row}, GOMAXPROCS={procs}, round {n + 1}: {e}" + (f"\n{e.stderr}" if e.stderr else ""), file=sys.stderr, flush=True)
                    self.failures.append({"row": row, "procs": procs, "program": program.name, "problem": str(e), "stderr": e.stderr})
                    continue
                for metric, (value, unit) in found.items():
                    values.setdefault(metric, {}).setdefault(who, []).append(value)
                    if units.setdefault(metric, unit) != unit:
                        raise SystemExit(f"bench: {program.name} gives {metric} in {unit}, another in {units[metric]}")
        progress("")
        for metric in values or ([row] if out else []):
            self.line(metric, procs, units.get(metric, ""), {w: v for w, v in values.get(metric, {}).items() if w not in out}, out)

    def line(self, metric, procs, unit, values, out):
        median = {who: statistics.median(v) for who, v in values.items()}
        ratios = {who: ratio(median.get("gort"), median.get(who), unit) for who in ("go", "boost") if who in median}
        self.results.append({"row": metric, "procs": procs, "unit": unit, "larger_is_better": unit in LARGER_IS_BETTER, "median": median,
                             "ratio": ratios, "rounds": values})
        cells = [out.get(who) or figure(median.get(who)) for who in TITLES]
        print(TABLE.format(metric, procs, *cells, unit, figure(ratios.get("go")), figure(ratios.get("boost"))), flush=True)

    def skip(self, row, who, reason):
        entry = {"row": row, "program": who, "reason": reason}
        if entry not in self.skipped:
            self.skipped.append(entry)

    def run(self):
        o = self.options
        about = machine(self.programs)
        print(TABLE.format("row", "P", *TITLES.values(), "unit", "gort/Go", "gort/Boost"), flush=True)
        for row in o.rows:
            for procs in procs_of(row, about["cpus"]):
                self.row(row, procs)
        print("\nRatios below 1: gort is better, in every row (req/s, of which more is better, is turned over).")
        print(f"Medians of {o.rounds} round{'s' if o.rounds > 1 else ''}, the programs in turn, there and back. Boost.Fiber runs on one thread: its rows are those with P = 1.")
        if o.scale != 1:
            print(f"Sizes times {o.scale:g}: this shows that the rows work; compare nothing.")
        made = {who: about["versions"].get(who) or "?" for who in self.programs}
        print(f"{about['cpus']} CPUs ({about['cpu']}), {about['kernel']}, load average {about['load_average']} at the start; "
              + ", ".join(f"{TITLES[who]}: {text}" for who, text in made.items()) + ".")
        for name in self.missing:
            print(f"Not built: {name}.")
        for s in self.skipped:
            print(f"{s['row']}{', ' + TITLES[s['program']] if s['program'] else ''}: n/a: {s['reason']}")
        for f in self.failures:
            print(f"{f['row']}, P = {f['procs']}: FAILED: {f['problem']}")
        if o.json:
            report = {"machine": about, "rounds": o.rounds, "scale": o.scale, "rows": self.results, "failures": self.failures,
                      "skipped": self.skipped, "not_built": self.missing}
            if not write_json(o.json, report):
                return 1
        return 1 if self.failures else 0


def options_of(argv):
    parser = argparse.ArgumentParser(prog="run.py", description="Measures gort beside Go and Boost.Fiber.", allow_abbrev=False,
                                     epilog="rows: " + " ".join(ROWS))
    parser.add_argument("--rounds", type=within(int, 1, 1000, "a whole number from 1 to 1000"), metavar="N", help="rounds of each row (5)")
    parser.add_argument("--json", metavar="FILE", help="also write the results, every round's, to FILE")
    parser.add_argument("--quick", action="store_true", help="2 rounds, sizes times 0.05, half a second of echo: does everything work?")
    parser.add_argument("--scale", type=within(float, 1e-6, 1, "a number from 0.000001 to 1"), metavar="F", help="sizes times F (1)")
    parser.add_argument("--seconds", type=within(float, 0.05, 600, "a number from 0.05 to 600"), metavar="S", help="length of an echo measurement (3)")
    parser.add_argument("--programs", type=Path, metavar="DIR", default=Path(__file__).resolve().parents[2] / "build/release/tests",
                        help="where the programs are (build/release/tests)")
    parser.add_argument("rows", nargs="*", metavar="ROW", help="only these rows (all)")
    o = parser.parse_args(argv)
    unknown = [r for r in o.rows if r not in ROWS]
    if unknown:
        parser.error(f"no row '{unknown[0]}'; rows: {' '.join(ROWS)}")
    o.rows = [r for r in ROWS if not o.rows or r in o.rows]
    o.rounds = o.rounds or (2 if o.quick else 5)
    o.scale = o.scale or (0.05 if o.quick else 1)
    o.seconds = o.seconds or (0.5 if o.quick else 3)
    if not (o.programs / PROGRAMS["gort"]).exists():
        parser.error(f"{o.programs} holds no {PROGRAMS['gort']}: './tools/dev bench' builds everything and runs this")
    if o.json:
        check_writable(parser, o.json)
    return o


if __name__ == "__main__":
    sys.exit(main(lambda: Bench(options_of(sys.argv[1:])).run()))
