/* Words that many goroutines and threads touch at once in all sizes, without a race: each keeps to its own byte of shared words, whole words pass from
 * hand to hand under mutexes, and others are read by all. Under race detection nothing may be reported; what is written must be there. */
#include "stress.h"

#include <gort/race.h>
#include <string.h>

enum { MEMBERS = 8, WORDS = 24, EACH = 3000 };

union word {
    uint64_t u64;
    uint32_t u32[2];
    uint16_t u16[4];
    uint8_t u8[8];
};

static union word owned[WORDS];   /* byte i is member i's */
static union word handed[WORDS], constant[WORDS];
static go_mutex mutex[WORDS];
static uint32_t passed[WORDS];

struct member {
    uint32_t me;
    uint8_t count[WORDS];
    uint32_t changes[WORDS];
    go_waitgroup *wg;
};

static void change(union word *w, uint32_t *s)
{
    uint32_t r = rnd(s);
    switch (r % 4) {
    case 0: w->u64 += 0x0101010101010101u; break;
    case 1: w->u32[r >> 8 & 1] ^= r; break;
    case 2: w->u16[r >> 8 & 3] ^= (uint16_t)r; break;
    default: w->u8[r >> 8 & 7] ^= (uint8_t)r; break;
    }
}

static uint64_t look(const union word *w, uint32_t *s)
{
    uint32_t r = rnd(s);
    switch (r % 4) {
    case 0: return w->u64;
    case 1: return w->u32[r >> 8 & 1];
    case 2: return w->u16[r >> 8 & 3];
    default: return w->u8[r >> 8 & 7];
    }
}

static void work(struct member *m)
{
    uint32_t s = stream(m->me);
    uint64_t seen = 0;
    for (int i = 0; i < EACH; i++) {
        uint32_t k = rnd(&s) % WORDS;
        switch (rnd(&s) % 4) {
        case 0:
        case 1:
            owned[k].u8[m->me]++;
            m->count[k]++;
            break;
        case 2:
            seen += look(&constant[k], &s);
            break;
        default:
            go_mutex_lock(&mutex[k]);
            change(&handed[k], &s);
            seen += look(&handed[k], &s);
            passed[k]++;
            m->changes[k]++;
            go_mutex_unlock(&mutex[k]);
        }
        perturb(&s);
    }
    CHECK_EQ(seen == 1, 0);   /* it is used */
    for (int k = 0; k < WORDS; k++)
        CHECK_EQ(owned[k].u8[m->me], m->count[k]);
    go_waitgroup_done(m->wg);
}

static void *work_on_thread(void *m)
{
    work(m);
    return NULL;
}

int main(int argc, char **argv)
{
    read_seed(argc, argv);
    static struct member member[MEMBERS];
    go_waitgroup wg = GO_WAITGROUP_INIT;
    pthread_t thread[2];
    for (int k = 0; k < WORDS; k++)
        memset(&constant[k], k + 1, sizeof constant[k]);
    go_waitgroup_add(&wg, MEMBERS);
    for (uint32_t i = 0; i < MEMBERS; i++) {
        member[i].me = i;
        member[i].wg = &wg;
        if (i < MEMBERS - 2)
            go(work, &member[i]);
        else
            pthread_create(&thread[i - (MEMBERS - 2)], NULL, work_on_thread, &member[i]);
    }
    go_waitgroup_wait(&wg);
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    for (int k = 0; k < WORDS; k++) {
        uint32_t changes = 0;
        for (int i = 0; i < MEMBERS; i++) {
            changes += member[i].changes[k];
            CHECK_EQ(owned[k].u8[i], member[i].count[k]);
        }
        CHECK_EQ(passed[k], changes);
        CHECK_EQ(constant[k].u8[3], k + 1);
    }
    CHECK_EQ(go_race_errors(), 0);
}
