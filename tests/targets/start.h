/* start.h: the beginning of a program without a C library, under Linux on any
 * of the targets, or in WebAssembly. put writes; main's result is the status.
 */
#ifndef START_H
#define START_H

#include <stddef.h>

/* Compilers call this for structs. */
void *memcpy(void *to, const void *from, size_t n);
void *memcpy(void *to, const void *from, size_t n)
{
    volatile unsigned char *t = to;
    const unsigned char *f = from;
    for (size_t i = 0; i < n; i++)
        t[i] = f[i];
    return to;
}

#if defined(__wasm__)

__attribute__((import_module("env"), import_name("put"))) void
put(const char *s, long n);
int main(void);
__attribute__((export_name("run"))) int run(void);
int run(void) { return main(); }

#else

/* system3(a, b, c, number) and _start, which calls begin. */
#if defined(__x86_64__)
enum { SYS_write = 1, SYS_exit = 60 };
__asm__(".globl system3, _start\n"
        "system3: mov %rcx, %rax\n syscall\n ret\n"
        "_start: and $-16, %rsp\n call begin\n");
#elif defined(__i386__)
enum { SYS_write = 4, SYS_exit = 1 };
__asm__(".globl system3, _start\n"
        "system3: push %ebx\n mov 8(%esp), %ebx\n mov 12(%esp), %ecx\n"
        " mov 16(%esp), %edx\n mov 20(%esp), %eax\n int $0x80\n"
        " pop %ebx\n ret\n"
        "_start: and $-16, %esp\n call begin\n");
#elif defined(__aarch64__)
enum { SYS_write = 64, SYS_exit = 93 };
__asm__(".globl system3, _start\n"
        "system3: mov x8, x3\n svc #0\n ret\n"
        "_start: bl begin\n");
#elif defined(__arm__)
enum { SYS_write = 4, SYS_exit = 1 };
__asm__(".globl system3, _start\n"
        ".type system3, %function\n .type _start, %function\n"
        "system3: push {r7, lr}\n mov r7, r3\n svc #0\n pop {r7, pc}\n"
        "_start: bl begin\n");
#elif defined(__riscv)
enum { SYS_write = 64, SYS_exit = 93 };
__asm__(".globl system3, _start\n"
        "system3: mv a7, a3\n ecall\n ret\n"
        "_start: call begin\n");
#elif defined(__powerpc64__)
enum { SYS_write = 4, SYS_exit = 1 };
__asm__(".globl system3, _start\n"
        ".type system3, @function\n .type _start, @function\n"
        "system3: mr 0, 6\n sc\n blr\n"
        "_start: addis 2, 12, .TOC.-_start@ha\n addi 2, 2, .TOC.-_start@l\n"
        " bl begin\n nop\n");
#elif defined(__s390x__)
enum { SYS_write = 4, SYS_exit = 1 };
__asm__(".globl system3, _start\n"
        "system3: lgr %r1, %r5\n svc 0\n br %r14\n"
        "_start: aghi %r15, -160\n brasl %r14, begin\n");
#else
#error "how does a program begin here?"
#endif

long system3(long a, long b, long c, long number);
static void put(const char *s, long n) { system3(1, (long)s, n, SYS_write); }
int main(void);
void begin(void);
void begin(void)
{
    system3(main(), 0, 0, SYS_exit);
    for (;;)
        ;
}

#endif
#endif
