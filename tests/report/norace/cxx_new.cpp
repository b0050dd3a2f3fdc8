/* new and delete in all forms, also where an allocator's library has its own: memory that goes from thread to thread through the heap has a new life each
 * time, in the C++ library's own code as well; without memory there is bad_alloc, or NULL, after the handler was asked. */
// expect: ^all done$
// absent: WARNING
// env: GORACE=atexit_sleep_ms=0
// library: plain_allocator.c
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <thread>
#include <vector>

struct alignas(64) wide {
    char bytes[64];
};

static void churn(int seed)
{
    std::vector<std::string> words;
    for (int i = 0; i < 2000; i++) {
        char *m = static_cast<char *>(malloc(60 + static_cast<unsigned>(i * seed) % 500));
        m[0] = 1;
        free(m);
        char *n = new char[60 + static_cast<unsigned>(i) % 300];
        n[0] = 2;
        delete[] n;
        int *one = new (std::nothrow) int(3);
        delete one;
        wide *w = new wide[2];
        w[1].bytes[7] = 4;
        delete[] w;
        words.push_back(std::string(static_cast<unsigned>(i) % 90, 'x'));
        words.back() += words.front();
        if (i % 100 == 99)
            words.clear();
    }
}

static void *volatile kept;   /* a pair of new and delete that nobody can see may be left out */
static int asked;
static void handler()
{
    if (++asked % 2 == 0)
        std::set_new_handler(nullptr);
}

int main()
{
    std::thread a(churn, 3), b(churn, 7);
    churn(1);
    a.join();
    b.join();
    volatile std::size_t huge = static_cast<std::size_t>(1) << 60;
    std::set_new_handler(handler);
    bool thrown = false;
    try {
        kept = new char[huge];
    } catch (const std::bad_alloc &) {
        thrown = true;
    }
    std::set_new_handler(handler);
    kept = new (std::nothrow) char[huge];
    if (!thrown || kept || asked != 4)
        return 1;
    puts("all done");
}
