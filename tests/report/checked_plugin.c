/* A plugin that is built with race detection: race/plugin.c and norace/plugin.c load it. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

int plugin_plain;
atomic_int plugin_atomic;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

void plugin_count(void);
void plugin_count(void) { plugin_plain++; }

void plugin_publish(void);
void plugin_publish(void)
{
    plugin_plain = 1;
    atomic_store_explicit(&plugin_atomic, 1, memory_order_release);
}

int plugin_await(void);
int plugin_await(void)
{
    while (!atomic_load_explicit(&plugin_atomic, memory_order_acquire))
        ;
    return plugin_plain++;
}

void plugin_count_locked(void);
void plugin_count_locked(void)
{
    pthread_mutex_lock(&m);
    plugin_plain++;
    pthread_mutex_unlock(&m);
}

void plugin_copy(char *to, const char *from, unsigned long n);
void plugin_copy(char *to, const char *from, unsigned long n) { memcpy(to, from, n); }

void plugin_send(int fd);
void plugin_send(int fd) { (void)!write(fd, "s", 1); }

/* Its own thread-local variables, as goroutines use them in turn. */
static _Thread_local long calls __attribute__((tls_model("initial-exec")));   /* placed beside the program's */
static _Thread_local char text[200];

int plugin_use_thread_local(int n);
int plugin_use_thread_local(int n)
{
    long before = calls++;
    memset(text, n, sizeof text);
    return calls == before + 1 && text[199] == (char)n;
}
