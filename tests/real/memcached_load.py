#!/usr/bin/env python3
"""A load for a memcached server: connections in threads that set, get, delete, append, increment and touch the same keys, with expiry and statistics.
   memcached_load.py PORT SECONDS     Fails if an answer is not one that the protocol allows."""
import random
import socket
import sys
import threading
import time

port, seconds = int(sys.argv[1]), float(sys.argv[2])
end = time.time() + seconds
failures, counts = [], [0] * 8


def client(n):
    rng = random.Random(n)
    s = socket.create_connection(("127.0.0.1", port))
    f = s.makefile("rwb")

    def ask(text):
        f.write(text)
        f.flush()
        return f.readline()

    try:
        while time.time() < end:
            key = b"key%d" % rng.randrange(200)
            what = rng.randrange(12)
            if what < 4:
                value = b"x" * rng.choice([1, 20, 300, 5000])
                answer = ask(b"set %s 0 %d %d\r\n%s\r\n" % (key, rng.choice([0, 1, 60]), len(value), value))
                good = answer in (b"STORED\r\n", b"SERVER_ERROR out of memory storing object\r\n")
            elif what < 8:
                answer = ask(b"get %s\r\n" % key)
                good = answer == b"END\r\n"
                if answer.startswith(b"VALUE "):
                    f.read(int(answer.split()[3]) + 2)
                    good = f.readline() == b"END\r\n"
            elif what == 8:
                good = ask(b"delete %s\r\n" % key) in (b"DELETED\r\n", b"NOT_FOUND\r\n")
            elif what == 9:
                good = ask(b"append %s 0 0 3\r\nabc\r\n" % key) in (b"STORED\r\n", b"NOT_STORED\r\n")
            elif what == 10:
                ask(b"set n%s 0 0 1\r\n7\r\n" % key)
                good = ask(b"incr n%s 5\r\n" % key).strip().isdigit()
            else:
                answer = ask(b"stats\r\n" if rng.randrange(4) else b"stats items\r\n")
                while answer.startswith(b"STAT "):
                    answer = f.readline()
                good = answer == b"END\r\n"
            if not good:
                failures.append((what, answer if what < 8 else "?"))
                return
            counts[n] += 1
    except Exception as e:
        failures.append(repr(e))


threads = [threading.Thread(target=client, args=(n,)) for n in range(8)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print("requests:", sum(counts), "failures:", failures)
sys.exit(1 if failures or min(counts) == 0 else 0)
