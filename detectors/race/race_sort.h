/* Sorting within the detector: in place and without calls, as qsort may call malloc, which comes back here. Heap sort. */
#ifndef RACE_SORT_H
#define RACE_SORT_H

#include <stdint.h>

/* Defines name(T *a, uint32_t n), which sorts by key(x), a number of an element x: the lowest first. */
#define RACE_SORT(name, T, key) \
    static void name##_sift(T *a, uint32_t root, uint32_t n) \
    { \
        T moved = a[root]; \
        for (uint32_t child; (child = 2 * root + 1) < n; root = child) { \
            child += child + 1 < n && key(a[child + 1]) > key(a[child]); \
            if (key(a[child]) <= key(moved)) \
                break; \
            a[root] = a[child]; \
        } \
        a[root] = moved; \
    } \
    static void name(T *a, uint32_t n) \
    { \
        for (uint32_t i = n / 2; i-- > 0;) \
            name##_sift(a, i, n); \
        for (uint32_t end = n; end-- > 1;) { \
            T greatest = a[0]; \
            a[0] = a[end]; \
            a[end] = greatest; \
            name##_sift(a, 0, end); \
        } \
    }

#endif
