/* x86-64, System V ABI. The contract is in context.h; the frame layout is CTX_* there.
 *
 * The switch ends in ret, not in an indirect jump. All goroutines leave through one call of it (sched.c: switch_to), so the return-stack
 * predictor, whose top entry is that call of the one that leaves, is right about the one that comes; and its other entries stay aligned with the
 * frames above: two goroutines that wait in the same way return through the same addresses (yield 18 ns instead of 36, ping-pong 72 instead of
 * 112). With a jump every return behind the switch is off by one and mispredicted. CFI is right at every instruction, so that debuggers, profilers
 * and the dump tool see through it at any moment; a goroutine's entry has an undefined caller, where every unwinder stops. */

        .text

/* from %rdi, to %rsi; every register but %rbp and %rsp may change (context.h: ctx_switch). */
        .globl  ctx_switch_frame
        .hidden ctx_switch_frame
        .type   ctx_switch_frame, @function
        .p2align 5
ctx_switch_frame:
        .cfi_startproc
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbp, 0
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        stmxcsr (%rsp)
        fnstcw  4(%rsp)
        movq    %rsp, (%rdi)
        movl    $0, 8(%rdi)             /* on_cpu: registers are saved (x86 keeps the order of stores: a release) */
        movq    %rsp, %rdx
        movq    (%rsi), %rsp
        movl    (%rsp), %eax
        movzwl  4(%rsp), %ecx
        cmpl    (%rdx), %eax
        jne     2f
        cmpw    4(%rdx), %cx
        jne     2f
1:      addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbp
        ret
        .cfi_endproc
        .cfi_startproc
        .cfi_def_cfa_offset 24
        .cfi_offset %rbp, -16
2:      ldmxcsr (%rsp)
        fldcw   4(%rsp)
        jmp     1b
        .cfi_endproc
        .size   ctx_switch_frame, . - ctx_switch_frame

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

/* First code of a context of the runtime's own; %rbp holds its function. */
        .p2align 4
        .cfi_startproc
        .cfi_undefined %rip
        nop
        .globl  ctx_entry_plain
        .hidden ctx_entry_plain
        .type   ctx_entry_plain, @function
ctx_entry_plain:
        movq    %rbp, %rax
        xorl    %ebp, %ebp
        call    *%rax
        ud2
        .cfi_endproc
        .size   ctx_entry_plain, . - ctx_entry_plain

/* Called as fn(args...) would have been. Keeps the argument registers where the goroutine to be will load them from: its saved sp + 24
 * (context.h: CTX_SIZE, CTX_M_G, CTX_G_PENDING). */
        .globl  ctx_capture
        .hidden ctx_capture
        .type   ctx_capture, @function
        .p2align 4
ctx_capture:
        .cfi_startproc
        endbr64
        movq    gort_m_tls@gottpoff(%rip), %r11
        movq    %fs:(%r11), %r11
        movq    16(%r11), %r11          /* m->g */
        movq    16(%r11), %r11          /* g->pending */
        movq    0(%r11), %r11           /* ctx.sp */
        movq    %rdi, 24(%r11)
        movq    %rsi, 32(%r11)
        movq    %rdx, 40(%r11)
        movq    %rcx, 48(%r11)
        movq    %r8, 56(%r11)
        movq    %r9, 64(%r11)
        movzbl  %al, %eax
        movq    %rax, 72(%r11)
        movups  %xmm0, 88(%r11)
        movups  %xmm1, 104(%r11)
        movups  %xmm2, 120(%r11)
        movups  %xmm3, 136(%r11)
        movups  %xmm4, 152(%r11)
        movups  %xmm5, 168(%r11)
        movups  %xmm6, 184(%r11)
        movups  %xmm7, 200(%r11)
        leaq    8(%rsp), %rdi           /* past the return address */
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        call    gort_go_commit
        addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
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
