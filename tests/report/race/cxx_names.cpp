/* C++: stacks through functions that DWARF describes inside a namespace, as clang does, have their names and lines; through methods and thunks, too. */
// race-expect: WARNING: DATA RACE
// race-expect: in_unnamed\(\)
// race-expect: +.*/cxx_names.cpp:[0-9]+
// race-expect: +.*> counter\+\+;
// race-expect: in_named\(\)
// race-expect: +.*/cxx_names.cpp:[0-9]+
// race-expect: in_inner\(\)
// race-expect: +.*/cxx_names.cpp:[0-9]+
// race-expect: work\(\)
// race-expect: +.*/cxx_names.cpp:[0-9]+
// race-expect: Previous (read|write) at
// race-expect: in_unnamed\(\)
// race-expect: +.*/cxx_names.cpp:[0-9]+
// race-expect: +.*> counter\+\+;
// race-expect: +.*in_named\(\)
// race-expect: work\(\)
// race-expect: Global var .*counter.* of size 4 .* declared at .*/cxx_names.cpp:[0-9]+
// race-expect: created at
// race-expect: begin\(\)
// race-expect: +.*/cxx_names.cpp:[0-9]+
// race-expect: Found 1 data race
// absent: \?\?
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include <pthread.h>

namespace {
int counter;

__attribute__((noinline)) void in_unnamed()
{
    counter++;
}
}   // namespace

namespace outer {
__attribute__((noinline)) void in_named() { in_unnamed(); }
namespace inner {
__attribute__((noinline)) void in_inner() { in_named(); }
}   // namespace inner

struct left {
    virtual void rest() {}
    int padding = 0;
};
struct worker {
    virtual void work() = 0;
};
/* Called by a pointer to its second base, work() is reached by a thunk. */
struct both : left, worker {
    void work() override;
};
__attribute__((noinline)) void both::work() { inner::in_inner(); }

void *run(void *w)
{
    static_cast<worker *>(w)->work();
    return nullptr;
}
__attribute__((noinline)) pthread_t begin(worker *w)
{
    pthread_t t;
    pthread_create(&t, nullptr, run, w);
    return t;
}
}   // namespace outer

int main()
{
    outer::both object;
    pthread_t t = outer::begin(&object);
    outer::run(static_cast<outer::worker *>(&object));
    pthread_join(t, nullptr);
}
