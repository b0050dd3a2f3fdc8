"""gdb commands for programs that use gort, on a live process or a core:

    info goroutines        number, state, function and line of every goroutine
    goroutine N COMMAND    runs a gdb command (bt, info locals, up ...) with goroutine N's registers; `goroutine all COMMAND`: each in turn

Load it with `source gort-gdb.py`. It reads the debug descriptor (gort/debug.h) that is in every such program, so it needs no debug information of the
runtime. A parked goroutine's registers lie on its stack, in the frame that the switch left; gdb's own are set to them for the command, and
set back. In a core, which has no registers to set, `bt` alone works: its frames are found by the saved frames of the stack.
"""
import gdb

FREE, RUNNABLE, RUNNING, WAITING = range(4)
STATUSES = ["free", "runnable", "running", "waiting"]
REASONS = ["", "chan receive", "chan send", "chan receive (nil chan)", "chan send (nil chan)", "select", "select (no cases)", "sleep",
           "sync.Mutex.Lock", "sync.WaitGroup.Wait", "goexit", "IO wait", "sync.RWMutex.RLock", "sync.RWMutex.Lock", "sync.Cond.Wait",
           "semacquire", "sync.Once.Do", "errgroup.Group.Go"]
VERSION = 3
REGISTERS = ["rip", "rsp", "rbp"]   # a switch saves no others in its frame; the frames above have them


class Descriptor:
    """The numbers of gort/debug.h, in its order."""
    WORDS64 = ["slabs", "nslabs", "ms", "clock"]
    WORDS32 = ["slab_gs", "slab_lanes", "slab_state_off", "slab_g_off", "g_size", "g_id", "g_parent_id", "g_sp", "g_on_cpu", "g_stack_lo",
               "g_stack_hi", "g_fn", "g_create_pc", "g_wait_since", "g_wait_obj", "g_m", "g_flags", "g_labels", "m_next", "m_tid", "m_g",
               "ctx_size", "ctx_pc", "ctx_rbp"]

    def __init__(self):
        symbol = gdb.lookup_minimal_symbol("gort_debug") if hasattr(gdb, "lookup_minimal_symbol") else None
        if symbol is not None:
            at = int(symbol.value().address)
        else:
            try:
                at = int(gdb.parse_and_eval("(unsigned long)&gort_debug"))
            except gdb.error:
                raise gdb.GdbError("this program holds no gort runtime")
        if bytes(memory(at, 7)) != b"gortdbg":
            raise gdb.GdbError("this program's gort descriptor can't be read")
        version, self.size, self.arch, self.pid = (u32(at + 8 + 4 * i) for i in range(4))
        if version != VERSION:
            raise gdb.GdbError("the program's gort descriptor has version %d, this script reads %d" % (version, VERSION))
        at += 24
        for name in self.WORDS64:
            setattr(self, name, u64(at))
            at += 8
        for name in self.WORDS32:
            setattr(self, name, u32(at))
            at += 4


def memory(at, n):
    return gdb.selected_inferior().read_memory(at, n)


def u32(at):
    return int.from_bytes(bytes(memory(at, 4)), "little")


def u64(at):
    return int.from_bytes(bytes(memory(at, 8)), "little")


class Goroutine:
    def __init__(self, d, at, state):
        self.id = u64(at + d.g_id)
        self.status = state & 0xff
        self.reason = state >> 8 & 0xff
        self.fn = u64(at + d.g_fn)
        self.parent_id = u64(at + d.g_parent_id)
        self.on_cpu = u32(at + d.g_on_cpu)
        self.m = u64(at + d.g_m)
        self.sp = u64(at + d.g_sp)
        self.stack = u64(at + d.g_stack_lo), u64(at + d.g_stack_hi)
        self.d = d

    def state(self):
        if self.status == WAITING and self.reason < len(REASONS):
            return REASONS[self.reason]
        return STATUSES[self.status] if self.status < len(STATUSES) else "unknown status %d" % self.status

    def is_parked(self):
        return self.status in (RUNNABLE, WAITING) and not self.on_cpu

    def thread(self):
        """The thread that runs it, None: none does."""
        tid = u32(self.m + self.d.m_tid) if self.m else 0
        for t in gdb.selected_inferior().threads():
            if t.ptid[1] == tid:
                return t
        return None

    def registers(self):
        d, sp = self.d, self.sp
        return {"rip": u64(sp + d.ctx_pc), "rsp": sp + d.ctx_size, "rbp": u64(sp + d.ctx_rbp)}


def goroutines():
    d = Descriptor()
    if d.pid == 0:
        return []
    found = []
    rows = d.slab_gs // d.slab_lanes
    for s in range(u32(d.nslabs)):
        slab = u64(d.slabs + 8 * s)
        states = bytes(memory(slab + d.slab_state_off, 8 * d.slab_gs))
        for i in range(d.slab_gs):
            k = i % d.slab_lanes * rows + i // d.slab_lanes
            state = int.from_bytes(states[8 * k:8 * k + 8], "little")
            if state & 0xff != FREE:
                found.append(Goroutine(d, slab + d.slab_g_off + i * d.g_size, state))
    return sorted(found, key=lambda g: g.id)


def at_goroutine(g, action):
    """Calls action() with gdb looking at g."""
    before = gdb.selected_thread()
    if not g.is_parked():
        t = g.thread()
        if t is None:
            raise gdb.GdbError("goroutine %d is between two states: step a little and try again" % g.id)
        try:
            t.switch()
            return action()
        finally:
            before.switch()
    frame = gdb.selected_frame()
    gdb.newest_frame().select()
    kept = {r: int(gdb.parse_and_eval("(unsigned long)$" + r)) for r in REGISTERS}
    try:
        for name, value in g.registers().items():
            gdb.execute("set var $%s = %d" % (name, value), to_string=True)
        return action()
    finally:
        gdb.newest_frame().select()
        for name, value in kept.items():
            gdb.execute("set var $%s = %d" % (name, value), to_string=True)
        if frame.is_valid():
            frame.select()


def function_of(frame):
    """Its name as the source has it (runtime/cmake/own_names.sh), or None."""
    name, inner = frame.name(), "gort_inner_"
    return name[len(inner):] if name and name.startswith(inner) else name


def describe(frame):
    name, sal = function_of(frame) or "??", frame.find_sal()
    return "%s (%s:%d)" % (name, sal.symtab.filename.split("/")[-1], sal.line) if sal.symtab else name


def is_entry(frame):
    """A public function by which a goroutine enters the runtime, or what a typed macro calls."""
    return (function_of(frame) or "").startswith(("go_", "gort_"))


def describe_function(pc):
    """The function at pc, and the line where it begins."""
    block = gdb.block_for_pc(pc)
    while block is not None and block.function is None:
        block = block.superblock
    if block is not None:
        return "%s (%s:%d)" % (block.function.name, block.function.symtab.filename.split("/")[-1], block.function.line)
    return gdb.execute("info symbol %d" % pc, to_string=True).split(" in section")[0].strip()


START = ("ctx_entry", "ctx_return", None)   # where a goroutine begins
DEEPEST = 24   # of the runtime's own calls below an entry point


def where(g):
    """The program's own frame: the one that entered the runtime; if none did, the innermost of a running goroutine. A function that ended in a call of
    the runtime which the compiler made a jump has no frame: then it is the one that the goroutine was started with."""
    def look():
        frame, frames = gdb.newest_frame(), []
        while frame is not None and len(frames) < DEEPEST:
            frames.append(frame)
            frame = frame.older()
        for i in range(len(frames) - 1):
            if is_entry(frames[i]) and not is_entry(frames[i + 1]):
                started = function_of(frames[i + 1]) in START and g.fn
                return describe_function(g.fn) if started else describe(frames[i + 1])
        return describe(frames[0])
    return at_goroutine(g, look)


class InfoGoroutines(gdb.Command):
    """List the goroutines: number, state, and the program's function and line in which each is."""

    def __init__(self):
        super().__init__("info goroutines", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        for g in goroutines():
            try:
                place = where(g)
            except gdb.GdbError as e:
                place = str(e)
            except gdb.error:   # a core: no registers to set
                place = describe_function(g.fn) if g.fn else "a thread"
            print("%6d  [%s]  %s" % (g.id, g.state(), place))


class GoroutineCommand(gdb.Command):
    """goroutine N COMMAND: run a gdb command looking at goroutine N (`all`: at each in turn)."""

    def __init__(self):
        super().__init__("goroutine", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        words = argument.split(None, 1)
        if len(words) != 2 or not (words[0] == "all" or words[0].isdigit()):
            raise gdb.GdbError("usage: goroutine N COMMAND, or goroutine all COMMAND")
        wanted = [g for g in goroutines() if words[0] == "all" or g.id == int(words[0])]
        if not wanted:
            raise gdb.GdbError("there is no goroutine %s" % words[0])
        for g in wanted:
            if words[0] == "all":
                print("\ngoroutine %d [%s]:" % (g.id, g.state()))
            try:
                at_goroutine(g, lambda: gdb.execute(words[1], from_tty))
            except gdb.GdbError as e:
                if words[0] != "all":
                    raise
                print(e)


InfoGoroutines()
GoroutineCommand()
