"""What the two runners of benchmarks share: programs that print lines "METRIC VALUE UNIT" are run, and what goes wrong with them is said."""
import argparse
import json
import mmap
import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

PATIENCE_S = 300         # with one invocation
MADV_POPULATE_WRITE = 23


class Failed(Exception):
    """A program failed: what happened, and its stderr."""

    def __init__(self, problem, stderr=""):
        super().__init__(problem)
        self.stderr = stderr.strip()


class Skipped(Exception):
    """There is nothing to measure here, for this reason."""


# ---- the programs ----

def environment(procs):
    env = {k: v for k, v in os.environ.items() if k not in ("GOGC", "GODEBUG", "GOMEMLIMIT", "GOTRACEBACK")}
    env["GOMAXPROCS"] = str(procs)
    return env


def how_it_ended(status):
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"


def run(argv, procs):
    """Runs a program to its end; (status, stdout, stderr)."""
    name = Path(argv[0]).name
    try:
        p = subprocess.run(argv, env=environment(procs), stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                           timeout=PATIENCE_S)
    except subprocess.TimeoutExpired as e:
        err = e.stderr or b""
        raise Failed(f"{name} did not end within {PATIENCE_S} s", err if isinstance(err, str) else err.decode(errors="replace"))
    except OSError as e:
        raise Failed(f"{name} can't be run: {e.strerror}")
    return p.returncode, p.stdout, p.stderr


def in_turn(contenders, n):
    """A round's order: there, and back in the next one. Who comes after one that gave much memory back finds it cold, and the processor with the host."""
    return list(contenders) if n % 2 == 0 else list(contenders)[::-1]


def warm_memory(size):
    """Touches as much memory as a large row needs and gives it back: in a virtual machine the first use of a page costs the host's work too, some
    microseconds, and whoever ran first, or needs more, would pay it for all."""
    try:
        fields = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        if int(fields["MemAvailable"].split()[0]) << 10 > 2 * size:
            with mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as m:
                m.madvise(MADV_POPULATE_WRITE)
    except (OSError, KeyError, ValueError):
        pass   # an older kernel: then it stays cold


def parse(name, row, text):
    """A program's lines "METRIC VALUE UNIT" or "METRIC n/a REASON"; {metric: (value, unit)}."""
    found = {}
    for line in text.splitlines():
        words = line.split(None, 2)
        if len(words) == 3 and words[1] == "n/a":
            raise Skipped(words[2])
        try:
            metric, value, unit = words
            found[metric] = float(value), unit
        except ValueError:
            raise Failed(f"{name} printed a line that is no result: {line!r}")
    if not found or any(m != row and not m.startswith(row + "_") for m in found):
        raise Failed(f"{name} printed no result for row {row}" if not found else f"{name} printed other rows than {row}: {' '.join(found)}")
    return found


def run_bench(program, row, procs, options, prefix=()):
    status, out, err = run([*prefix, str(program)] + (["--scale", str(options.scale)] if options.scale != 1 else []) + [row], procs)
    if status != 0:
        raise Failed(f"{program.name} {how_it_ended(status)}", err)
    return parse(program.name, row, out)


def version(program):
    """What the program says of its making, or None."""
    try:
        status, out, _ = run([str(program), "--version"], 1)
    except Failed:
        return None
    return out.strip() if status == 0 and out.strip() else None


# ---- the machine ----

def machine(programs):
    cpu = platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                cpu = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    return {"cpus": len(os.sched_getaffinity(0)), "cpu": cpu, "kernel": f"{platform.system()} {platform.release()}",
            "load_average": round(os.getloadavg()[0], 2),
            "versions": {who: version(p) for who, p in programs.items()}}


# ---- figures and options ----

def figure(v):
    if v is None:
        return "-"
    size = abs(v)
    return f"{v:.{0 if size >= 10000 else 1 if size >= 100 else 2 if size >= 0.1 else 4}f}"


def progress(text):
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K" + (f"bench: {text}" if text else ""))
        sys.stderr.flush()


def within(kind, low, high, words):
    """An argument's type: a number of that kind from low to high."""
    def convert(text):
        try:
            v = kind(text)
        except ValueError:
            v = None
        if v is None or not low <= v <= high:
            raise argparse.ArgumentTypeError(f"'{text}' is not {words}")
        return v
    return convert


def check_writable(parser, path):
    try:   # now, not after an hour
        with open(path, "a"):
            pass
    except OSError as e:
        parser.error(f"can't write {path}: {e.strerror}")


def write_json(path, report):
    """True if that could be done."""
    text = json.dumps(report, indent=1, allow_nan=False) + "\n"
    try:
        Path(path).write_text(text)
    except OSError as e:
        print(f"bench: can't write {path}: {e.strerror}", file=sys.stderr)
        return False
    return True


def main(run_all):
    """Runs run_all() to its status; an interruption stops what was started."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))   # an exception: what was started is stopped
    try:
        return run_all()
    except KeyboardInterrupt:
        print("\nbench: interrupted", file=sys.stderr)
        return 130
