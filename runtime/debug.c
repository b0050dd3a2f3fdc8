/* Fills the debug descriptor (gort/debug.h says what it is for), and holds the ELF note by which tools find it. */
#include <gort/debug.h>

#include "internal.h"
#include "os.h"

HOOK_BUILD_MARK

uint64_t g_slabs[RT_SLABS_MAX];
atomic_uint g_nslabs;

static_assert(sizeof(struct ctx) == 16 && offsetof(struct g, ctx.sp) == 0, "the descriptor says where the saved sp is");
static_assert(sizeof(void *) == 8, "addresses are uint64_t in the descriptor");

#define G(field) .g_##field = offsetof(struct g, field)

struct gort_debug gort_debug = {
    .magic = GORT_DEBUG_MAGIC,
    .version = GORT_DEBUG_VERSION,
    .size = sizeof(struct gort_debug),
    .arch = CTX_ARCH,
    .slab_gs = RT_SLAB_GS,
    .slab_lanes = RT_SLAB_LANES,
    .slab_state_off = offsetof(struct slab, state),
    .slab_g_off = offsetof(struct slab, g),
    .g_size = sizeof(struct g),
    .g_sp = offsetof(struct g, ctx.sp),
    .g_on_cpu = offsetof(struct g, ctx.on_cpu),
    G(id), G(parent_id), G(stack_lo), G(stack_hi), G(fn), G(create_pc), G(wait_since), G(wait_obj), G(m), G(flags), G(labels),
    .m_next = offsetof(struct m, next),
    .m_tid = offsetof(struct m, tid),
    .m_g = offsetof(struct m, g),
    .ctx_size = CTX_SIZE,
    .ctx_pc = CTX_PC,
    .ctx_rbp = CTX_RBP,
};

/* Addresses are known only when the program runs. */
void debug_init(void)
{
    gort_debug.slabs = (uintptr_t)g_slabs;
    gort_debug.nslabs = (uintptr_t)&g_nslabs;
    gort_debug.ms = (uintptr_t)&sched.ms;
    gort_debug.clock = (uintptr_t)&sched.now;
    gort_debug.pid = os_pid();
}

/* By a name of our own, which no other library's can take the place of: the note is not relocated. */
__asm__(".set gort_debug_here, gort_debug\n"
        ".pushsection .note.gort, \"a\", @note\n"
        "        .p2align 2\n"
        "        .long 2f - 1f\n"
        "        .long 4f - 3f\n"
        "        .long 0x676f7274\n"   /* GORT_NOTE_TYPE */
        "1:      .asciz \"gort\"\n"
        "2:      .p2align 2\n"
        "3:      .quad gort_debug_here - 3b\n"
        "4:      .popsection\n");
static_assert(GORT_NOTE_TYPE == 0x676f7274, "the note above");
