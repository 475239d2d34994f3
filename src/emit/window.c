/* window.c: factors of products whose rows or columns are several loops, as in
 * windows of an image, are read where they are: a table has the offsets. */
#include "emit/product.h"

/* Numbers from … on being counted: the digits, and where they are. */
typedef struct Count {
    Emit *e;
    LLVMValueRef n, loops; /* how many; sizes and strides */
    LLVMValueRef digit;    /* the innermost first */
    LLVMValueRef at;       /* slot */
} Count;

static LLVMValueRef word(Count *c, LLVMValueRef base, LLVMValueRef i)
{
    return code_at(c->e, c->e->i64, base, i);
}

static LLVMValueRef load(Count *c, LLVMValueRef at)
{
    return code_load(c->e, c->e->i64, at, 8);
}

static LLVMValueRef size_of(Count *c, LLVMValueRef d)
{
    return load(c, word(c, c->loops, code_plus(c->e, d, d)));
}

static LLVMValueRef stride_of(Count *c, LLVMValueRef d)
{
    LLVMValueRef i = code_plus(c->e, code_plus(c->e, d, d), code_i64(c->e, 1));
    return load(c, word(c, c->loops, i));
}

static void move(Count *c, LLVMValueRef by)
{
    code_store(c->e, code_plus(c->e, load(c, c->at), by), c->at, 8);
}

/* The digits of `from`. */
static void begin(Count *c, LLVMValueRef from)
{
    Emit *e = c->e;
    LLVMBuilderRef b = e->builder;
    code_store(e, code_i64(e, 0), c->at, 8);
    Loop l = loop_begin(e, code_i64(e, 0), c->n, code_i64(e, 1), 1, &from);
    LLVMValueRef size = code_at_least(e, size_of(c, l.i), 1), left = l.phi[0];
    LLVMValueRef digit = LLVMBuildURem(b, left, size, "");
    code_store(e, digit, word(c, c->digit, l.i), 8);
    move(c, code_times(e, digit, stride_of(c, l.i)));
    left = LLVMBuildUDiv(b, left, size, "");
    loop_end(e, &l, &left);
}

/* A digit that has come to its end is 0, and the next counts on. */
static void carry(Count *c)
{
    Emit *e = c->e;
    LLVMBuilderRef b = e->builder;
    LLVMValueRef one = code_i64(e, 1), zero = code_i64(e, 0);
    LLVMValueRef last = LLVMBuildSub(b, c->n, one, "");
    Loop l = loop_begin(e, zero, last, one, 0, NULL);
    LLVMValueRef at = word(c, c->digit, l.i), size = size_of(c, l.i);
    LLVMValueRef digit = load(c, at), above = code_plus(e, l.i, one);
    LLVMValueRef full = LLVMBuildICmp(b, LLVMIntEQ, digit, size, "");
    LLVMValueRef back = code_times(e, size, stride_of(c, l.i));
    LLVMValueRef by = LLVMBuildSub(b, stride_of(c, above), back, "");
    code_store(e, LLVMBuildSelect(b, full, zero, digit, ""), at, 8);
    LLVMValueRef next = word(c, c->digit, above);
    LLVMValueRef more = LLVMBuildZExt(b, full, e->i64, "");
    code_store(e, code_plus(e, load(c, next), more), next, 8);
    move(c, LLVMBuildSelect(b, full, by, zero, ""));
    loop_end(e, &l, NULL);
}

static void build_offsets(Emit *e, const void *of, LLVMValueRef fn)
{
    Count count = {.e = e}, *c = &count;
    (void)of;
    LLVMBuilderRef b = e->builder;
    LLVMValueRef zero = code_i64(e, 0), one = code_i64(e, 1);
    c->digit = code_slot(e, LLVMArrayType(e->i64, MAX_RANK), 8);
    c->at = code_slot(e, e->i64, 8);
    c->n = load(c, LLVMGetParam(fn, 0));
    c->loops = word(c, LLVMGetParam(fn, 0), one);
    begin(c, LLVMGetParam(fn, 1));
    LLVMValueRef size = size_of(c, zero), stride = stride_of(c, zero);
    Loop l = loop_begin(e, zero, LLVMGetParam(fn, 2), one, 0, NULL);
    LLVMValueRef to = word(c, LLVMGetParam(fn, 3), l.i);
    code_store(e, load(c, c->at), to, 8);
    LLVMValueRef digit = code_plus(e, load(c, c->digit), one);
    code_store(e, digit, c->digit, 8);
    move(c, stride);
    LLVMBasicBlockRef full = code_block(e, "full"), on = code_block(e, "");
    LLVMValueRef is = LLVMBuildICmp(b, LLVMIntEQ, digit, size, "");
    LLVMBuildCondBr(b, is, full, on);
    LLVMPositionBuilderAtEnd(b, full);
    carry(c);
    LLVMBuildBr(b, on);
    LLVMPositionBuilderAtEnd(b, on);
    loop_end(e, &l, NULL);
    LLVMBuildRetVoid(b);
}

static LLVMTypeRef offsets_type(Emit *e, const void *of)
{
    (void)of;
    LLVMTypeRef param[] = {e->ptr, e->i64, e->i64, e->ptr};
    return LLVMFunctionType(e->none, param, 4, false);
}

Helper offsets_helper(void)
{
    enum { OFFSETS = 60 };
    return (Helper){.name = "offsets",
                    .type = offsets_type,
                    .build = build_offsets,
                    .weight = OFFSETS};
}
