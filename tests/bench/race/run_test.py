#!/usr/bin/env python3
"""The race bench's program and runner, at tiny sizes: do they work, and do they say what is wrong? run_test.py PLAIN RACE

PLAIN and RACE are bench_race.c built with gort. What stands for the other detectors are small scripts that do well or go wrong on purpose. No
time is ever judged.
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

RUN = Path(__file__).resolve().parent / "run.py"
RACE = Path(sys.argv.pop(2)).resolve()
PLAIN = Path(sys.argv.pop(1)).resolve()
sys.path.insert(0, str(RUN.parent))
sys.dont_write_bytecode = True
import run as runner   # noqa: E402


class Case(unittest.TestCase):
    def setUp(self):
        self.work = tempfile.TemporaryDirectory()
        self.addCleanup(self.work.cleanup)
        self.dir = Path(self.work.name)
        (self.dir / "gort-gcc-plain").symlink_to(PLAIN)
        (self.dir / "gort-gcc-race").symlink_to(RACE)

    def script(self, name, text):
        """A program that stands for a real one."""
        path = self.dir / name
        path.unlink(missing_ok=True)   # never write through the link to the real one
        path.write_text(f"#!{sys.executable}\nimport sys\nrow = sys.argv[-1]\n{text}\n")
        path.chmod(0o755)

    def run_rows(self, *args):
        """Runs the runner; (status, stdout, stderr, the JSON)."""
        report = self.dir / "report.json"
        p = subprocess.run([sys.executable, str(RUN), "--programs", str(self.dir), "--rounds", "1", "--scale", "0.0005", "--json", str(report), *args],
                           capture_output=True, text=True, timeout=250)
        self.assertNotIn("Traceback", p.stderr)
        return p.returncode, p.stdout, p.stderr, json.loads(report.read_text()) if report.exists() and report.read_text() else None


class Rows(Case):
    def test_every_row_of_gort(self):
        """Each row runs to its end, plain and under the detector, with its time and its peak; none of them has a race."""
        status, out, err, report = self.run_rows()
        self.assertEqual(status, 0, out + err)
        self.assertEqual([r["row"] for r in report["rows"]], runner.ROWS)
        for r in report["rows"]:
            self.assertEqual(set(r["time"]), {"gort-gcc-plain", "gort-gcc-race"}, r["row"])
            self.assertEqual(set(r["peak_mib"]), {"gort-gcc-plain", "gort-gcc-race"}, r["row"])
            self.assertGreater(r["peak_mib"]["gort-gcc-plain"], 0)
            self.assertRegex(out, rf"(?m)^{r['row']} +gort, gcc +[0-9.]+ +[0-9.]+ {r['unit']} ")
        self.assertIn("Not built: tsan-clang-race.", out)

    def test_comparison(self):
        """Time, slowdown and peak are each compared with the best of the others."""
        for name, time, peak in (("gort-gcc-plain", 2, 1), ("gort-gcc-race", 10, 60), ("tsan-gcc-plain", 1, 1), ("tsan-gcc-race", 20, 30),
                                 ("go-plain", 20, 1), ("go-race", 40, 40)):
            self.script(name, f"print(row, {time}, 'ns')\nprint(row + '_peak', {peak}, 'MiB')")
        status, out, err, report = self.run_rows("sum", "write")
        self.assertEqual(status, 0, out + err)
        self.assertEqual(len(report["rows"]), 2)
        first = report["rows"][0]
        self.assertEqual(first["slowdown"], {"gort-gcc": 5, "tsan-gcc": 20, "go": 2})
        self.assertEqual(first["versus_best"]["gort-gcc"], {"time": 0.5, "slowdown": 2.5, "peak": 2})
        self.assertRegex(out, r"gort, gcc / best of the others: time 0\.50, slowdown 2\.50, peak 2\.00")

    def test_groups_of_rows(self):
        for who in ("gort-gcc-plain", "gort-gcc-race"):
            self.script(who, "print(row, 1, 'ns')")
        _, _, _, report = self.run_rows("scale", "sum")
        self.assertEqual([r["row"] for r in report["rows"]], ["sum", *runner.SCALE])


class Failures(Case):
    def test_a_failing_program_is_named_and_the_run_goes_on(self):
        self.script("go-race", "sys.exit('race: limit on goroutines') if row == 'sum' else print(row, 1.5, 'ns')")
        self.script("tsan-gcc-race", "import os\nos.kill(os.getpid(), 11)")
        self.script("tsan-clang-race", "print('hello')")
        status, out, err, report = self.run_rows("sum", "write")
        self.assertEqual(status, 1)
        self.assertIn("race: limit on goroutines", err)
        self.assertIn("tsan-gcc-race was ended by SIGSEGV", err)
        self.assertIn("is no result", err)
        self.assertRegex(out, r"(?m)^sum +Go +- +failed ")
        self.assertRegex(out, r"(?m)^write +Go +- +1\.50 ")
        self.assertRegex(out, r"(?m)^write +gort, gcc +[0-9.]+ +[0-9.]+ ns ")
        self.assertEqual([f["row"] for f in report["failures"] if f["program"] == "go-race"], ["sum"])

    def test_a_row_that_a_program_cannot_do(self):
        self.script("go-race", "print(row, 'n/a nothing like it')")
        status, out, err, _ = self.run_rows("pmutex1")
        self.assertEqual(status, 0, out + err)
        self.assertIn("pmutex1, Go: n/a: nothing like it", out)

    def test_a_peak_alone_is_no_result(self):
        self.script("go-race", "print(row + '_peak', 1, 'MiB')")
        status, _, err, _ = self.run_rows("sum")
        self.assertEqual(status, 1)
        self.assertIn("go-race printed no result for row sum", err)

    def test_wrong_use(self):
        for args, problem in ((["nonesuch"], "no row 'nonesuch'"), (["--nonesuch"], "--nonesuch"), (["--rounds", "0"], "'0' is not"),
                              (["--scale", "2"], "'2' is not"), (["--json", str(self.dir / "no" / "file")], "can't write"),
                              (["--programs", str(self.dir / "no")], "holds no gort-gcc-race")):
            p = subprocess.run([sys.executable, str(RUN), "--programs", str(self.dir), *args], capture_output=True, text=True, timeout=60)
            self.assertEqual(p.returncode, 2, args)
            self.assertIn(problem, p.stderr)
            self.assertNotIn("Traceback", p.stderr)

    def test_wrong_use_of_the_program(self):
        for args, problem in ((["nonesuch"], "no row 'nonesuch'"), (["--scale"], "--scale needs"), (["--scale", "1x", "sum"], "--scale needs")):
            p = subprocess.run([str(RACE), *args], capture_output=True, text=True, timeout=60)
            self.assertEqual((p.returncode, p.stdout), (2, ""), args)
            self.assertIn(problem, p.stderr)


if __name__ == "__main__":
    os.environ.pop("GORACE", None)
    unittest.main()
