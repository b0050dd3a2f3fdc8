/* A program that replaces the simple operators new and delete: every form comes to them. */
// expect: ^7 and 7$
// absent: WARNING
// env: GORACE=atexit_sleep_ms=0
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>

static int made, ended;

void *operator new(std::size_t n)
{
    made++;
    void *p = malloc(n);
    if (!p)
        throw std::bad_alloc();
    return p;
}
void operator delete(void *p) noexcept
{
    ended += p != nullptr;
    free(p);
}
void operator delete(void *p, std::size_t) noexcept { operator delete(p); }

static void *volatile kept;   /* a pair of new and delete that nobody can see may be left out */

int main()
{
    int *one = new int(1);
    char *many = new char[100], *quiet = new (std::nothrow) char[10];
    kept = one;
    kept = many;
    kept = quiet;
    delete one;
    delete[] many;
    delete[] quiet;
    std::string *text = new std::string(200, 'x');
    *text += std::string(300, 'y');   /* a block more, or two, of the library's */
    delete text;
    printf("%d and %d\n", made, ended);
}
