/* stream.c: products of which one factor, or the result, is read or written
 * once, as it lies, as fast as memory is. Of a row with a matrix whose rows are
 * contiguous these are added up, by their factors; where its columns are, each
 * one's products with the row; of a column with a row the products are all. */
#include "emit/product.h"

/* So many rows are added at a time: what there was is read and written once for
 * all of them. Columns of so many bytes at a time, whose sums are at hand. */
enum { ROWS = 4, COLUMN_BYTES = 4096 };
/* A dot product has SLOT_BYTES of slots, as other sums; some are done at a
 * time.
 */
enum { DOTS = 4, MOST_VECTORS = SLOT_BYTES / 16 };

/* One being built. */
typedef struct Stream {
    Emit *e;
    LLVMTypeRef one;
    int width, align;
    LLVMValueRef m, n, k, a, a_m, a_k, b, b_k, b_n, c, c_m;
} Stream;

static LLVMValueRef load(Stream *u, LLVMValueRef at, int width,
                         LLVMValueRef mask)
{
    LLVMTypeRef type = type_lanes(u->one, width);
    return mask ? code_masked_load(u->e, type, at, u->align, mask)
                : code_load(u->e, type, at, u->align);
}

static void store(Stream *u, LLVMValueRef v, LLVMValueRef at, LLVMValueRef mask)
{
    if (mask)
        code_masked_store(u->e, v, at, u->align, mask);
    else
        code_store(u->e, v, at, u->align);
}

/* Rows */

/* Some rows of B and their factors; a block's sums. All from column 0. */
typedef struct Rows {
    LLVMValueRef b, c, none, sum; /* none: zeros */
    LLVMValueRef row[ROWS], x[ROWS];
    LLVMValueRef start, old,
        to; /* sums go on from start, get old, go to `to` */
} Rows;

/* What is instead of a row past the last one changes no sum: -0 · 0 is -0. */
static void find_rows(Stream *u, Rows *r, LLVMValueRef p)
{
    Emit *e = u->e;
    LLVMBuilderRef b = e->builder;
    LLVMValueRef left = LLVMBuildSub(b, u->k, p, "");
    LLVMValueRef row = code_at(e, u->one, r->b, code_times(e, p, u->b_k));
    LLVMValueRef a = code_at(e, u->one, u->a, code_times(e, p, u->a_k));
    for (int i = 0; i < ROWS; i++) {
        LLVMValueRef is =
            LLVMBuildICmp(b, LLVMIntSGT, left, code_i64(e, i), "");
        LLVMValueRef x = LLVMBuildSelect(b, is, a, r->none, "");
        r->row[i] = LLVMBuildSelect(b, is, row, r->none, "");
        r->x[i] = LLVMBuildSelect(b, is, load(u, x, 1, NULL),
                                  LLVMConstReal(u->one, -0.0), "");
        row = code_at(e, u->one, row, u->b_k);
        a = code_at(e, u->one, a, u->a_k);
    }
}

/* A vector of columns, from j on. */
static void add_rows(Stream *u, const Rows *r, LLVMValueRef j, int width,
                     LLVMValueRef mask)
{
    Emit *e = u->e;
    LLVMValueRef acc = load(u, code_at(e, u->one, r->start, j), width, NULL);
    for (int i = 0; i < ROWS; i++) {
        LLVMValueRef row = code_at(e, u->one, r->row[i], j);
        LLVMValueRef right = load(u, row, width, mask);
        acc = code_muladd(e, code_splat(e, r->x[i], width), right, acc);
    }
    LLVMValueRef old = load(u, code_at(e, u->one, r->old, j), width, mask);
    acc = LLVMBuildFAdd(e->builder, acc, old, "");
    store(u, acc, code_at(e, u->one, r->to, j), mask);
}

/* Full vectors; what is left in one that is masked, or one by one. */
static void add_columns(Stream *u, const Rows *r, LLVMValueRef n)
{
    Emit *e = u->e;
    int width = has_masks(e) ? u->width : 1;
    LLVMValueRef full = code_down_to(e, n, u->width);
    LLVMValueRef zero = code_i64(e, 0);
    Loop l = loop_begin(e, zero, full, code_i64(e, u->width), 0, NULL);
    add_rows(u, r, l.i, u->width, NULL);
    loop_end(e, &l, NULL);
    Loop rest = loop_begin(e, full, n, code_i64(e, width), 0, NULL);
    LLVMValueRef left = LLVMBuildSub(e->builder, n, rest.i, "");
    add_rows(u, r, rest.i, width,
             width > 1 ? code_first_lanes(e, width, left) : NULL);
    loop_end(e, &rest, NULL);
}

/* n columns: blocks of k, each of which is added up by itself, as in other
 * products; the first is done even where k is 0. */
static void add_blocks(Stream *u, Rows *r, LLVMValueRef n)
{
    Emit *e = u->e;
    LLVMBuilderRef b = e->builder;
    LLVMValueRef zero = code_i64(e, 0), end = code_at_least(e, u->k, 1);
    LLVMValueRef step = code_i64(e, ROWS);
    Loop l = loop_begin(e, zero, end, step, 0, NULL);
    find_rows(u, r, l.i);
    LLVMValueRef next = code_plus(e, l.i, step);
    LLVMValueRef block = code_down_to(e, l.i, K_BLOCK);
    LLVMValueRef after = code_down_to(e, next, K_BLOCK);
    LLVMValueRef begins = LLVMBuildICmp(b, LLVMIntEQ, block, l.i, "");
    LLVMValueRef right = LLVMBuildICmp(b, LLVMIntSGE, next, u->k, "");
    LLVMValueRef ends =
        LLVMBuildOr(b, LLVMBuildICmp(b, LLVMIntEQ, after, next, ""), right, "");
    LLVMValueRef adds =
        LLVMBuildAnd(b, ends, LLVMBuildIsNotNull(b, block, ""), "");
    r->start = LLVMBuildSelect(b, begins, r->none, r->sum, "");
    r->old = LLVMBuildSelect(b, adds, r->c, r->none, "");
    r->to = LLVMBuildSelect(b, ends, r->c, r->sum, "");
    add_columns(u, r, n);
    loop_end(e, &l, NULL);
}

static LLVMValueRef column_slot(Stream *u)
{
    unsigned most = COLUMN_BYTES / (unsigned)u->align;
    return code_slot(u->e, LLVMArrayType(u->one, most), 64);
}

static void stream_rows(Stream *u)
{
    Emit *e = u->e;
    LLVMValueRef zero = code_i64(e, 0), width = code_i64(e, u->width);
    LLVMValueRef most = code_i64(e, COLUMN_BYTES / u->align);
    Rows r = {.sum = column_slot(u), .none = column_slot(u)};
    Loop clear =
        loop_begin(e, zero, code_smaller(e, u->n, most), width, 0, NULL);
    store(u, LLVMConstNull(type_lanes(u->one, u->width)),
          code_at(e, u->one, r.none, clear.i), NULL);
    loop_end(e, &clear, NULL);
    Loop l = loop_begin(e, zero, u->n, most, 0, NULL);
    LLVMValueRef left = LLVMBuildSub(e->builder, u->n, l.i, "");
    r.b = code_at(e, u->one, u->b, l.i);
    r.c = code_at(e, u->one, u->c, l.i);
    add_blocks(u, &r, code_smaller(e, left, most));
    loop_end(e, &l, NULL);
}

/* Columns */

/* Products with some columns; past the last one it is that again. */
typedef struct Dots {
    int vectors; /* of each: its slots */
    LLVMValueRef b[DOTS];
} Dots;

/* acc += a[p …] b[:, p …], for all slots. */
static void multiply_slots(Stream *u, const Dots *d, LLVMValueRef p,
                           LLVMValueRef *acc)
{
    Emit *e = u->e;
    for (int v = 0; v < d->vectors; v++) {
        LLVMValueRef at = code_plus(e, p, code_i64(e, (int64_t)v * u->width));
        LLVMValueRef x = load(u, code_at(e, u->one, u->a, at), u->width, NULL);
        for (int i = 0; i < DOTS; i++) {
            LLVMValueRef *to = &acc[i * d->vectors + v];
            LLVMValueRef y = code_at(e, u->one, d->b[i], at);
            *to = code_muladd(e, x, load(u, y, u->width, NULL), *to);
        }
    }
}

/* What is left after full slots: sum[i], one after another. */
static void multiply_rest(Stream *u, const Dots *d, LLVMValueRef from,
                          LLVMValueRef *sum)
{
    Emit *e = u->e;
    Loop l = loop_begin(e, from, u->k, code_i64(e, 1), DOTS, sum);
    LLVMValueRef x = load(u, code_at(e, u->one, u->a, l.i), 1, NULL);
    for (int i = 0; i < DOTS; i++) {
        LLVMValueRef y = code_at(e, u->one, d->b[i], l.i);
        sum[i] = code_muladd(e, x, load(u, y, 1, NULL), l.phi[i]);
    }
    loop_end(e, &l, sum);
}

/* All slots of one: in halves. */
static LLVMValueRef join_slots(Stream *u, int vectors, LLVMValueRef *acc)
{
    LLVMBuilderRef b = u->e->builder;
    for (int half = vectors / 2; half > 0; half /= 2)
        for (int v = 0; v < half; v++)
            acc[v] = LLVMBuildFAdd(b, acc[v], acc[v + half], "");
    return code_sum_lanes(u->e, acc[0]);
}

static void dots(Stream *u, const Dots *d, LLVMValueRef *sum)
{
    Emit *e = u->e;
    int count = DOTS * d->vectors, slots = d->vectors * u->width;
    LLVMValueRef acc[DOTS * MOST_VECTORS];
    LLVMValueRef full = code_down_to(e, u->k, slots);
    for (int i = 0; i < count; i++)
        acc[i] = LLVMConstNull(type_lanes(u->one, u->width));
    Loop l =
        loop_begin(e, code_i64(e, 0), full, code_i64(e, slots), count, acc);
    for (int i = 0; i < count; i++)
        acc[i] = l.phi[i];
    multiply_slots(u, d, l.i, acc);
    loop_end(e, &l, acc);
    for (int i = 0; i < DOTS; i++)
        sum[i] = join_slots(u, d->vectors, &acc[i * d->vectors]);
    multiply_rest(u, d, full, sum);
}

static void stream_columns(Stream *u)
{
    Emit *e = u->e;
    Dots d = {.vectors = SLOT_BYTES / u->align / u->width};
    LLVMValueRef one = code_i64(e, 1), sum[DOTS], column[DOTS];
    LLVMValueRef last = LLVMBuildSub(e->builder, u->n, one, "");
    Loop l = loop_begin(e, code_i64(e, 0), u->n, code_i64(e, DOTS), 0, NULL);
    for (int i = 0; i < DOTS; i++) {
        column[i] = code_smaller(e, code_plus(e, l.i, code_i64(e, i)), last);
        d.b[i] = code_at(e, u->one, u->b, code_times(e, column[i], u->b_n));
    }
    dots(u, &d, sum);
    for (int i = 0; i < DOTS; i++)
        store(u, sum[i], code_at(e, u->one, u->c, column[i]), NULL);
    loop_end(e, &l, NULL);
}

/* A column times a row. */

static void outer_at(Stream *u, LLVMValueRef x, LLVMValueRef row,
                     LLVMValueRef j, int width, LLVMValueRef mask)
{
    Emit *e = u->e;
    LLVMValueRef y = load(u, code_at(e, u->one, u->b, j), width, mask);
    y = LLVMBuildFMul(e->builder, code_splat(e, x, width), y, "");
    store(u, y, code_at(e, u->one, row, j), mask);
}

static void stream_outer(Stream *u)
{
    Emit *e = u->e;
    int width = has_masks(e) ? u->width : 1;
    LLVMValueRef zero = code_i64(e, 0), full = code_down_to(e, u->n, u->width);
    LLVMValueRef left = LLVMBuildSub(e->builder, u->n, full, "");
    LLVMValueRef mask = width > 1 ? code_first_lanes(e, width, left) : NULL;
    Loop i = loop_begin(e, zero, u->m, code_i64(e, 1), 0, NULL);
    LLVMValueRef row = code_at(e, u->one, u->c, code_times(e, i.i, u->c_m));
    LLVMValueRef a = code_at(e, u->one, u->a, code_times(e, i.i, u->a_m));
    LLVMValueRef x = load(u, a, 1, NULL);
    Loop j = loop_begin(e, zero, full, code_i64(e, u->width), 0, NULL);
    outer_at(u, x, row, j.i, u->width, NULL);
    loop_end(e, &j, NULL);
    Loop rest = loop_begin(e, full, u->n, code_i64(e, width), 0, NULL);
    outer_at(u, x, row, rest.i, width, mask);
    loop_end(e, &rest, NULL);
    loop_end(e, &i, NULL);
}

typedef struct StreamRow {
    const char *name;
    void (*build)(Stream *u);
} StreamRow;

static const StreamRow stream_row[] = {
    [STREAM_rows] = {"add_rows", stream_rows},
    [STREAM_columns] = {"dots", stream_columns},
    [STREAM_outer] = {"outer", stream_outer},
};

LLVMTypeRef stream_type(Emit *e, const void *of)
{
    (void)of;
    LLVMTypeRef p = e->ptr, i = e->i64;
    LLVMTypeRef param[] = {i, i, i, p, i, i, p, i, i, p, i};
    return LLVMFunctionType(e->none, param, 11, false);
}

typedef struct StreamOf {
    DType t;
    StreamKind kind;
} StreamOf;

static void build_stream(Emit *e, const void *of, LLVMValueRef fn)
{
    const StreamOf *s = of;
    int size = dtype_size(s->t), width = lanes_of_bytes(e, size);
    Stream u = {.e = e, .one = type_of(e, s->t), .width = width, .align = size};
    LLVMValueRef *into[] = {&u.m, &u.n,   &u.k,   &u.a, &u.a_m, &u.a_k,
                            &u.b, &u.b_k, &u.b_n, &u.c, &u.c_m};
    for (unsigned i = 0; i < 11; i++)
        *into[i] = LLVMGetParam(fn, i);
    stream_row[s->kind].build(&u);
    LLVMBuildRetVoid(e->builder);
}

Helper stream_helper(Emit *e, DType t, StreamKind kind)
{
    enum { STREAM = 150 };
    StreamOf s = {t, kind};
    const char *name =
        arena_printf(e->arena, "%s_%s", stream_row[kind].name, dtype_name(t));
    return (Helper){.name = name,
                    .type = stream_type,
                    .build = build_stream,
                    .of = arena_copy(e->arena, &s, sizeof s),
                    .weight = STREAM};
}
