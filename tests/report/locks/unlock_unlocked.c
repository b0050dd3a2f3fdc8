/* Unlocking what nobody holds: a pthread mutex, a spin lock, a read-write lock. */
// race-expect: ^WARNING: unlock of an unlocked mutex
// race-expect: ^The lock is mutex M1 \(0x[0-9a-f]+, m\), which nobody holds$
// race-expect: ^WARNING: unlock of an unlocked mutex
// race-expect: ^The lock is spin lock M1 \(0x[0-9a-f]+, s\), which nobody holds$
// race-expect: ^Found 2 misuse\(s\) of locks$
// race-status: 66
#include "race_test.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_spinlock_t s;

int main(void)
{
    pthread_mutex_lock(&m);
    pthread_mutex_unlock(&m);
    pthread_mutex_unlock(&m);
    pthread_spin_init(&s, 0);
    pthread_spin_unlock(&s);
    return 0;
}
