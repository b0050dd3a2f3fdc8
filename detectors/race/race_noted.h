/* Stand-ins for functions of libc that save their caller's registers, setjmp and getcontext: no C function can stand between. __wrap_NAME calls
 * NOTING, with NAME's one argument or two kept for the jump on to libc's own, and returns no more. PREPARE sets what else NOTING is given; at that point
 * the return address lies at 24(%rsp). */
#ifndef RACE_NOTED_H
#define RACE_NOTED_H

#define NOTED(name, noting, prepare) \
    __asm__(".pushsection .text\n" \
            ".globl __wrap_" #name "\n" \
            ".type __wrap_" #name ", @function\n" \
            "__wrap_" #name ":\n" \
            ".cfi_startproc\n" \
            "endbr64\n" \
            "push %rdi\n" \
            ".cfi_adjust_cfa_offset 8\n" \
            "push %rsi\n" \
            ".cfi_adjust_cfa_offset 8\n" \
            "sub $8, %rsp\n" \
            ".cfi_adjust_cfa_offset 8\n" \
            prepare "\n" \
            "call " #noting "@PLT\n" \
            "add $8, %rsp\n" \
            ".cfi_adjust_cfa_offset -8\n" \
            "pop %rsi\n" \
            ".cfi_adjust_cfa_offset -8\n" \
            "pop %rdi\n" \
            ".cfi_adjust_cfa_offset -8\n" \
            "jmp __real_" #name "@PLT\n" \
            ".cfi_endproc\n" \
            ".size __wrap_" #name ", . - __wrap_" #name "\n" \
            ".popsection\n");

#endif
