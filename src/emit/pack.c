/* pack.c: a factor of a product into panels: of B, each some columns wide, row
 * after row, panel after panel; of A, turned over, likewise. What is past the
 * last column is anything; nothing that is stored depends on it. */
#include "emit/product.h"

/* Squares of 8 by 8 are turned nearly as fast as larger ones, and compiled
 * several times as fast. */
enum { TURN = 8 };

/* void (k, n, b, b_k, b_n, to), being built. */
typedef struct Pack {
    Emit *e;
    DType t;
    LLVMTypeRef one;
    int panel; /* columns */
    int width; /* lanes of a vector; the panel is a multiple */
    LLVMValueRef k, n, b, b_k, b_n, to;
} Pack;

/* Element (p, j) of B; j past the end is the last column. */
static LLVMValueRef source(Pack *u, LLVMValueRef p, LLVMValueRef j)
{
    Emit *e = u->e;
    LLVMBuilderRef b = e->builder;
    LLVMValueRef last = LLVMBuildSub(b, u->n, code_i64(e, 1), "");
    LLVMValueRef past = LLVMBuildICmp(b, LLVMIntSGT, j, last, "");
    j = LLVMBuildSelect(b, past, last, j, "");
    LLVMValueRef right = LLVMBuildMul(b, j, u->b_n, "");
    LLVMValueRef at =
        LLVMBuildAdd(b, LLVMBuildMul(b, p, u->b_k, ""), right, "");
    return code_at(e, u->one, u->b, at);
}

/* Where element (p, j0 + j) goes; j0 begins a panel. */
static LLVMValueRef place(Pack *u, LLVMValueRef p, LLVMValueRef j0,
                          LLVMValueRef j)
{
    Emit *e = u->e;
    LLVMBuilderRef b = e->builder;
    LLVMValueRef at = LLVMBuildMul(b, j0, u->k, "");
    at = LLVMBuildAdd(b, at, LLVMBuildMul(b, p, code_i64(e, u->panel), ""), "");
    return code_at(e, u->one, u->to, LLVMBuildAdd(b, at, j, ""));
}

/* Rows first … k, element by element. */
static void pack_rows(Pack *u, LLVMValueRef first, LLVMValueRef j0)
{
    Emit *e = u->e;
    int align = dtype_size(u->t);
    LLVMValueRef one = code_i64(e, 1);
    Loop p = loop_begin(e, first, u->k, one, 0, NULL);
    Loop j = loop_begin(e, code_i64(e, 0), code_i64(e, u->panel), one, 0, NULL);
    LLVMValueRef column = LLVMBuildAdd(e->builder, j0, j.i, "");
    LLVMValueRef x = code_load(e, u->one, source(u, p.i, column), align);
    code_store(e, x, place(u, p.i, j0, j.i), align);
    loop_end(e, &j, NULL);
    loop_end(e, &p, NULL);
}

/* Lanes `half` apart change places: lane l of *a with bit `half` set against
 * lane l of *b without it. */
static void exchange(Pack *u, int half, LLVMValueRef *a, LLVMValueRef *b)
{
    Emit *e = u->e;
    int low[64], high[64], w = u->width;
    for (int l = 0; l < w; l++) {
        low[l] = l & half ? w + (l ^ half) : l;
        high[l] = l & half ? w + l : l | half;
    }
    LLVMValueRef x = code_shuffle(e, *a, *b, low, w);
    *b = code_shuffle(e, *a, *b, high, w);
    *a = x;
}

/* width columns of B, contiguous along k, from row p: loaded as vectors, turned
 * in registers, stored as rows of the panel. */
static void pack_square(Pack *u, LLVMValueRef p, LLVMValueRef j0,
                        LLVMValueRef j)
{
    Emit *e = u->e;
    LLVMBuilderRef b = e->builder;
    int align = dtype_size(u->t), w = u->width;
    LLVMTypeRef vec = type_lanes(u->one, w);
    LLVMValueRef row[64];
    for (int i = 0; i < w; i++) {
        LLVMValueRef column =
            LLVMBuildAdd(b, LLVMBuildAdd(b, j0, j, ""), code_i64(e, i), "");
        row[i] = code_load(e, vec, source(u, p, column), align);
    }
    for (int half = w / 2; half > 0; half /= 2)
        for (int i = 0; i < w; i++)
            if (!(i & half))
                exchange(u, half, &row[i], &row[i | half]);
    for (int i = 0; i < w; i++) {
        LLVMValueRef q = LLVMBuildAdd(b, p, code_i64(e, i), "");
        code_store(e, row[i], place(u, q, j0, j), align);
    }
}

/* The last square ends at k: it may have rows that another one has, too. Fewer
 * rows than one has are copied element by element. */
static void pack_transposed(Pack *u, LLVMValueRef j0)
{
    Emit *e = u->e;
    LLVMBuilderRef b = e->builder;
    LLVMValueRef zero = code_i64(e, 0), step = code_i64(e, u->width);
    LLVMValueRef last = LLVMBuildSub(b, u->k, step, "");
    LLVMValueRef some = LLVMBuildICmp(b, LLVMIntSGE, last, zero, "");
    LLVMValueRef to = LLVMBuildSelect(b, some, u->k, zero, "");
    Loop p = loop_begin(e, zero, to, step, 0, NULL);
    LLVMValueRef at = code_smaller(e, p.i, last);
    Loop j = loop_begin(e, zero, code_i64(e, u->panel), step, 0, NULL);
    pack_square(u, at, j0, j.i);
    loop_end(e, &j, NULL);
    loop_end(e, &p, NULL);
    pack_rows(u, to, j0);
}

/* Elements of row p from column j0 + j on. */
static void copy(Pack *u, int width, LLVMValueRef p, LLVMValueRef j0,
                 LLVMValueRef j)
{
    Emit *e = u->e;
    int align = dtype_size(u->t);
    LLVMValueRef from = source(u, p, LLVMBuildAdd(e->builder, j0, j, ""));
    LLVMValueRef x = code_load(e, type_lanes(u->one, width), from, align);
    code_store(e, x, place(u, p, j0, j), align);
}

/* Contiguous rows, whole panels: copied as vectors. */
static void pack_straight(Pack *u, LLVMValueRef j0)
{
    Emit *e = u->e;
    Loop p = loop_begin(e, code_i64(e, 0), u->k, code_i64(e, 1), 0, NULL);
    for (int j = 0; j < u->panel; j += u->width)
        copy(u, u->width, p.i, j0, code_i64(e, j));
    loop_end(e, &p, NULL);
}

/* The same of a panel that is not full: what is past the last column stays as
 * it is. */
static void pack_few(Pack *u, LLVMValueRef j0)
{
    Emit *e = u->e;
    LLVMValueRef zero = code_i64(e, 0), one = code_i64(e, 1);
    LLVMValueRef n = LLVMBuildSub(e->builder, u->n, j0, "");
    LLVMValueRef full = code_down_to(e, n, u->width);
    Loop p = loop_begin(e, zero, u->k, one, 0, NULL);
    Loop j = loop_begin(e, zero, full, code_i64(e, u->width), 0, NULL);
    copy(u, u->width, p.i, j0, j.i);
    loop_end(e, &j, NULL);
    Loop rest = loop_begin(e, full, n, one, 0, NULL);
    copy(u, 1, p.i, j0, rest.i);
    loop_end(e, &rest, NULL);
    loop_end(e, &p, NULL);
}

static void pack_panels(Pack *u, PackKind kind)
{
    Emit *e = u->e;
    LLVMValueRef zero = code_i64(e, 0), step = code_i64(e, u->panel);
    LLVMValueRef last = u->n;
    if (kind == PACK_straight)
        last = LLVMBuildSub(e->builder, u->n,
                            LLVMBuildURem(e->builder, u->n, step, ""), "");
    Loop l = loop_begin(e, zero, last, step, 0, NULL);
    switch (kind) {
    case PACK_any:
        pack_rows(u, zero, l.i);
        break;
    case PACK_transposed:
        pack_transposed(u, l.i);
        break;
    case PACK_straight:
        pack_straight(u, l.i);
        break;
    }
    loop_end(e, &l, NULL);
    if (kind != PACK_straight)
        return;
    Loop rest = loop_begin(e, last, u->n, step, 0, NULL);
    pack_few(u, rest.i);
    loop_end(e, &rest, NULL);
}

LLVMTypeRef pack_type(Emit *e, const void *of)
{
    (void)of;
    LLVMTypeRef param[] = {e->i64, e->i64, e->ptr, e->i64, e->i64, e->ptr};
    return LLVMFunctionType(e->none, param, 6, false);
}

typedef struct PackOf {
    DType t;
    PackKind kind;
    int panel;
} PackOf;

static void build_pack(Emit *e, const void *of, LLVMValueRef fn)
{
    const PackOf *p = of;
    int width = lanes_of_bytes(e, dtype_size(p->t));
    if (p->kind == PACK_transposed && width > TURN)
        width = TURN;
    /* A's are also packed a piece at a time. */
    while (p->panel == LONG_ROWS && PIECE_ROWS % width)
        width /= 2;
    Pack u = {e,
              p->t,
              type_of(e, p->t),
              p->panel,
              width,
              LLVMGetParam(fn, 0),
              LLVMGetParam(fn, 1),
              LLVMGetParam(fn, 2),
              LLVMGetParam(fn, 3),
              LLVMGetParam(fn, 4),
              LLVMGetParam(fn, 5)};
    pack_panels(&u, p->kind);
    LLVMBuildRetVoid(e->builder);
}

Helper pack_helper(Emit *e, DType t, PackKind kind, int panel)
{
    enum { PACK = 150 };
    static const char *const suffix[] = {
        [PACK_any] = "",
        [PACK_transposed] = "_turned",
        [PACK_straight] = "_straight",
    };
    PackOf p = {t, kind, panel};
    const char *name = arena_printf(e->arena, "pack_%s_%d%s", dtype_name(t),
                                    panel, suffix[kind]);
    return (Helper){.name = name,
                    .type = pack_type,
                    .build = build_pack,
                    .of = arena_copy(e->arena, &p, sizeof p),
                    .weight = PACK};
}
