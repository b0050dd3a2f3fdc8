/* x86-64, System V ABI. The contract is in context.h; the frame layout is CTX_* there.
 *
 * The switch ends in ret, not in an indirect jump. All goroutines leave through one call of it (sched.c: switch_to), so the return-stack
 * predictor, whose top entry is that call of the one that leaves, is right about the one that comes; and its other entries stay aligned with the
 * frames above: two goroutines that wait in the same way return through the same addresses (yield 18 ns instead of 36, ping-pong 72 instead of
 * 112). With a jump every return behind the switch is off by one and mispredicted. A goroutine that begins has returned from nowhere, and one that
 * ends has nobody who called it: the one is jumped to, and the other leaves by jumps alone, so that the entries of the goroutines that wait stay
 * where they are. CFI is right at every instruction, so that debuggers, profilers and the dump tool see through it at any moment; a goroutine's
 * entry has an undefined caller, where every unwinder stops. */

#define CTX_NEW_BIT 31          /* context_x86_64.c */

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
        movl    (%rsp), %r8d
        movzwl  4(%rsp), %r9d
        movq    %rsp, (%rdi)
        movl    $0, 8(%rdi)             /* on_cpu: registers are saved (x86 keeps the order of stores: a release). From here on the stack is another M's */
        movq    (%rsi), %rsp
.Lcompare:                              /* the control words that are in force, %r8d and %r9d, with those that are wanted */
        movl    (%rsp), %eax
        movzwl  4(%rsp), %ecx
        cmpl    %r8d, %eax
        jne     2f
        cmpl    %r9d, %ecx
        jne     2f
.Lresume:
        addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbp
        ret
        .cfi_endproc
        .cfi_startproc
        .cfi_def_cfa_offset 24
        .cfi_offset %rbp, -16
2:      btrl    $CTX_NEW_BIT, %eax
        jc      3f
        ldmxcsr (%rsp)
        fldcw   4(%rsp)
        jmp     .Lresume
        .cfi_endproc
        .cfi_startproc
        .cfi_undefined %rip
        nop
3:      movl    %eax, (%rsp)            /* it begins */
        cmpl    %r8d, %eax
        jne     4f
        cmpl    %r9d, %ecx
        je      5f
4:      ldmxcsr (%rsp)
        fldcw   4(%rsp)
5:      addq    $24, %rsp
        jmp     ctx_entry
        .cfi_endproc
        .size   ctx_switch_frame, . - ctx_switch_frame

/* From %rdi, of which nothing is kept, to %rsi; it is jumped to. */
        .p2align 4
        .cfi_startproc
        .cfi_undefined %rip
        nop
        .globl  ctx_leave_frame
        .hidden ctx_leave_frame
        .type   ctx_leave_frame, @function
ctx_leave_frame:
        movq    (%rsi), %rsp
        .cfi_endproc
        .cfi_startproc
        .cfi_def_cfa_offset 24
        .cfi_offset %rbp, -16
        movl    $0, 8(%rdi)             /* on_cpu */
        stmxcsr -8(%rsp)                /* CTX_BELOW */
        fnstcw  -4(%rsp)
        movl    -8(%rsp), %r8d
        movzwl  -4(%rsp), %r9d
        jmp     .Lcompare
        .cfi_endproc
        .size   ctx_leave_frame, . - ctx_leave_frame

/* First code of a goroutine. The stack holds struct ctx_args, then room for the address that fn returns to, then the stack words. */
        .p2align 4
        .cfi_startproc
        .cfi_undefined %rip
        .globl  ctx_entry
        .hidden ctx_entry
        .type   ctx_entry, @function
ctx_entry:
        nop                             /* the saved pc is behind it: unwinders look up pc - 1 */
        xorl    %ebp, %ebp
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
        addq    $200, %rsp
        notrack call *%r11
        subq    $248, %rsp              /* below the next goroutine's first frame (Valgrind: what is above is in use) */
        leaq    1f(%rip), %rax
        movq    %rax, (%rsp)            /* as a call, for who looks at the stack */
        jmp     gort_g_return
1:      ud2
        .cfi_endproc
        .size   ctx_entry, . - ctx_entry

/* First code of a context of the runtime's own; %rbp holds its function. */
        .p2align 4
        .cfi_startproc
        .cfi_undefined %rip
        .globl  ctx_entry_plain
        .hidden ctx_entry_plain
        .type   ctx_entry_plain, @function
ctx_entry_plain:
        nop
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

        .section .note.GNU-stack, "", @progbits
