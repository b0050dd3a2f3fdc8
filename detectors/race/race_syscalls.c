/* What a program tells of system calls that it makes without libc, if clang says that it is compiled with -fsanitize=thread: calls of
 * <sanitizer/linux_syscall_hooks.h>. Such are made where libc's function will not do (libuv closes so, to be no point of cancellation).
 * Of close, read and write it matters what they order, the others need only be there. */
#include "race_io.h"
#include "race_libc.h"

void __sanitizer_syscall_pre_impl_close(long fd) { race_io_closes((int)fd, PC); }
void __sanitizer_syscall_post_impl_close(long result) { (void)result; }

void __sanitizer_syscall_pre_impl_read(long fd) { race_fd_use((int)fd, FD_READ, PC); }
void __sanitizer_syscall_post_impl_read(long result, long fd, long buffer)
{
    if (result >= 0) {
        race_io_reads((int)fd);
        writes((const void *)buffer, (size_t)result, PC);
    }
}

void __sanitizer_syscall_pre_impl_write(long fd, long buffer, long n)
{
    reads((const void *)buffer, (size_t)n, PC);
    race_fd_use((int)fd, FD_WRITE, PC);
    race_io_writes((int)fd);
}
void __sanitizer_syscall_post_impl_write(long result) { (void)result; }

void race_syscall_unlooked(void);
void race_syscall_unlooked(void) {}
#define X(name) \
    void __sanitizer_syscall_pre_impl_##name(void) __attribute__((alias("race_syscall_unlooked"))); \
    void __sanitizer_syscall_post_impl_##name(void) __attribute__((alias("race_syscall_unlooked")));
#include "race_syscalls.inc"
