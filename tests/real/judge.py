#!/usr/bin/env python3
"""Judges a run of a program with race detection: judge.py NAME LIST OUTPUT STATUS

LIST has the reports that somebody has examined in the program's source, OUTPUT what the program printed, STATUS how it ended. Fails if the program did not end
well, and for each report that LIST does not have. A list that is not there is an empty one. In a list

    # why they are not ordered
    [current_time]
    write clock_handler
    read  do_item_get
    read  item_stats: age = current_time - tails[i]->time;

is known: a race on current_time of a write by clock_handler with a read by do_item_get, or with that line of item_stats. In brackets stands the variable, with the part
that was accessed ("stats_state.curr_items"), or "heap", "stack", "unknown" for what has no name: then a line of source says what was accessed, and is needed.
"""
import os
import re
import sys

SIDE = re.compile(r"(?:Previous )?(?:atomic )?(read|write) at 0x[0-9a-f]+ by .*:$", re.IGNORECASE)
VARIABLE = re.compile(r"(?:Global|Thread-local) var (\S+) of size")
PART = re.compile(r"Accessed part: (\S+)")


class Side:
    """One side of a report, or of a block of a list: what it does, in which function, in which line of source (None: in any)"""

    def __init__(self, kind, function, source, place=""):
        self.kind, self.function, self.source, self.place = kind, function, source, place

    def has(self, other):
        return self.kind == other.kind and self.function == other.function and self.source in (None, other.source)

    def __str__(self):
        return "%-5s %s%s" % (self.kind, self.function, ": " + self.source if self.source else "")


def read_list(path):
    """[(variable, writes, reads)]"""
    blocks = []
    if not os.path.exists(path):
        return blocks
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            line = line.strip()
            heading = re.fullmatch(r"\[(\S+)\]", line)
            side = re.fullmatch(r"(read|write)\s+(\S+?)(?:: (.+))?", line)
            if heading:
                blocks.append((heading.group(1), [], []))
            elif side and blocks and (side.group(3) or blocks[-1][0] not in ("heap", "stack", "unknown")):
                blocks[-1][1 if side.group(1) == "write" else 2].append(Side(*side.groups()))
            elif line and not line.startswith("#"):
                sys.exit("%s:%d: no entry of a list: %s" % (path, number, line))
    for variable, writes, reads in blocks:
        if not writes or not reads:
            sys.exit("%s: [%s] has no write, or no read" % (path, variable))
    return blocks


def read_report(text):
    """(variable, sides), as much as there is"""
    lines, sides, variable = text.split("\n"), [], "unknown"
    for i, line in enumerate(lines):
        kind = SIDE.match(line)
        if kind and i + 2 < len(lines):
            function = lines[i + 1].strip().removesuffix("()")
            place = re.sub(r"^.*/| \+0x.*$", "", lines[i + 2].strip())
            source = lines[i + 3].strip() if i + 3 < len(lines) else ""
            sides.append(Side(kind.group(1).lower(), function, source[2:] if source.startswith("> ") else "", place))
        elif VARIABLE.match(line):
            variable = VARIABLE.match(line).group(1)
        elif PART.match(line):
            variable = PART.match(line).group(1)
        elif line.startswith("Heap block of size"):
            variable = "heap"
        elif line.startswith("Location is stack"):
            variable = "stack"
    return variable, sides


def is_known(blocks, variable, sides):
    for name, writes, reads in blocks:
        for one, other in (sides, sides[::-1]):
            if name == variable and any(w.has(one) for w in writes) and any(r.has(other) for r in reads):
                return True
    return False


def judge(name, path, output, status):
    """What is wrong, a text each, and the number of races"""
    blocks, wrong, races = read_list(path), [], 0
    with open(output, encoding="utf-8", errors="replace") as f:
        text = f.read()
    for report in re.split(r"^={18}\n", text, flags=re.MULTILINE):
        title = re.match(r"WARNING: (.*)", report)
        if not title:
            continue
        if title.group(1) != "DATA RACE":
            wrong.append("%s: a report that is no race and that nobody has examined:\n%s" % (name, report))
            continue
        races += 1
        variable, sides = read_report(report)
        if len(sides) != 2:
            wrong.append("%s: a report that can't be read:\n%s" % (name, report))
        elif not is_known(blocks, variable, sides):
            wrong.append("%s: a race that nobody has examined: %s does not have\n    [%s]\n%s" % (name, os.path.basename(path), variable,
                         "\n".join("    %s    (%s)" % (side, side.place) for side in sides)))
    found = sum(int(n) for n in re.findall(r"^Found (\d+) data race\(s\)$", text, flags=re.MULTILINE))
    if status != (66 if found or wrong else 0):
        wrong.append("%s: ended with status %d:\n%s" % (name, status, "\n".join(text.split("\n")[-6:])))
    if found != races:
        wrong.append("%s: found %d races by its own account, %d are in its output" % (name, found, races))
    if re.search(r"^\d+ more report\(s\) were left out", text, flags=re.MULTILINE):
        wrong.append("%s: reports were left out" % name)
    return wrong, races


def main():
    name, path, output, status = sys.argv[1:]
    wrong, races = judge(name, path, output, int(status))
    for text in wrong:
        print("[real] FAILED: " + text, file=sys.stderr)
    if wrong:
        print("[real] FAILED: %s: see %s; what is true goes into %s, with its reason" % (name, os.path.abspath(output), path), file=sys.stderr)
        sys.exit(1)
    print("[real] %s: ran to its end, %d reports, all known" % (name, races))


if __name__ == "__main__":
    main()
