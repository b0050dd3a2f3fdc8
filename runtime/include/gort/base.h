/* What every public header needs: linkage, compile-time strictness, and the check that a program and the library it
 * links agree about GO_RACE. */
#ifndef GORT_BASE_H
#define GORT_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#error "gort's typed API is C11 with GNU extensions: include it from C (call it from C++ through functions of your own)"
#endif

#if defined(__SANITIZE_THREAD__)
#define GORT_HAS_TSAN_HOOKS_ 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define GORT_HAS_TSAN_HOOKS_ 1
#endif
#endif

/* A program built with -DGO_RACE refers to a symbol that only libgort_race defines, a program built without it to one
 * that only libgort defines, so a mix does not link. */
#ifdef GO_RACE
extern const char gort_built_with_race;
__attribute__((used, unused)) static const char *const gort_build_check_ = &gort_built_with_race;
#if !defined(GORT_HAS_TSAN_HOOKS_) && !defined(GORT_NO_RACE_WARNING)
#warning "GO_RACE without -fsanitize=thread: plain loads and stores are not checked; add -fsanitize=thread when compiling (not when linking)"
#endif
/* What this file was compiled for. The detector looks at the start whether a file that was to have hooks has got them: link-time optimization may have
 * left them out. */
#ifndef GORT_NO_RACE_MARK   /* the library itself */
struct gort_race_mark_ {
    const char *file;
    void (*probe)(char *);   /* writes to where it is told; NULL: without hooks by intention */
    bool quiet;
};
#ifdef GORT_HAS_TSAN_HOOKS_
__attribute__((used, unused, noinline)) static void gort_race_probe_(char *p) { *p = 1; }
#else
#define gort_race_probe_ NULL
#endif
#ifdef GORT_NO_RACE_WARNING
#define GORT_RACE_QUIET_ true
#else
#define GORT_RACE_QUIET_ false
#endif
__attribute__((unused)) static const struct gort_race_mark_ gort_race_mark_here_ = {__BASE_FILE__, gort_race_probe_, GORT_RACE_QUIET_};
__attribute__((used, unused, section("gort_race_marks")
#if __has_attribute(retain)
    , retain
#endif
)) static const struct gort_race_mark_ *const gort_race_mark_at_ = &gort_race_mark_here_;
#endif
#else
#ifdef GORT_HAS_TSAN_HOOKS_
#error "-fsanitize=thread without -DGO_RACE: ThreadSanitizer does not know goroutines; the flags are those of pkg-config --cflags gort-race"
#endif
extern const char gort_built_without_race;
__attribute__((used, unused)) static const char *const gort_build_check_ = &gort_built_without_race;
#endif

/* Between these two, what C lets pass with a warning (an int for a pointer, a pointer of another type) is an error,
 * whatever the program's own flags are. */
#ifdef __clang__
#define GORT_STRICT_BEGIN_                                          \
    _Pragma("GCC diagnostic push")                                  \
    _Pragma("GCC diagnostic error \"-Wint-conversion\"")            \
    _Pragma("GCC diagnostic error \"-Wincompatible-pointer-types\"") \
    _Pragma("GCC diagnostic error \"-Wincompatible-pointer-types-discards-qualifiers\"") \
    _Pragma("GCC diagnostic ignored \"-Wshadow\"")
#else
#define GORT_STRICT_BEGIN_                                          \
    _Pragma("GCC diagnostic push")                                  \
    _Pragma("GCC diagnostic error \"-Wint-conversion\"")            \
    _Pragma("GCC diagnostic error \"-Wincompatible-pointer-types\"") \
    _Pragma("GCC diagnostic error \"-Wdiscarded-qualifiers\"")      \
    _Pragma("GCC diagnostic ignored \"-Wshadow\"")
#endif
#define GORT_STRICT_END_ _Pragma("GCC diagnostic pop")

/* An expression of value 0 that fails to compile, with MSG, unless COND. Inside functions only. (Not an assertion among a struct's members: there clang
 * wants compound literals in COND, as in go(f, ((struct point){x, y})), to be constant.) */
#define GORT_REQUIRE_(COND, MSG) __extension__({ _Static_assert(COND, MSG); (size_t)0; })

#endif
