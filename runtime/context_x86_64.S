/* x86-64, System V ABI. The contract is in context.h; the frame layout is CTX_* there.
 *
 * The switch ends in ret, not in an indirect jump. All goroutines leave through one call of it (sched.c: switch_away), so the return-stack
 * predictor, whose top entry is that call of the one that leaves, is right about the one that comes; and its other entries stay aligned with the
 * frames above: two goroutines that wait in the same way return through the same addresses (yield 18 ns instead of 36, ping-pong 72 instead of
 * 112). With a jump every return behind the switch is off by one and mispredicted. CFI is right at every instruction, so that debuggers, profilers
 * and the dump tool see through it at any moment; a goroutine's entry has an undefined caller, where every unwinder stops. */

        .text

/* void ctx_switch(struct ctx *from %rdi, struct ctx *to %rsi) */
        .globl  ctx_switch
        .hidden ctx_switch
        .type   ctx_switch, @function
        .p2align 5
ctx_switch:
        .cfi_startproc
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbp, 0
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbx, 0
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r12, 0
        pushq   %r13
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r13, 0
        pushq   %r14
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r14, 0
        pushq   %r15
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r15, 0
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        stmxcsr (%rsp)
        fnstcw  4(%rsp)
        movl    (%rsp), %eax
        movzwl  4(%rsp), %ecx
        movq    %rsp, (%rdi)
        movl    $0, 8(%rdi)             /* on_cpu: registers are saved (x86 keeps the order of stores: a release) */
        movq    (%rsi), %rsp
        cmpl    (%rsp), %eax
        jne     2f
        cmpw    4(%rsp), %cx
        jne     2f
1:      addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
        popq    %r15
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r15
        popq    %r14
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r14
        popq    %r13
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r13
        popq    %r12
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r12
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbx
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbp
        ret
        .cfi_endproc
        .cfi_startproc
        .cfi_def_cfa_offset 64
        .cfi_offset %rbp, -16
        .cfi_offset %rbx, -24
        .cfi_offset %r12, -32
        .cfi_offset %r13, -40
        .cfi_offset %r14, -48
        .cfi_offset %r15, -56
2:      ldmxcsr (%rsp)
        fldcw   4(%rsp)
        jmp     1b
        .cfi_endproc
        .size   ctx_switch, . - ctx_switch

/* First code of a goroutine. The stack holds struct ctx_args, then the address of ctx_return, then the stack words. */
        .p2align 4
        .cfi_startproc
        .cfi_undefined %rip
        nop                             /* unwinders look up pc - 1 */
        .globl  ctx_entry
        .hidden ctx_entry
        .type   ctx_entry, @function
ctx_entry:
        subq    $8, %rsp                /* 16-aligned for the call */
        call    gort_g_start
        addq    $8, %rsp
        movups  64(%rsp), %xmm0
        movups  80(%rsp), %xmm1
        movups  96(%rsp), %xmm2
        movups  112(%rsp), %xmm3
        movups  128(%rsp), %xmm4
        movups  144(%rsp), %xmm5
        movups  160(%rsp), %xmm6
        movups  176(%rsp), %xmm7
        movq    0(%rsp), %rdi
        movq    8(%rsp), %rsi
        movq    16(%rsp), %rdx
        movq    24(%rsp), %rcx
        movq    32(%rsp), %r8
        movq    40(%rsp), %r9
        movq    48(%rsp), %rax
        movq    56(%rsp), %r11
        addq    $192, %rsp
        xorl    %ebp, %ebp
        notrack jmp *%r11
        nop
ctx_return:                             /* where fn returns to */
        subq    $8, %rsp
        andq    $-16, %rsp
        call    gort_g_return
        ud2
        .cfi_endproc
        .size   ctx_entry, . - ctx_entry

/* First code of a context of the runtime's own; %rbx holds its function. */
        .p2align 4
        .cfi_startproc
        .cfi_undefined %rip
        nop
        .globl  ctx_entry_plain
        .hidden ctx_entry_plain
        .type   ctx_entry_plain, @function
ctx_entry_plain:
        xorl    %ebp, %ebp
        call    *%rbx
        ud2
        .cfi_endproc
        .size   ctx_entry_plain, . - ctx_entry_plain

/* Called as fn(args...) would have been. Keeps the argument registers in a struct ctx_args on the stack. */
        .globl  ctx_capture
        .hidden ctx_capture
        .type   ctx_capture, @function
        .p2align 4
ctx_capture:
        .cfi_startproc
        endbr64
        subq    $200, %rsp
        .cfi_adjust_cfa_offset 200
        movq    %rdi, 0(%rsp)
        movq    %rsi, 8(%rsp)
        movq    %rdx, 16(%rsp)
        movq    %rcx, 24(%rsp)
        movq    %r8, 32(%rsp)
        movq    %r9, 40(%rsp)
        movzbl  %al, %eax
        movq    %rax, 48(%rsp)
        movq    $0, 56(%rsp)
        movups  %xmm0, 64(%rsp)
        movups  %xmm1, 80(%rsp)
        movups  %xmm2, 96(%rsp)
        movups  %xmm3, 112(%rsp)
        movups  %xmm4, 128(%rsp)
        movups  %xmm5, 144(%rsp)
        movups  %xmm6, 160(%rsp)
        movups  %xmm7, 176(%rsp)
        movq    %rsp, %rdi
        leaq    208(%rsp), %rsi         /* past the return address */
        call    gort_go_commit
        addq    $200, %rsp
        .cfi_adjust_cfa_offset -200
        xorl    %eax, %eax
        pxor    %xmm0, %xmm0
        ret
        .cfi_endproc
        .size   ctx_capture, . - ctx_capture

/* The address of ctx_return, for ctx_make. */
        .section .data.rel.ro, "aw"
        .globl  ctx_return_address
        .hidden ctx_return_address
        .p2align 3
ctx_return_address:
        .quad   ctx_return

        .section .note.GNU-stack, "", @progbits
