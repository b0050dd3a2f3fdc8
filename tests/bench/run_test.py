#!/usr/bin/env python3
"""The benchmark programs, the load generator and the runner, at tiny sizes: do they work, and do they say what is wrong? run_test.py DIR

DIR holds bench_gort and bench_load, and echo_gort where it can be built. What stands for Go and Boost here are small scripts that do well
or go wrong on purpose. No time is ever judged.
"""
import json
import os
import re
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

RUN = Path(__file__).resolve().parent / "run.py"
BUILT = Path(sys.argv.pop(1)).resolve()
COMPUTE = ["spawn", "yield", "pingpong", "pipe1x1", "pipe4x4", "select4", "mutex1", "mutex8", "sleep10k", "loop", "park100k", "park1m", "sieve"]
METRICS = {"sleep10k": ["_p50", "_p99"], "loop": ["_p50", "_p99"], "park100k": ["", "_bytes", "_wake"], "park1m": ["", "_bytes", "_wake"]}
CPUS = len(os.sched_getaffinity(0))

ECHO_SCRIPT = """
import socket, threading
def serve(c):
    while True:
        b = c.recv(1024)
        if not b:
            return
        c.sendall(b)
l = socket.create_server(("127.0.0.1", 0))
print("listening on 127.0.0.1:%d" % l.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(l.accept()[0],), daemon=True).start()
"""


class Case(unittest.TestCase):
    def setUp(self):
        self.work = tempfile.TemporaryDirectory()
        self.addCleanup(self.work.cleanup)
        self.dir = Path(self.work.name)
        for name in ("bench_gort", "bench_load", "echo_gort"):
            if (BUILT / name).exists():
                (self.dir / name).symlink_to(BUILT / name)

    def script(self, name, text):
        """A program that stands for a real one."""
        path = self.dir / name
        path.unlink(missing_ok=True)   # never write through the link to the real one
        path.write_text(f"#!{sys.executable}\n{text}\n")
        path.chmod(0o755)

    def run_rows(self, *args):
        """Runs the runner; (status, stdout, stderr, the JSON)."""
        report = self.dir / "report.json"
        p = subprocess.run([sys.executable, str(RUN), "--programs", str(self.dir), "--rounds", "1", "--scale", "0.001", "--seconds", "0.1",
                            "--json", str(report), *args], capture_output=True, text=True, timeout=200)
        self.assertNotIn("Traceback", p.stderr)
        return p.returncode, p.stdout, p.stderr, json.loads(report.read_text()) if report.exists() and report.read_text() else None


class Rows(Case):
    def test_every_row_of_gort(self):
        """Each row runs to its end, gives all of its figures for each number of Ps, and the JSON says the same as the table."""
        status, out, err, report = self.run_rows()
        self.assertEqual(status, 0, out + err)
        self.assertEqual(report["failures"], [])
        got = {(r["row"], r["procs"]): r for r in report["rows"]}
        for row in COMPUTE:
            for metric in METRICS.get(row, [""]):
                for procs in {1} if row == "loop" else {1, CPUS}:
                    r = got[row + metric, procs]
                    self.assertIsInstance(r["median"]["gort"], float)
                    self.assertEqual(r["rounds"]["gort"], [r["median"]["gort"]])
                    self.assertRegex(out, rf"(?m)^{row}{metric} +{procs} +-?[0-9.]+ +- +- +{r['unit']} ")
        for row in ("echo100", "echo1k", "echo10k"):
            if (self.dir / "echo_gort").exists():
                self.assertTrue(got[row, CPUS]["larger_is_better"])
                self.assertIn("gort", got[row + "_p99", CPUS]["median"])
            else:
                self.assertIn(row, [s["row"] for s in report["skipped"]])
        self.assertIn("bench_go", report["not_built"])
        self.assertIn("Not built: bench_go.", out)

    def test_rows_are_chosen_and_compared(self):
        """Medians and ratios are right, and below 1 means that gort is better whichever way the unit goes."""
        self.script("bench_gort", "print('spawn 50 ns')")
        self.script("bench_go", "print('spawn 100 ns')")
        self.script("bench_boost", "print('spawn 25 ns')")
        status, out, err, report = self.run_rows("spawn")
        self.assertEqual(status, 0, out + err)
        first = report["rows"][0]
        self.assertEqual((first["procs"], first["ratio"]), (1, {"go": 0.5, "boost": 2.0}))
        self.assertNotIn("yield", out)
        if CPUS > 1:   # Boost runs with one P only
            self.assertEqual(report["rows"][1]["ratio"], {"go": 0.5})

    def test_more_requests_are_better(self):
        sys.path.insert(0, str(RUN.parent))
        sys.dont_write_bytecode = True
        import run
        self.assertEqual(run.ratio(200, 100, "req/s"), 0.5)
        self.assertEqual(run.ratio(200, 100, "ns"), 2)
        self.assertIsNone(run.ratio(0, 100, "ns"))
        self.assertIsNone(run.ratio(None, 100, "ns"))


class Failures(Case):
    def test_a_failing_program_is_named_and_the_run_goes_on(self):
        self.script("bench_go", "import sys\nif sys.argv[-1] == 'yield': sys.exit('out of gophers')\nprint(sys.argv[-1], 1.5, 'ns')")
        status, out, err, report = self.run_rows("yield", "mutex1")
        self.assertEqual(status, 1)
        self.assertIn("bench_go ended with status 1", err)
        self.assertIn("out of gophers", err)
        self.assertRegex(out, r"(?m)^yield +1 +[0-9.]+ +failed ")
        self.assertRegex(out, r"(?m)^mutex1 +1 +[0-9.]+ +1\.50 ")
        self.assertEqual({f["program"] for f in report["failures"]}, {"bench_go"})

    def test_a_signal_is_named(self):
        self.script("bench_go", "import os\nos.kill(os.getpid(), 11)")
        status, _, err, _ = self.run_rows("yield")
        self.assertEqual(status, 1)
        self.assertIn("bench_go was ended by SIGSEGV", err)

    def test_nonsense_is_not_a_result(self):
        for text, problem in (("print('hello')", "is no result"), ("print('spawn 1 ns')", "other rows"), ("pass", "no result")):
            self.script("bench_go", text)
            status, _, err, _ = self.run_rows("yield")
            self.assertEqual(status, 1)
            self.assertIn(problem, err)

    def test_a_row_that_a_program_cannot_do(self):
        self.script("bench_boost", "print('park100k n/a no memory for stacks')")
        status, out, err, _ = self.run_rows("park100k")
        self.assertEqual(status, 0, out + err)
        self.assertRegex(out, r"(?m)^park100k +1 +[0-9.]+ +- +n/a ")
        self.assertIn("no memory for stacks", out)

    def test_wrong_use(self):
        for args, problem in ((["nonesuch"], "no row 'nonesuch'"), (["--nonesuch"], "--nonesuch"), (["--rounds", "0"], "'0' is not"),
                              (["--rounds", "x"], "'x' is not"), (["--scale", "2"], "'2' is not"), (["--seconds", "-1"], "'-1' is not"),
                              (["--rounds"], "expected one argument"), (["--json", str(self.dir / "no" / "file")], "can't write"),
                              (["--programs", str(self.dir / "no")], "holds no bench_gort")):
            p = subprocess.run([sys.executable, str(RUN), "--programs", str(self.dir), *args], capture_output=True, text=True, timeout=60)
            self.assertEqual(p.returncode, 2, args)
            self.assertIn(problem, p.stderr)
            self.assertNotIn("Traceback", p.stderr)
        p = subprocess.run([sys.executable, str(RUN), "--help"], capture_output=True, text=True, timeout=60)
        self.assertEqual(p.returncode, 0)
        self.assertIn("echo10k", p.stdout)

    def test_wrong_use_of_bench_gort(self):
        for args, problem in ((["nonesuch"], "no row 'nonesuch'"), (["--scale"], "--scale needs"), (["--scale", "0"], "--scale needs"),
                              (["--scale", "1x", "spawn"], "--scale needs"), (["--nonesuch"], "no row '--nonesuch'")):
            p = subprocess.run([str(BUILT / "bench_gort"), *args], capture_output=True, text=True, timeout=60)
            self.assertEqual((p.returncode, p.stdout), (2, ""), args)
            self.assertIn(problem, p.stderr)


class Echo(Case):
    def test_a_server_is_started_loaded_and_stopped(self):
        self.script("echo_go", ECHO_SCRIPT + "\n# marker")
        status, out, err, report = self.run_rows("echo1k")
        self.assertEqual(status, 0, out + err)
        got = {r["row"]: r for r in report["rows"]}
        self.assertEqual({r["unit"] for r in got.values()}, {"req/s", "us"})
        self.assertGreater(got["echo1k"]["median"]["go"], 0)
        ps = subprocess.run(["pgrep", "-f", str(self.dir / "echo_go")], capture_output=True, text=True) if os.path.exists("/usr/bin/pgrep") else None
        self.assertTrue(ps is None or ps.stdout == "", "the server still runs")

    def test_servers_that_go_wrong(self):
        for text, problem in (("import sys; sys.exit('no port today')", "no port today"), ("print('what?')", "printed no address but 'what?'"),
                              ("import time; print('listening on 127.0.0.1:1', flush=True); time.sleep(60)", "Connection refused")):
            self.script("echo_go", text)
            status, _, err, report = self.run_rows("echo100")
            self.assertEqual(status, 1)
            self.assertIn(problem, err)
            self.assertIn("echo_go", err)
            self.assertEqual(report["failures"][0]["row"], "echo100")


class Load(Case):
    def load(self, *args):
        p = subprocess.run([str(BUILT / "bench_load"), *args], capture_output=True, text=True, timeout=60)
        return p.returncode, p.stdout, p.stderr

    def serve(self, answer):
        """A server that sends answer(bytes, how many reads so far) for what it reads, a list piece by piece; None closes the connection.
        Its address."""
        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                reads = 0
                while True:
                    try:
                        data = self.request.recv(1024)
                        reply = answer(data, reads) if data else None
                        if reply is None:
                            return
                        for piece in reply if isinstance(reply, list) else [reply]:
                            self.request.sendall(piece)
                            time.sleep(0.01 if isinstance(reply, list) else 0)
                    except OSError:
                        return
                    reads += 1

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            request_queue_size = 100

        server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"127.0.0.1:{server.server_address[1]}"

    def test_an_honest_server(self):
        for threads in ("1", "3"):
            status, out, err = self.load("--seconds", "0.2", "--warmup", "0.05", "--threads", threads, self.serve(lambda b, n: b), "10")
            self.assertEqual((status, err), (0, ""))
            self.assertRegex(out, r"\Arate [1-9][0-9]*\.\d req/s\np50 \d+\.\d us\np99 \d+\.\d us\nerrors 0 errors\n\Z")

    def test_an_answer_in_pieces(self):
        """An answer that arrives in pieces is one answer."""
        status, out, err = self.load("--seconds", "0.2", "--warmup", "0", self.serve(lambda b, n: [b[:20], b[20:63], b[63:]]), "3")
        self.assertEqual((status, err), (0, ""), out)

    def test_servers_that_lie(self):
        def flipped(b, n):
            return b if n < 5 else b[:-1] + bytes([b[-1] ^ 1])

        first = {}
        for answer, problem in ((lambda b, n: [b[:20], b[:44]], "differs within bytes 20 to 63"),
                                (flipped, "wrong answer: message 6 "), (lambda b, n: first.setdefault(0, b), "wrong answer"),
                                (lambda b, n: b + b"x", "longer than its message"), (lambda b, n: None, "the server closed the connection")):
            status, out, err = self.load("--seconds", "0.2", "--warmup", "0", self.serve(answer), "4")
            self.assertEqual(status, 1, problem)
            self.assertIn(problem, err)
            self.assertTrue(re.search(r"(?m)^errors [1-9]", out))

    def test_wrong_use(self):
        for args, problem in (([], "are missing"), (["127.0.0.1:1"], "are missing"), (["127.0.0.1:1", "1", "2"], "more than"),
                              (["127.0.0.1", "1"], "not HOST:PORT"), (["127.0.0.1:x", "1"], "'x' is not a whole number"),
                              (["127.0.0.1:70000", "1"], "'70000' is not"), (["nonesuch:1", "1"], "not an IPv4 address"),
                              (["127.0.0.1:1", "0"], "'0' is not"), (["127.0.0.1:1", "many"], "'many' is not"), (["--seconds", "0", "127.0.0.1:1", "1"], "'0' is not"),
                              (["--threads", "-1", "127.0.0.1:1", "1"], "'-1' is not"), (["--nonesuch"], "nonesuch")):
            status, out, err = self.load(*args)
            self.assertEqual((status, out), (2, ""), args)
            self.assertIn(problem, err)
            self.assertIn("usage: ", err)
        self.assertEqual(self.load("--help")[0], 0)

    def test_nobody_listens(self):
        status, _, err = self.load("127.0.0.1:1", "1")
        self.assertEqual(status, 1)
        self.assertIn("connection 1 of 1 to 127.0.0.1:1: Connection refused", err)

    def test_too_many_connections_for_the_limit(self):
        p = subprocess.run(["bash", "-c", f"ulimit -n 100; exec '{BUILT / 'bench_load'}' 127.0.0.1:1 1000"], capture_output=True, text=True, timeout=60)
        self.assertEqual(p.returncode, 77)
        self.assertIn("the limit is 100 (ulimit -Hn)", p.stderr)


if __name__ == "__main__":
    unittest.main()
