/* Typed hash maps that notice when goroutines use them at once without synchronization. After Go's built-in map
 * (src/runtime/map.go).
 *
 *     go_map(int, double) m = go_make_map(int, double);
 *     go_map_set(m, 7, 0.5);
 *     double v;
 *     if (go_map_get(m, 7, &v)) ...
 *
 * go_map(K, V) is a pointer type that carries both types; the compiler checks them, and nothing is left of them when the
 * program runs. A copy of it is the same map. NULL is Go's nil map: empty, and writing to it panics ("assignment to entry in
 * nil map").
 *
 * K: an integer, enumeration, bool, float, double (0 and -0 are one key, a NaN is never found), or any pointer but char * (by
 * address); a struct or union, compared byte by byte, so it must have no padding; or const char *: a string, by content, which
 * the map copies. A key of another type than K does not compile, but for arithmetic ones, which are converted as in an
 * assignment (no floating-point number to an integer). V: any object type but an array. A key or value in braces: the value as
 * it is, the key in parentheses: go_map_set(m, ((struct k){1, 2}), (struct v){3, 4}).
 *
 * Not for use by several goroutines at once unless all of them only read: that is found without locks and, as far as two uses
 * really overlap, ends the program: "fatal error: concurrent map read and map write", "concurrent map writes", "concurrent map
 * iteration and map write". Builds with race detection report every unordered pair, overlapping or not. For a map that
 * goroutines share: go_sync_map, or a mutex.
 *
 * All are constant time on average, some 20 to 50 ns; growing copies all entries now and then. No memory: the program ends
 * with a message. */
#ifndef GORT_MAP_H
#define GORT_MAP_H

#include <gort/base.h>

struct gort_map;

/* The pointee is a pointer to a function that returns a pointer to a function that takes K * and returns V *: so V can be had
 * back from an expression by __typeof__, and a K * or a guess at K can be checked. No such function exists. */
#define go_map(K, V) __typeof__(__typeof__(V) *(*(**)(struct gort_map *))(__typeof__(K) *))
#define go_string_map(V) go_map(const char *, V)

/* An empty map. The caller owns it: go_map_free(). */
#define go_make_map(K, V) ((go_map(K, V))gort_map_make(sizeof(__typeof__(K)), sizeof(__typeof__(V)), GORT_KEY_KIND_(K)))
#define go_make_string_map(V) go_make_map(const char *, V)

/* go_map_set(m, k, v): the value for k is v from now on. */
#define go_map_set(m, k, ...)                                                                      \
    __extension__({                                                                                \
        GORT_STRICT_BEGIN_                                                                         \
        struct gort_map *gort_m_ = gort_map_of_(m);                                                \
        GORT_CHECK_KEY_(m, k);                                                                     \
        gort_map_key_(m, k) gort_k_ = (k);                                                         \
        _Static_assert(GORT_NO_LOSS_(gort_map_val_(m), (__VA_ARGS__)),                             \
                       "a floating-point value set in a map of another type: cast it");            \
        gort_map_val_(m) gort_v_ = (__VA_ARGS__);                                                  \
        GORT_STRICT_END_                                                                           \
        gort_map_set(gort_m_, &gort_k_, &gort_v_);                                                 \
    })

/* Whether k has a value; copies it to *p, or zeroes *p if not (p NULL: only asks). */
#define go_map_get(m, k, p)                                                                        \
    __extension__({                                                                                \
        GORT_STRICT_BEGIN_                                                                         \
        struct gort_map *gort_m_ = gort_map_of_(m);                                                \
        GORT_CHECK_KEY_(m, k);                                                                     \
        gort_map_key_(m, k) gort_k_ = (k);                                                         \
        gort_map_val_(m) *gort_p_ = (p);                                                           \
        GORT_STRICT_END_                                                                           \
        gort_map_get(gort_m_, &gort_k_, gort_p_, sizeof *gort_p_);                                                  \
    })

/* Removes k; whether it was there. */
#define go_map_delete(m, k)                                                                        \
    __extension__({                                                                                \
        GORT_STRICT_BEGIN_                                                                         \
        struct gort_map *gort_m_ = gort_map_of_(m);                                                \
        GORT_CHECK_KEY_(m, k);                                                                     \
        gort_map_key_(m, k) gort_k_ = (k);                                                         \
        GORT_STRICT_END_                                                                           \
        gort_map_delete(gort_m_, &gort_k_);                                                        \
    })

/* How many keys there are. */
#define go_map_len(m) gort_map_len(gort_map_of_(m))
/* Removes all; the memory stays. */
#define go_map_clear(m) gort_map_clear(gort_map_of_(m))
/* Frees the map. NULL is ignored. */
#define go_map_free(m) gort_map_free(gort_map_of_(m))

/* A loop over the entries, whose keys and values it copies to *kp and *vp (NULL: not wanted), from a random place on, in no
 * order to rely on:
 *
 *     int k; double v;
 *     go_map_each(m, &k, &v)
 *         printf("%d: %g\n", k, v);
 *
 * Entries may be set and deleted meanwhile by the same goroutine: one deleted before its turn does not come, nor does one
 * inserted since the loop began, and each comes at most once. Leaving the loop early needs no ado. A string key is the map's copy: good until its
 * entry is deleted. */
#define go_map_each(m, kp, vp) \
    for (struct go_map_iter GORT_MAP_CAT_(gort_it_, __LINE__) = {0}; go_map_next(m, &GORT_MAP_CAT_(gort_it_, __LINE__), kp, vp);)

/* The same by hand: an iterator begins as {0}; false: that was all. Needs no end. */
struct go_map_iter {
    uint64_t place[3];
    uint32_t state[3];
};
#define go_map_next(m, it, kp, vp)                                                                 \
    __extension__({                                                                                \
        GORT_STRICT_BEGIN_                                                                         \
        struct gort_map *gort_m_ = gort_map_of_(m);                                                \
        (void)sizeof((*(m))((struct gort_map *)0)(kp));                                            \
        struct go_map_iter *gort_i_ = (it);                                                        \
        void *gort_k_ = (kp);                                                                      \
        gort_map_val_(m) *gort_p_ = (vp);                                                          \
        GORT_STRICT_END_                                                                           \
        gort_map_next(gort_m_, gort_i_, gort_k_, gort_p_);                                         \
    })

/* ---- behind the macros ---- */

#define GORT_MAP_CAT_(a, b) GORT_MAP_CAT2_(a, b)
#define GORT_MAP_CAT2_(a, b) a##b
#define gort_map_val_(m) __typeof__(*(*(m))((struct gort_map *)0)((void *)0))
#define gort_map_of_(m) ((struct gort_map *)((uintptr_t)(m) + 0 * sizeof(gort_map_val_(m))))

/* C would convert a floating-point value to an integer in silence (class 8: real, 9: complex). */
#define GORT_NO_LOSS_(T, v) (__builtin_classify_type(v) != 8 || __builtin_classify_type(*(T *)0) >= 8)

/* How keys are compared (runtime/table.h: enum key_kind). */
#define GORT_SAME_(A, B) __builtin_types_compatible_p(A, B)
#define GORT_KEY_KIND_(K)                                                                                                         \
    ((GORT_SAME_(__typeof__(K), const char *) ? 1 : GORT_SAME_(__typeof__(K), float) ? 2 : GORT_SAME_(__typeof__(K), double) ? 3 : 0) + \
     (int)GORT_REQUIRE_(!GORT_SAME_(__typeof__(K), char *),                                                                       \
                        "go_map: for strings by content the key type is const char *, for char pointers by address void *") +     \
     (int)GORT_REQUIRE_(!GORT_SAME_(__typeof__(K), long double), "go_map: a long double can't be a key"))

/* Whether map m's keys are of type T. */
#define GORT_KEY_IS_(m, T) GORT_SAME_(__typeof__(m), go_map(T, gort_map_val_(m)))
struct gort_other_key_ {
    char none;
};
#define GORT_TRY_KEY_(m, T, otherwise) __builtin_choose_expr(GORT_KEY_IS_(m, T), *(__typeof__(T) *)0, otherwise)
/* k if it is a pointer or an array, else some pointer, so that it can be dereferenced in any case. */
#define GORT_POINTER_(k) __builtin_choose_expr(__builtin_classify_type(k) == 5, (k), (int *)0)
#define GORT_DECAYED_(k) __typeof__((void)0, (k))
/* An lvalue, never evaluated, of m's key type, found among those that k may have or be converted to. */
#define GORT_KEY_LVALUE_(m, k)                                                                     \
    GORT_TRY_KEY_(m, GORT_DECAYED_(k), GORT_TRY_KEY_(m, __typeof__(*GORT_POINTER_(k)) const *,     \
    GORT_TRY_KEY_(m, int, GORT_TRY_KEY_(m, unsigned, GORT_TRY_KEY_(m, long, GORT_TRY_KEY_(m, unsigned long, \
    GORT_TRY_KEY_(m, long long, GORT_TRY_KEY_(m, unsigned long long, GORT_TRY_KEY_(m, short, GORT_TRY_KEY_(m, unsigned short, \
    GORT_TRY_KEY_(m, char, GORT_TRY_KEY_(m, signed char, GORT_TRY_KEY_(m, unsigned char, GORT_TRY_KEY_(m, _Bool, \
    GORT_TRY_KEY_(m, float, GORT_TRY_KEY_(m, double, GORT_TRY_KEY_(m, void *, GORT_TRY_KEY_(m, const void *, \
    *(struct gort_other_key_ *)0))))))))))))))))))
#define gort_map_key_(m, k) __typeof__(GORT_KEY_LVALUE_(m, k))
#define GORT_CHECK_KEY_(m, k)                                                                      \
    _Static_assert(!GORT_SAME_(gort_map_key_(m, k), struct gort_other_key_), "a key of another type than this map has"); \
    _Static_assert(GORT_NO_LOSS_(gort_map_key_(m, k), (k)), "a floating-point key for a map with keys of another type: cast it")

void *gort_map_make(size_t key_size, size_t value_size, int kind);
void gort_map_set(struct gort_map *m, const void *key, const void *value);
bool gort_map_get(const struct gort_map *m, const void *key, void *value, size_t value_size);
bool gort_map_delete(struct gort_map *m, const void *key);
size_t gort_map_len(const struct gort_map *m);
void gort_map_clear(struct gort_map *m);
void gort_map_free(struct gort_map *m);
bool gort_map_next(const struct gort_map *m, struct go_map_iter *it, void *key, void *value);

#endif
