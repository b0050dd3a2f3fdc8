/* A C++ program that brings its own malloc: new comes to it. */
// expect: ^from the program's own$
// absent: WARNING
// env: GORACE=atexit_sleep_ms=0
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <new>

alignas(4096) static char arena[64 << 20];
static char *next = arena;

extern "C" {
void *aligned_alloc(std::size_t align, std::size_t n) noexcept
{
    std::uintptr_t at = __atomic_fetch_add(reinterpret_cast<std::uintptr_t *>(&next), n + align + 32, __ATOMIC_RELAXED);
    at = (at + 16 + align - 1) / align * align;
    reinterpret_cast<std::size_t *>(at)[-1] = n;
    return reinterpret_cast<void *>(at);
}
void *malloc(std::size_t n) noexcept { return aligned_alloc(16, n); }
void free(void *) noexcept {}
void *calloc(std::size_t k, std::size_t n) noexcept { return malloc(k * n); }
void *realloc(void *p, std::size_t n) noexcept
{
    void *q = malloc(n);
    if (p) {
        std::size_t before = static_cast<std::size_t *>(p)[-1];
        std::memcpy(q, p, before < n ? before : n);
    }
    return q;
}
std::size_t malloc_usable_size(void *p) noexcept { return static_cast<std::size_t *>(p)[-1]; }
}

static bool is_own(const void *p)
{
    return p >= arena && p < arena + sizeof arena;
}

struct alignas(128) wide {
    char bytes[128];
};

int main()
{
    int *volatile one = new int(1);
    char *volatile many = new (std::nothrow) char[100];
    wide *volatile w = new wide;
    if (!is_own(one) || !is_own(many) || !is_own(w))
        return 1;
    delete one;
    delete[] many;
    delete w;
    puts("from the program's own");
}
