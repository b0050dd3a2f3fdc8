/* The images (executable, shared objects, vdso) in a process's memory: where each lies, and where its unwind table is. */
#ifndef TB_IMAGES_H
#define TB_IMAGES_H

#include <link.h>

#include "unwind.h"

enum { TB_HEADERS_MAX = 64 };

struct tb_image {
    uint64_t lo, hi;    /* its loaded segments */
    uint64_t eh_hdr;    /* address of .eh_frame_hdr, 0: none */
    uint64_t bias;      /* its addresses in memory are so much higher than in the file */
    const char *name;   /* the file's; NULL: not asked for */
};

/* What program headers say of an image; lo >= hi: nothing is loaded. */
struct tb_image tb_image_at(uint64_t bias, const ElfW(Phdr) *ph, size_t n);
/* A mapping at file offset 0: if it is an ELF image, its program headers, into ph[TB_HEADERS_MAX]. How many; 0: it is none. */
size_t tb_read_image(struct tb_memory memory, uint64_t addr, uint64_t *bias, ElfW(Phdr) *ph);
/* This process's, as the kernel has them: no memory is allocated, and no lock of libc's or the loader's is taken. For a process that is about to end: once,
 * on one thread. How many; 0: /proc can't be read. */
size_t tb_list_images(struct tb_memory memory, struct tb_image *out, size_t max);

#endif
