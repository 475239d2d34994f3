/* sort.c: machine code of sorts. Each element becomes a key, an unsigned
 * integer; the places of the smallest keys are what is asked for. */
#include "emit/parallel.h"

typedef struct SortCode {
    Emit *e;
    const Sort *s;
    DType t;
    LLVMTypeRef key; /* i32 or i64, or a vector of */
    int bits, width;
    LLVMValueRef in, out; /* this row's */
    LLVMValueRef n, count;
    LLVMValueRef work; /* or NULL */
} SortCode;

static LLVMValueRef key_int(const SortCode *c, uint64_t v)
{
    LLVMTypeRef one = c->bits == 64 ? c->e->i64 : c->e->i32;
    return code_splat(c->e, LLVMConstInt(one, v, false), c->width);
}

/* Integers in the order of reals: those below 0 turned round. -0 is 0, NaN the
 * largest whatever the order. */
static LLVMValueRef real_key(const SortCode *c, LLVMValueRef v)
{
    LLVMBuilderRef b = c->e->builder;
    LLVMTypeRef t = LLVMTypeOf(v);
    LLVMValueRef sum = LLVMBuildFAdd(b, v, LLVMConstReal(t, 0), "");
    LLVMValueRef bits = LLVMBuildBitCast(b, sum, c->key, "");
    LLVMValueRef sign =
        LLVMBuildAShr(b, bits, key_int(c, (unsigned)c->bits - 1), "");
    LLVMValueRef flip =
        LLVMBuildOr(b, sign, key_int(c, UINT64_C(1) << (c->bits - 1)), "");
    LLVMValueRef k = LLVMBuildXor(b, bits, flip, "");
    LLVMValueRef nan = LLVMBuildFCmp(b, LLVMRealUNO, v, v, "");
    if (c->s->descending)
        k = LLVMBuildNot(b, k, "");
    return LLVMBuildSelect(b, nan, LLVMConstAllOnes(c->key), k, "");
}

static LLVMValueRef int_key(const SortCode *c, LLVMValueRef v)
{
    LLVMBuilderRef b = c->e->builder;
    LLVMValueRef k = LLVMBuildZExt(b, v, c->key, "");
    if (c->t == DT_i32 || c->t == DT_i64)
        k = LLVMBuildXor(b, k, key_int(c, UINT64_C(1) << (c->bits - 1)), "");
    return c->s->descending ? LLVMBuildNot(b, k, "") : k;
}

/* Of the row's element i, or of as many from there on as keys are wide. */
static LLVMValueRef key_at(const SortCode *c, LLVMValueRef i)
{
    LLVMTypeRef t = type_in_memory(c->e, c->t);
    LLVMValueRef v = code_load(c->e, type_lanes(t, c->width),
                               code_at(c->e, t, c->in, i), dtype_size(c->t));
    return dtype_is_real(c->t) ? real_key(c, v) : int_key(c, v);
}

static LLVMValueRef load_key(const SortCode *c, LLVMValueRef keys,
                             LLVMValueRef i)
{
    return code_load(c->e, c->key, code_at(c->e, c->key, keys, i), c->bits / 8);
}

static void store_key(const SortCode *c, LLVMValueRef keys, LLVMValueRef i,
                      LLVMValueRef k)
{
    code_store(c->e, k, code_at(c->e, c->key, keys, i), c->bits / 8);
}

static LLVMValueRef load_i32(const SortCode *c, LLVMValueRef at, LLVMValueRef i)
{
    return code_load(c->e, c->e->i32, code_at(c->e, c->e->i32, at, i), 4);
}

static void store_i32(const SortCode *c, LLVMValueRef at, LLVMValueRef i,
                      LLVMValueRef v)
{
    code_store(c->e, v, code_at(c->e, c->e->i32, at, i), 4);
}

static LLVMValueRef to_i32(const SortCode *c, LLVMValueRef v)
{
    return LLVMBuildTrunc(c->e->builder, v, c->e->i32, "");
}

static LLVMValueRef phi_of(const SortCode *c, LLVMTypeRef t, LLVMValueRef a,
                           LLVMBasicBlockRef from_a, LLVMValueRef b,
                           LLVMBasicBlockRef from_b)
{
    LLVMValueRef phi = LLVMBuildPhi(c->e->builder, t, "");
    LLVMAddIncoming(phi, &a, &from_a, 1);
    LLVMAddIncoming(phi, &b, &from_b, 1);
    return phi;
}

/* Few places. */

/* From slot j down, larger keys and their places go one up; where the key
 * belongs. */
static LLVMValueRef make_room(const SortCode *c, LLVMValueRef keys,
                              LLVMValueRef key, LLVMValueRef j)
{
    Emit *e = c->e;
    LLVMBuilderRef b = e->builder;
    LLVMBasicBlockRef before = LLVMGetInsertBlock(b);
    LLVMBasicBlockRef head = code_block(e, "slot"),
                      look = code_block(e, "look");
    LLVMBasicBlockRef move = code_block(e, "move"), put = code_block(e, "put");
    LLVMBuildBr(b, head);
    LLVMPositionBuilderAtEnd(b, head);
    LLVMValueRef at = LLVMBuildPhi(b, e->i64, "");
    LLVMAddIncoming(at, &j, &before, 1);
    LLVMValueRef less = LLVMBuildSub(b, at, code_i64(e, 1), "");
    LLVMValueRef more = LLVMBuildICmp(b, LLVMIntSGT, at, code_i64(e, 0), "");
    LLVMBuildCondBr(b, more, look, put);
    LLVMPositionBuilderAtEnd(b, look);
    LLVMValueRef other = load_key(c, keys, less);
    LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntUGT, other, key, ""), move, put);
    LLVMPositionBuilderAtEnd(b, move);
    store_key(c, keys, at, other);
    store_i32(c, c->out, at, load_i32(c, c->out, less));
    LLVMAddIncoming(at, &less, &move, 1);
    LLVMBuildBr(b, head);
    LLVMPositionBuilderAtEnd(b, put);
    return at;
}

/* The places so far, `have` of them, are in order. A key that is not smaller
 * than the last of as many as are wanted is none of them. */
static LLVMValueRef take_key(const SortCode *c, LLVMValueRef keys,
                             LLVMValueRef i, LLVMValueRef have)
{
    Emit *e = c->e;
    LLVMBuilderRef b = e->builder;
    LLVMValueRef key = key_at(c, i), one = code_i64(e, 1);
    LLVMBasicBlockRef full = code_block(e, "full"),
                      take = code_block(e, "take");
    LLVMBasicBlockRef next = code_block(e, "next");
    LLVMBasicBlockRef here = LLVMGetInsertBlock(b);
    LLVMValueRef more = LLVMBuildAdd(b, have, one, "");
    LLVMValueRef room = LLVMBuildICmp(b, LLVMIntSLT, have, c->count, "");
    LLVMBuildCondBr(b, room, take, full);
    LLVMPositionBuilderAtEnd(b, full);
    LLVMValueRef last = LLVMBuildSub(b, have, one, "");
    LLVMValueRef small =
        LLVMBuildICmp(b, LLVMIntULT, key, load_key(c, keys, last), "");
    LLVMBuildCondBr(b, small, take, next);
    LLVMPositionBuilderAtEnd(b, take);
    LLVMValueRef from = phi_of(c, e->i64, have, here, last, full);
    LLVMValueRef now = phi_of(c, e->i64, more, here, have, full);
    LLVMValueRef slot = make_room(c, keys, key, from);
    LLVMBasicBlockRef put = LLVMGetInsertBlock(b);
    store_key(c, keys, slot, key);
    store_i32(c, c->out, slot, to_i32(c, i));
    LLVMBuildBr(b, next);
    LLVMPositionBuilderAtEnd(b, next);
    return phi_of(c, e->i64, have, full, now, put);
}

/* Elements first … last - 1, one by one. */
static LLVMValueRef take_keys(const SortCode *c, LLVMValueRef keys,
                              LLVMValueRef first, LLVMValueRef last,
                              LLVMValueRef have)
{
    Loop l = loop_begin(c->e, first, last, code_i64(c->e, 1), 1, &have);
    have = take_key(c, keys, l.i, l.phi[0]);
    loop_end(c->e, &l, &have);
    return have;
}

/* Is one of `width` keys from i on among the smallest, where there are as many
 * of them as are wanted. */
static LLVMValueRef any_smaller(const SortCode *c, int width, LLVMValueRef keys,
                                LLVMValueRef i)
{
    Emit *e = c->e;
    LLVMBuilderRef b = e->builder;
    SortCode wide = *c;
    LLVMValueRef last = LLVMBuildSub(b, c->count, code_i64(e, 1), "");
    wide.width = width;
    wide.key = type_lanes(c->key, width);
    LLVMValueRef right = code_splat(e, load_key(c, keys, last), width);
    LLVMValueRef less =
        LLVMBuildICmp(b, LLVMIntULT, key_at(&wide, i), right, "");
    LLVMTypeRef t = LLVMTypeOf(less);
    return code_intrinsic(e, "llvm.vector.reduce.or", &t, 1, &less, 1);
}

/* A block without such a key is passed over. */
static LLVMValueRef take_block(const SortCode *c, int width, LLVMValueRef keys,
                               LLVMValueRef i, LLVMValueRef n,
                               LLVMValueRef have)
{
    Emit *e = c->e;
    LLVMBuilderRef b = e->builder;
    LLVMBasicBlockRef look = code_block(e, "look"),
                      some = code_block(e, "some");
    LLVMBasicBlockRef next = code_block(e, "next"), from;
    LLVMValueRef end = LLVMBuildNSWAdd(b, i, code_i64(e, width), "");
    LLVMValueRef full = LLVMBuildICmp(b, LLVMIntSGE, have, c->count, "");
    LLVMValueRef whole = LLVMBuildICmp(b, LLVMIntSLE, end, n, "");
    LLVMBuildCondBr(b, LLVMBuildAnd(b, full, whole, ""), look, some);
    LLVMPositionBuilderAtEnd(b, look);
    LLVMBuildCondBr(b, any_smaller(c, width, keys, i), some, next);
    from = LLVMGetInsertBlock(b);
    LLVMPositionBuilderAtEnd(b, some);
    LLVMValueRef now = take_keys(c, keys, i, code_smaller(e, end, n), have);
    some = LLVMGetInsertBlock(b);
    LLVMBuildBr(b, next);
    LLVMMoveBasicBlockAfter(next, some);
    LLVMPositionBuilderAtEnd(b, next);
    return phi_of(c, e->i64, have, from, now, some);
}

/* The row is read once; the keys that are kept are on the stack. Most are
 * larger than those: with vectors so many are looked at together. */
static void keep_smallest(const SortCode *c, LLVMValueRef keys)
{
    enum { TOGETHER = 32 };
    Emit *e = c->e;
    LLVMValueRef zero = code_i64(e, 0);
    LLVMValueRef none =
        LLVMBuildICmp(e->builder, LLVMIntEQ, c->count, zero, "");
    LLVMValueRef n = LLVMBuildSelect(e->builder, none, zero, c->n, "");
    if (e->machine.has.small || lanes_of_bytes(e, c->bits / 8) == 1) {
        take_keys(c, keys, zero, n, zero);
        return;
    }
    Loop l = loop_begin(e, zero, n, code_i64(e, TOGETHER), 1, &zero);
    LLVMValueRef have = take_block(c, TOGETHER, keys, l.i, n, l.phi[0]);
    loop_end(e, &l, &have);
}

/* Many: from the lowest digit up, keys and places go where the counts of
 * smaller digits say. (Knuth, The Art of Computer Programming, vol. 3, 5.2.5)
 */

enum { DIGITS = 1 << SORT_DIGIT };

static LLVMValueRef digit_of(const SortCode *c, LLVMValueRef key,
                             LLVMValueRef shift)
{
    LLVMBuilderRef b = c->e->builder;
    LLVMValueRef right = key_int(c, DIGITS - 1);
    LLVMValueRef d =
        LLVMBuildAnd(b, LLVMBuildLShr(b, key, shift, ""), right, "");
    return LLVMBuildZExtOrBitCast(b, d, c->e->i64, "");
}

static void count_one(const SortCode *c, LLVMValueRef counts, LLVMValueRef d)
{
    LLVMValueRef n = load_i32(c, counts, d);
    n = LLVMBuildAdd(c->e->builder, n, LLVMConstInt(c->e->i32, 1, false), "");
    store_i32(c, counts, d, n);
}

static void clear_counts(const SortCode *c, LLVMValueRef counts, int n)
{
    Emit *e = c->e;
    Loop l =
        loop_begin(e, code_i64(e, 0), code_i64(e, n), code_i64(e, 1), 0, NULL);
    store_i32(c, counts, l.i, LLVMConstNull(e->i32));
    loop_end(e, &l, NULL);
}

/* Keys and places as they come, and how often each digit occurs. */
static void read_keys(const SortCode *c, LLVMValueRef counts, LLVMValueRef keys,
                      LLVMValueRef places)
{
    Emit *e = c->e;
    Loop l = loop_begin(e, code_i64(e, 0), c->n, code_i64(e, 1), 0, NULL);
    LLVMValueRef key = key_at(c, l.i);
    store_key(c, keys, l.i, key);
    store_i32(c, places, l.i, to_i32(c, l.i));
    for (int shift = 0; shift < c->bits; shift += SORT_DIGIT) {
        LLVMValueRef d = digit_of(c, key, key_int(c, (unsigned)shift));
        int at = shift / SORT_DIGIT * DIGITS;
        count_one(c, counts, LLVMBuildAdd(e->builder, d, code_i64(e, at), ""));
    }
    loop_end(e, &l, NULL);
}

/* Counts become the number of keys with smaller digits. */
static void add_counts(const SortCode *c, LLVMValueRef counts)
{
    Emit *e = c->e;
    LLVMValueRef sum = LLVMConstNull(e->i32);
    Loop l = loop_begin(e, code_i64(e, 0), code_i64(e, DIGITS), code_i64(e, 1),
                        1, &sum);
    LLVMValueRef n = load_i32(c, counts, l.i);
    store_i32(c, counts, l.i, l.phi[0]);
    sum = LLVMBuildAdd(e->builder, l.phi[0], n, "");
    loop_end(e, &l, &sum);
}

enum { KEYS, PLACES, TO_KEYS, TO_PLACES, NARRAYS };

static void place_keys(const SortCode *c, LLVMValueRef counts,
                       LLVMValueRef shift, LLVMValueRef const *a)
{
    Emit *e = c->e;
    Loop l = loop_begin(e, code_i64(e, 0), c->n, code_i64(e, 1), 0, NULL);
    LLVMValueRef key = load_key(c, a[KEYS], l.i);
    LLVMValueRef d = digit_of(c, key, shift), at = load_i32(c, counts, d);
    count_one(c, counts, d);
    at = LLVMBuildZExt(e->builder, at, e->i64, "");
    store_key(c, a[TO_KEYS], at, key);
    store_i32(c, a[TO_PLACES], at, load_i32(c, a[PLACES], l.i));
    loop_end(e, &l, NULL);
}

/* One digit, of number d. Where all keys have the same, nothing moves. */
static void pass(const SortCode *c, LLVMValueRef counts, LLVMValueRef d,
                 LLVMValueRef const *a, LLVMValueRef *next)
{
    Emit *e = c->e;
    LLVMBuilderRef b = e->builder;
    LLVMValueRef first = LLVMBuildMul(b, d, code_i64(e, DIGITS), "");
    LLVMValueRef shift = LLVMBuildIntCast2(
        b, LLVMBuildMul(b, d, code_i64(e, SORT_DIGIT), ""), c->key, false, "");
    counts = code_at(e, e->i32, counts, first);
    LLVMValueRef some =
        digit_of(c, load_key(c, a[KEYS], code_i64(e, 0)), shift);
    LLVMValueRef right = to_i32(c, c->n);
    LLVMValueRef same =
        LLVMBuildICmp(b, LLVMIntEQ, load_i32(c, counts, some), right, "");
    LLVMBasicBlockRef here = LLVMGetInsertBlock(b);
    LLVMBasicBlockRef go = code_block(e, "digit"), on = code_block(e, "on");
    LLVMBuildCondBr(b, same, on, go);
    LLVMPositionBuilderAtEnd(b, go);
    add_counts(c, counts);
    place_keys(c, counts, shift, a);
    LLVMBasicBlockRef end = LLVMGetInsertBlock(b);
    LLVMBuildBr(b, on);
    LLVMMoveBasicBlockAfter(on, end);
    LLVMPositionBuilderAtEnd(b, on);
    for (int i = 0; i < NARRAYS; i++)
        next[i] = phi_of(c, e->ptr, a[i], here, a[(i + 2) % NARRAYS], end);
}

static void sort_by_digits(const SortCode *c)
{
    Emit *e = c->e;
    int digits = c->bits / SORT_DIGIT;
    LLVMValueRef counts = c->work, n = c->n;
    LLVMValueRef keys =
        code_at(e, e->i32, c->work, code_i64(e, (int64_t)digits * DIGITS));
    LLVMValueRef more = code_at(e, c->key, keys, n);
    LLVMValueRef places = code_at(e, c->key, more, n);
    LLVMValueRef a[NARRAYS] = {keys, places, more,
                               code_at(e, e->i32, places, n)};
    LLVMValueRef next[NARRAYS];
    clear_counts(c, counts, digits * DIGITS);
    read_keys(c, counts, a[KEYS], a[PLACES]);
    Loop l = loop_begin(e, code_i64(e, 0), code_i64(e, digits), code_i64(e, 1),
                        NARRAYS, a);
    pass(c, counts, l.i, l.phi, next);
    loop_end(e, &l, next);
    l = loop_begin(e, code_i64(e, 0), c->count, code_i64(e, 1), 0, NULL);
    store_i32(c, c->out, l.i, load_i32(c, next[PLACES], l.i));
    loop_end(e, &l, NULL);
}

/* Which way is known while compiling, or chosen when it runs. */
static void sort_row(const SortCode *c, LLVMValueRef keys)
{
    Emit *e = c->e;
    int64_t count;
    bool fixed = dim_const_value(c->s->count, &count);
    if (!c->work) {
        keep_smallest(c, keys);
        return;
    }
    if (fixed) {
        sort_by_digits(c);
        return;
    }
    LLVMBasicBlockRef few = code_block(e, "few"), many = code_block(e, "many");
    LLVMBasicBlockRef done = code_block(e, "sorted");
    LLVMValueRef is_few = LLVMBuildICmp(e->builder, LLVMIntSLE, c->count,
                                        code_i64(e, SORT_SHORT), "");
    LLVMBuildCondBr(e->builder, is_few, few, many);
    LLVMPositionBuilderAtEnd(e->builder, few);
    keep_smallest(c, keys);
    LLVMBuildBr(e->builder, done);
    LLVMPositionBuilderAtEnd(e->builder, many);
    sort_by_digits(c);
    LLVMBuildBr(e->builder, done);
    LLVMMoveBasicBlockAfter(done, LLVMGetInsertBlock(e->builder));
    LLVMPositionBuilderAtEnd(e->builder, done);
}

void emit_sort(Emit *e, const Sort *s, const KernelKey *key)
{
    LLVMValueRef fn = code_here(e), row;
    LLVMValueRef *buffer = code_buffers(e, key, LLVMGetParam(fn, 0));
    DimEnv dims = dim_env_checked(e, key->var, key->nvar, LLVMGetParam(fn, 1));
    SortCode c = {.e = e, .s = s, .t = s->in->dtype, .width = 1};
    int64_t count;
    bool fixed = dim_const_value(s->count, &count);
    c.bits = 8 * sort_key_bytes(c.t);
    c.key = c.bits == 64 ? e->i64 : e->i32;
    c.n = dim_code(e, &dims, s->n);
    c.count = dim_code(e, &dims, s->count);
    c.work = s->work ? buffer[s->work->id] : NULL;
    unsigned kept = fixed && count < SORT_SHORT ? (unsigned)count : SORT_SHORT;
    LLVMValueRef keys = code_slot(e, LLVMArrayType(c.key, kept + 1), 8);
    Loop l = loop_begin(e, kernel_lo(e, fn), kernel_hi(e, fn), code_i64(e, 1),
                        0, NULL);
    row = LLVMBuildMul(e->builder, l.i, c.n, "");
    c.in = code_at(e, type_in_memory(e, c.t), buffer[s->in->id], row);
    row = LLVMBuildMul(e->builder, l.i, c.count, "");
    c.out = code_at(e, e->i32, buffer[s->out->id], row);
    sort_row(&c, keys);
    loop_end(e, &l, NULL);
    LLVMBuildRet(e->builder, LLVMConstInt(e->i32, NN_OK, false));
}
