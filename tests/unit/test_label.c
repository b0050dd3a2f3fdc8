/* Labels of goroutines: set, replaced, removed, inherited. */
#include <criterion/criterion.h>
#include <gort.h>
#include <stdio.h>
#include <string.h>

static bool is(const char *key, const char *value)
{
    const char *v = go_get_label(key);
    return value ? v && strcmp(v, value) == 0 : v == NULL;
}

Test(label, set_replace_remove)
{
    cr_assert(is("a", NULL));
    go_set_label("a", "1");
    go_set_label("b", "");
    go_set_label("c", "3");
    cr_assert(is("a", "1") && is("b", "") && is("c", "3"));
    go_set_label("a", "a longer value than it was");
    cr_assert(is("a", "a longer value than it was") && is("c", "3"));
    go_set_label("b", NULL);
    cr_assert(is("b", NULL) && is("c", "3"));
    go_set_label("", "ignored");
    go_set_label(NULL, "ignored");
    cr_assert(is("", NULL) && go_get_label(NULL) == NULL);
    go_set_name("worker");
    cr_assert(is("name", "worker"));
}

static void child(go_waitgroup *wg, int i)
{
    char own[20];
    cr_expect(is("who", "parent"));
    snprintf(own, sizeof own, "child %d", i);
    go_set_label("who", own);
    go_yield();
    cr_expect(is("who", own));
    cr_expect(is("other", "kept"));
    go_waitgroup_done(wg);
}

static void fresh(go_waitgroup *wg)
{
    cr_expect(is("who", NULL));
    go_waitgroup_done(wg);
}

Test(label, children_inherit_and_a_used_slot_forgets)
{
    go_waitgroup wg = GO_WAITGROUP_INIT;
    go_set_label("who", "parent");
    go_set_label("other", "kept");
    go_waitgroup_add(&wg, 100);
    for (int i = 0; i < 100; i++)
        go(child, &wg, i);
    go_waitgroup_wait(&wg);
    cr_assert(is("who", "parent"));
    go_set_label("who", NULL);
    go_waitgroup_add(&wg, 100);
    for (int i = 0; i < 100; i++)
        go(fresh, &wg);
    go_waitgroup_wait(&wg);
}
