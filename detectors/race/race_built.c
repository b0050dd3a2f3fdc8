/* Whether the program was built so that there is something to check. Detection that is silently absent would be taken for a program without races, so
 * the program does not start then:
 *
 * - No part of the program was compiled with hooks: none of the constructors that the compilers make has called __tsan_init.
 * - A file was, but has no hooks. gcc's link-time optimization does that: it compiles a second time when linking, by the linker's options, which have no
 *   -fsanitize=thread. Each file that includes a header of ours has a mark (gort/base.h) with a function that writes where it is told: if the shadow memory
 *   does not know of the write, nothing of that file is checked. (A file without our headers has no mark. The options that a program is
 *   linked with turn link-time optimization off.)
 * - It was not linked with the options of link-options.txt. That fails to link: the detector refers to libc's functions by names that only they
 *   make, and to one that says so.
 *
 * A file with GO_RACE and, by intention, without hooks was warned of by the header, and is named here. */
#include <gort/base.h>

#include "race_built.h"
#include "race_die.h"
#include "race_shadow.h"

bool race_built_has_hooks;

__asm__(".pushsection .gort_race_link,\"\",@progbits\n"
        ".quad gort_race__link_with_all_options_of__pkg_config_libs_gort_race\n"
        ".popsection\n");

struct mark {   /* struct gort_race_mark_ */
    const char *file;
    void (*probe)(char *);
    bool quiet;
};
extern const struct mark *const __start_gort_race_marks[] __attribute__((weak)), *const __stop_gort_race_marks[] __attribute__((weak));

static bool probe_is_seen(const struct mark *m)
{
    static char target[8] __attribute__((aligned(8)));
    struct race_side side;
    m->probe(target);
    bool seen = shadow_last_write((uintptr_t)target, &side);
    shadow_clear((uintptr_t)target, sizeof target);
    return seen;
}

/* After the compilers' constructors (priority 99 and before), before the program's own. */
__attribute__((constructor(101))) static void look(void)
{
    const struct mark *const *m = __start_gort_race_marks;
    if (!race_built_has_hooks && m == __stop_gort_race_marks)
        race_die("no part of this program was compiled for race detection, its accesses would not be checked: compile it with the flags of "
                 "'pkg-config --cflags gort-race', and without -flto");
    race_cur();   /* the shadow memory is there */
    for (; m < __stop_gort_race_marks; m++) {
        if ((*m)->probe && !probe_is_seen(*m))
            race_die_of((*m)->file, "was compiled for race detection, but its hooks were left out: compile and link it without -flto (link-time optimization)");
        if (!(*m)->probe && !(*m)->quiet)
            race_warn((*m)->file, "was compiled without -fsanitize=thread, its loads and stores are not checked");
    }
}
