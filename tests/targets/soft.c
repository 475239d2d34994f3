/* soft.c: what compilers' libraries have for CPUs without an FPU, made for
 * tests by the FPU of the machine that these run on: numbers go in and out in
 * integer registers, as for a CPU that has none. */
#include <stddef.h>
#include <stdint.h>

#define BOTH(type, result, gnu, arm, args, value)                              \
    result gnu args;                                                           \
    result arm args;                                                           \
    result gnu args { return value; }                                          \
    result arm args { return value; }

typedef float f32;
typedef double f64;
#define REALS(t, gnu, arm)                                                     \
    BOTH(t, t, __add##gnu, __aeabi_##arm##add, (t a, t b), a + b)              \
    BOTH(t, t, __sub##gnu, __aeabi_##arm##sub, (t a, t b), a - b)              \
    BOTH(t, t, __mul##gnu, __aeabi_##arm##mul, (t a, t b), a *b)               \
    BOTH(t, t, __div##gnu, __aeabi_##arm##div, (t a, t b), a / b)              \
    int __aeabi_##arm##cmpeq(t a, t b);                                        \
    int __aeabi_##arm##cmplt(t a, t b);                                        \
    int __aeabi_##arm##cmple(t a, t b);                                        \
    int __aeabi_##arm##cmpgt(t a, t b);                                        \
    int __aeabi_##arm##cmpge(t a, t b);                                        \
    int __aeabi_##arm##cmpun(t a, t b);                                        \
    int __aeabi_##arm##cmpeq(t a, t b) { return a == b; }                      \
    int __aeabi_##arm##cmplt(t a, t b) { return a < b; }                       \
    int __aeabi_##arm##cmple(t a, t b) { return a <= b; }                      \
    int __aeabi_##arm##cmpgt(t a, t b) { return a > b; }                       \
    int __aeabi_##arm##cmpge(t a, t b) { return a >= b; }                      \
    int __aeabi_##arm##cmpun(t a, t b) { return a != a || b != b; }            \
    long __unord##gnu(t a, t b);                                               \
    long __unord##gnu(t a, t b) { return a != a || b != b; }                   \
    COMPARE(t, __eq##gnu, 1)                                                   \
    COMPARE(t, __ne##gnu, 1)                                                   \
    COMPARE(t, __lt##gnu, 1)                                                   \
    COMPARE(t, __le##gnu, 1)                                                   \
    COMPARE(t, __gt##gnu, -1)                                                  \
    COMPARE(t, __ge##gnu, -1)
#define COMPARE(t, name, unordered)                                            \
    long name(t a, t b);                                                       \
    long name(t a, t b)                                                        \
    {                                                                          \
        return a < b ? -1 : a > b ? 1 : a == b ? 0 : unordered;                \
    }
REALS(f32, sf3, f)
REALS(f64, df3, d)
/* gcc's names of comparisons end in 2. */
#define TWO(name, t)                                                           \
    long name##2(t a, t b);                                                    \
    long name##2(t a, t b) { return name##3(a, b); }
TWO(__eqsf, f32)
TWO(__nesf, f32)
TWO(__ltsf, f32)
TWO(__lesf, f32)
TWO(__gtsf, f32)
TWO(__gesf, f32)
TWO(__unordsf, f32)
TWO(__eqdf, f64)
TWO(__nedf, f64)
TWO(__ltdf, f64)
TWO(__ledf, f64)
TWO(__gtdf, f64)
TWO(__gedf, f64)
TWO(__unorddf, f64)

BOTH(f32, f32, __floatsisf, __aeabi_i2f, (int32_t a), (f32)a)
BOTH(f32, f32, __floatunsisf, __aeabi_ui2f, (uint32_t a), (f32)a)
BOTH(f64, f64, __floatsidf, __aeabi_i2d, (int32_t a), a)
BOTH(f64, f64, __floatunsidf, __aeabi_ui2d, (uint32_t a), a)
BOTH(f64, f64, __extendsfdf2, __aeabi_f2d, (f32 a), a)
BOTH(f32, f32, __truncdfsf2, __aeabi_d2f, (f64 a), (f32)a)
BOTH(f32, int32_t, __fixsfsi, __aeabi_f2iz, (f32 a), (int32_t)a)
BOTH(f32, uint32_t, __fixunssfsi, __aeabi_f2uiz, (f32 a), (uint32_t)a)
BOTH(f64, int32_t, __fixdfsi, __aeabi_d2iz, (f64 a), (int32_t)a)
BOTH(f64, uint32_t, __fixunsdfsi, __aeabi_d2uiz, (f64 a), (uint32_t)a)

static f64 from_words(int64_t a)
{
    return (f64)(int32_t)((uint64_t)a >> 32) * 0x1p32 + (f64)(uint32_t)a;
}
static f64 from_unsigned(uint64_t a)
{
    return (f64)(uint32_t)(a >> 32) * 0x1p32 + (f64)(uint32_t)a;
}
static int64_t to_words(f64 a)
{
    int negative = a < 0;
    f64 size = negative ? -a : a;
    uint32_t high = (uint32_t)(size * 0x1p-32);
    uint64_t v = (uint64_t)high << 32 | (uint32_t)(size - high * 0x1p32);
    return negative ? -(int64_t)v : (int64_t)v;
}
BOTH(f64, f64, __floatdidf, __aeabi_l2d, (int64_t a), from_words(a))
BOTH(f32, f32, __floatdisf, __aeabi_l2f, (int64_t a), (f32)from_words(a))
BOTH(f64, f64, __floatundidf, __aeabi_ul2d, (uint64_t a), from_unsigned(a))
BOTH(f32, f32, __floatundisf, __aeabi_ul2f, (uint64_t a), (f32)from_unsigned(a))
BOTH(f64, int64_t, __fixdfdi, __aeabi_d2lz, (f64 a), to_words(a))
BOTH(f32, int64_t, __fixsfdi, __aeabi_f2lz, (f32 a), to_words(a))

/* Integers, of CPUs without the instructions. */
BOTH(u, uint64_t, __muldi3, __aeabi_lmul, (uint64_t a, uint64_t b), a *b)
BOTH(u, uint64_t, __ashldi3, __aeabi_llsl, (uint64_t a, int n), a << n)
BOTH(u, uint64_t, __lshrdi3, __aeabi_llsr, (uint64_t a, int n), a >> n)
BOTH(u, int64_t, __ashrdi3, __aeabi_lasr, (int64_t a, int n), a >> n)

static void copy(unsigned char *to, const unsigned char *from, size_t n)
{
    while (n-- > 0)
        *to++ = *from++;
}
void __aeabi_memcpy(void *to, const void *from, size_t n);
void __aeabi_memcpy4(void *to, const void *from, size_t n);
void __aeabi_memcpy8(void *to, const void *from, size_t n);
void __aeabi_memcpy(void *to, const void *from, size_t n) { copy(to, from, n); }
void __aeabi_memcpy4(void *to, const void *from, size_t n)
{
    copy(to, from, n);
}
void __aeabi_memcpy8(void *to, const void *from, size_t n)
{
    copy(to, from, n);
}
