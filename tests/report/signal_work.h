/* What a program does while signals come, for programs that see to it that they find the detector at work. */
#ifndef SIGNAL_WORK_H
#define SIGNAL_WORK_H

#include <stdatomic.h>

enum { NUMBERS = 1 << 14 };
static int numbers[NUMBERS];

/* Accesses that are new to the detector: each turn begins an epoch. */
static void work(int n)
{
    static atomic_int turn;
    for (int i = 0; i < n; i++) {
        if (i % 64 == 0)
            atomic_store_explicit(&turn, i, memory_order_release);
        numbers[i * 2 % NUMBERS] += i;
    }
}

#endif
