#!/usr/bin/env python3
"""judge.py: does it let pass what is in a list, and nothing else? judge_test.py PROGRAM

PROGRAM is judged.c, built with race detection.
"""
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

JUDGE = Path(__file__).resolve().parent / "judge.py"
PROGRAM = Path(sys.argv.pop(1)).resolve()
COUNT = ["[state.count]", "write writer: state.count = 1;", "read  reader"]
CELL = ["[heap]", "write writer: *cell = 1;", "read  reader: n += *cell;"]


class Judge(unittest.TestCase):
    def setUp(self):
        where = tempfile.TemporaryDirectory()
        self.addCleanup(where.cleanup)
        self.list, self.output = Path(where.name, "list"), Path(where.name, "output")

    def run_program(self, *argument):
        env = dict(os.environ, GORACE="atexit_sleep_ms=0")
        ran = subprocess.run([PROGRAM, *argument], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=60)
        self.output.write_bytes(ran.stdout)
        return ran.returncode if ran.returncode >= 0 else 128 - ran.returncode

    def judge(self, lines, status):
        self.list.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return subprocess.run([sys.executable, JUDGE, "program", self.list, self.output, str(status)], capture_output=True, text=True, check=False)

    def passes(self, lines, status):
        ran = self.judge(lines, status)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        return ran.stdout

    def fails(self, text, lines, status):
        ran = self.judge(lines, status)
        self.assertNotEqual(ran.returncode, 0, "it passed: " + ran.stdout)
        self.assertIn(text, ran.stderr)
        return ran.stderr

    def test_known(self):
        status = self.run_program()
        self.assertIn("2 reports, all known", self.passes(["# why", *COUNT, "", "# why", *CELL], status))

    def test_each_entry_is_needed(self):
        status = self.run_program()
        self.assertIn("[state.count]", self.fails("a race that nobody has examined", CELL, status))
        told = self.fails("a race that nobody has examined: list does not have\n    [heap]\n", COUNT, status)
        self.assertIn("    write writer: *cell = 1;    (judged.c:", told)
        self.assertIn("    read  reader: n += *cell;    (judged.c:", told)

    def test_other_variable_function_line_or_direction(self):
        status = self.run_program()
        for old, new in (("[state.count]", "[state.unused]"), ("[state.count]", "[state]"), ("[state.count]", "[count]"), ("read  reader", "read  read"),
                         ("read  reader", "read  reader: n += *cell;"), ("write writer: state.count = 1;", "write writer: state.count = 10;"),
                         ("write writer: state.count = 1;", "write reader"), ("[heap]", "[stack]"), ("read  reader: n += *cell;", "read  reader: n +=")):
            with self.subTest(new=new):
                self.fails("a race that nobody has examined", [new if line == old else line for line in COUNT + CELL], status)
        swapped = ["[state.count]", "read  writer", "write reader"]
        self.fails("[state.count]", swapped + CELL, status)

    def test_sides_of_two_blocks_make_no_pair(self):
        status = self.run_program()
        self.fails("[heap]", COUNT + ["[heap]", CELL[1], "read  other: x", "[heap]", "write other: x", CELL[2]], status)

    def test_no_list(self):
        status = self.run_program()
        ran = subprocess.run([sys.executable, JUDGE, "program", self.list, self.output, str(status)], capture_output=True, text=True, check=False)
        self.assertEqual(ran.returncode, 1)

    def test_other_reports(self):
        self.fails("a report that is no race and that nobody has examined:\nWARNING: lock-order-inversion", COUNT + CELL, self.run_program("order"))

    def test_status(self):
        self.fails("ended with status 2", COUNT + CELL, self.run_program("abort"))
        status = self.run_program()
        self.assertEqual(status, 66)
        self.fails("ended with status 0", COUNT + CELL, 0)
        self.output.write_text("all is well\n")
        self.passes([], 0)
        self.fails("ended with status 66", [], 66)

    def test_report_that_is_not_seen(self):
        status = self.run_program()
        text = self.output.read_text()
        self.output.write_text(text.replace("WARNING: DATA RACE", "WARNING:", 1))
        self.fails("found 2 races by its own account, 1 are in its output", COUNT + CELL, status)
        self.output.write_text(text.replace("Previous ", "Earlier ", 1))
        self.fails("a report that can't be read", COUNT + CELL, status)

    def test_list_that_makes_no_sense(self):
        self.output.write_text("")
        self.fails("list:1: no entry of a list: writer", ["writer"], 0)
        self.fails("list:1: no entry of a list", ["write writer"], 0)
        self.fails("list:2: no entry of a list", ["[heap]", "write writer"], 0)
        self.fails("[x] has no write, or no read", ["[x]", "write writer"], 0)


if __name__ == "__main__":
    unittest.main()
