/* micro.c: the innermost kernels of products: C tiles held in registers.
 *
 * Rows of C times vectors along n; A's elements are broadcast, so A's strides
 * are free; B's rows are contiguous. Register budget: rows*vectors + vectors
 * + 1 of what the machine has. Strides are arguments, so that a module has each
 * micro-kernel once; of windows, tables of offsets are. */
#include "emit/product.h"

enum { SMALL_ROWS = 2 };

/* One micro-kernel being built. */
typedef struct Micro {
    Emit *e;
    MicroShape shape;
    DType t;
    LLVMTypeRef one, vec;
    LLVMValueRef m, k, a, a_i, a_m, a_k, b, b_k, c, c_m, accumulate;
    LLVMValueRef row_table, a_table, b_table; /* of windows */
    LLVMValueRef mask;                        /* of the last vector, or NULL */
} Micro;

/* Vector v of a row that starts at `row`. */
static LLVMValueRef vector_at(Micro *u, LLVMValueRef row, int v)
{
    if (!v)
        return row;
    return code_at(u->e, u->one, row,
                   code_i64(u->e, (int64_t)v * u->shape.width));
}

static bool is_masked(const Micro *u, int v)
{
    return u->mask && v == u->shape.vectors - 1;
}

static LLVMValueRef load_vector(Micro *u, LLVMValueRef row, int v)
{
    LLVMValueRef at = vector_at(u, row, v);
    int align = dtype_size(u->t);
    return is_masked(u, v) ? code_masked_load(u->e, u->vec, at, align, u->mask)
                           : code_load(u->e, u->vec, at, align);
}

static void store_vector(Micro *u, LLVMValueRef row, int v, LLVMValueRef x)
{
    LLVMValueRef at = vector_at(u, row, v);
    int align = dtype_size(u->t);
    if (is_masked(u, v))
        code_masked_store(u->e, x, at, align, u->mask);
    else
        code_store(u->e, x, at, align);
}

/* Where rows i … of A and C start; past the end it is the last row again, whose
 * tile is then the same and is stored to the same place. */
static void find_rows(Micro *u, int rows, LLVMValueRef i, LLVMValueRef *a_row,
                      LLVMValueRef *c_row)
{
    Emit *e = u->e;
    LLVMBuilderRef b = e->builder;
    LLVMValueRef left = LLVMBuildSub(b, u->m, i, ""), zero = code_i64(e, 0);
    a_row[0] = code_at(e, u->one, u->a, code_times(e, i, u->a_i));
    c_row[0] = code_at(e, u->one, u->c, code_times(e, i, u->c_m));
    for (int r = 1; r < rows; r++) {
        LLVMValueRef is =
            LLVMBuildICmp(b, LLVMIntSGT, left, code_i64(e, r), "");
        LLVMValueRef a_m = LLVMBuildSelect(b, is, u->a_m, zero, "");
        LLVMValueRef c_m = LLVMBuildSelect(b, is, u->c_m, zero, "");
        a_row[r] = code_at(e, u->one, a_row[r - 1], a_m);
        c_row[r] = code_at(e, u->one, c_row[r - 1], c_m);
    }
}

static LLVMValueRef offset_at(Micro *u, LLVMValueRef table, LLVMValueRef i)
{
    Emit *e = u->e;
    return code_load(e, e->i64, code_at(e, e->i64, table, i), 8);
}

/* The same of A's rows where a table has them. */
static void find_windows(Micro *u, int rows, LLVMValueRef i,
                         LLVMValueRef *a_row)
{
    Emit *e = u->e;
    LLVMValueRef last = LLVMBuildSub(e->builder, u->m, code_i64(e, 1), "");
    for (int r = 0; r < rows; r++) {
        LLVMValueRef at = code_plus(e, i, code_i64(e, r));
        at = r ? code_smaller(e, at, last) : at;
        a_row[r] = code_at(e, u->one, u->a, offset_at(u, u->row_table, at));
    }
}

/* C's tile is asked for while the products are made, where its rows are so far
 * apart that no machine foresees them. */
static void prefetch_tile(Micro *u, int rows, LLVMValueRef *c_row)
{
    enum { WRITE = 1, KEEP = 3, DATA = 1 };
    Emit *e = u->e;
    int line = CACHE_LINE / dtype_size(u->t);
    LLVMBuilderRef b = e->builder;
    LLVMValueRef arg[4] = {NULL, LLVMConstInt(e->i32, WRITE, false),
                           LLVMConstInt(e->i32, KEEP, false),
                           LLVMConstInt(e->i32, DATA, false)};
    if (!e->machine.has.cache.l1)
        return;
    LLVMBasicBlockRef on = code_if(
        e, LLVMBuildICmp(b, LLVMIntSGE, u->c_m, code_i64(e, PACK_STRIDE), ""));
    for (int r = 0; r < rows; r++)
        for (int j = 0; j < u->shape.vectors * u->shape.width; j += line) {
            arg[0] = code_at(e, u->one, c_row[r], code_i64(e, j));
            code_intrinsic(e, "llvm.prefetch", &e->ptr, 1, arg, 4);
        }
    code_end(e, on);
}

/* C's tile, if it is to be added to, and what this block of k came to: added at
 * the end, so that the block's sum keeps its digits. */
static void add_tile(Micro *u, int rows, LLVMValueRef *c_row, LLVMValueRef *acc)
{
    Emit *e = u->e;
    int nv = u->shape.vectors;
    LLVMValueRef sum[MOST_TILE_ROWS * MOST_TILE_VECTORS];
    LLVMBasicBlockRef here = LLVMGetInsertBlock(e->builder);
    LLVMBasicBlockRef old = code_block(e, "old"), go = code_block(e, "go");
    LLVMBuildCondBr(e->builder, u->accumulate, old, go);
    LLVMPositionBuilderAtEnd(e->builder, old);
    for (int i = 0; i < rows * nv; i++)
        sum[i] = LLVMBuildFAdd(e->builder, acc[i],
                               load_vector(u, c_row[i / nv], i % nv), "");
    LLVMBuildBr(e->builder, go);
    LLVMPositionBuilderAtEnd(e->builder, go);
    for (int i = 0; i < rows * nv; i++)
        acc[i] = code_phi(e, acc[i], here, sum[i], old);
}

/* acc += a[:, p] b[p, :], for one p. */
static void multiply_add(Micro *u, int rows, LLVMValueRef *a_row,
                         LLVMValueRef a_at, LLVMValueRef b_row,
                         LLVMValueRef *acc)
{
    Emit *e = u->e;
    int nv = u->shape.vectors, align = dtype_size(u->t);
    LLVMValueRef b[MOST_TILE_VECTORS];
    for (int v = 0; v < nv; v++)
        b[v] = load_vector(u, b_row, v);
    for (int r = 0; r < rows; r++) {
        LLVMValueRef x =
            code_load(e, u->one, code_at(e, u->one, a_row[r], a_at), align);
        x = code_splat(e, x, u->shape.width);
        for (int v = 0; v < nv; v++)
            acc[r * nv + v] = code_muladd(e, x, b[v], acc[r * nv + v]);
    }
}

/* One tile: rows i … i+rows-1 of C. */
static void emit_tile(Micro *u, int rows, LLVMValueRef i)
{
    Emit *e = u->e;
    int nv = u->shape.vectors, n = rows * nv;
    LLVMValueRef a_row[MOST_TILE_ROWS], c_row[MOST_TILE_ROWS];
    LLVMValueRef carried[MOST_TILE_ROWS * MOST_TILE_VECTORS + 2];
    find_rows(u, rows, i, a_row, c_row);
    if (u->shape.windows)
        find_windows(u, rows, i, a_row);
    prefetch_tile(u, rows, c_row);
    for (int j = 0; j < n; j++)
        carried[j] = LLVMConstNull(u->vec);
    carried[n] = code_i64(e, 0);
    carried[n + 1] = u->b;
    Loop l = loop_begin(e, code_i64(e, 0), u->k, code_i64(e, 1),
                        u->shape.windows ? n : n + 2, carried);
    for (int j = 0; j < l.n; j++)
        carried[j] = l.phi[j];
    if (u->shape.windows) {
        carried[n] = offset_at(u, u->a_table, l.i);
        carried[n + 1] =
            code_at(e, u->one, u->b, offset_at(u, u->b_table, l.i));
    }
    multiply_add(u, rows, a_row, carried[n], carried[n + 1], carried);
    if (!u->shape.windows) {
        carried[n] = LLVMBuildAdd(e->builder, carried[n], u->a_k, "");
        carried[n + 1] = code_at(e, u->one, carried[n + 1], u->b_k);
    }
    loop_end(e, &l, carried);
    add_tile(u, rows, c_row, carried);
    for (int j = 0; j < n; j++)
        store_vector(u, c_row[j / nv], j % nv, carried[j]);
}

/* Tiles of so many rows while more than `leave` are left; gives the first row
 * not done. */
static LLVMValueRef emit_rows(Micro *u, int rows, int leave, LLVMValueRef from)
{
    Emit *e = u->e;
    LLVMValueRef last = LLVMBuildSub(e->builder, u->m, code_i64(e, leave), "");
    LLVMValueRef step = code_i64(e, rows), next = from;
    Loop l = loop_begin(e, from, last, step, 1, &next);
    emit_tile(u, rows, l.i);
    next = LLVMBuildAdd(e->builder, l.i, step, "");
    loop_end(e, &l, &next);
    return next;
}

static LLVMValueRef last_mask(Micro *u, LLVMValueRef cols)
{
    Emit *e = u->e;
    int w = u->shape.width, before = w * (u->shape.vectors - 1);
    LLVMValueRef left = LLVMBuildSub(e->builder, cols, code_i64(e, before), "");
    return code_first_lanes(e, w, left);
}

static void emit_shape(Micro *u, LLVMValueRef fn)
{
    Emit *e = u->e;
    u->one = type_of(e, u->t);
    u->vec = type_lanes(u->one, u->shape.width);
    LLVMValueRef *plain[] = {&u->m,   &u->k, &u->a,   &u->a_i, &u->a_m,
                             &u->a_k, &u->b, &u->b_k, &u->c,   &u->c_m};
    LLVMValueRef *tables[] = {&u->m,         &u->k,       &u->a,
                              &u->row_table, &u->a_table, &u->b,
                              &u->b_table,   &u->c,       &u->c_m};
    bool windows = u->shape.windows;
    LLVMValueRef **into = windows ? tables : plain;
    unsigned n =
        windows ? sizeof tables / sizeof *tables : sizeof plain / sizeof *plain;
    u->a_i = u->a_m = code_i64(e, 0);
    for (unsigned i = 0; i < n; i++)
        *into[i] = LLVMGetParam(fn, i);
    u->accumulate = LLVMBuildIsNotNull(e->builder, LLVMGetParam(fn, n + 1), "");
    if (u->shape.masked)
        u->mask = last_mask(u, LLVMGetParam(fn, n));
    LLVMValueRef next = emit_rows(u, u->shape.rows, SMALL_ROWS, code_i64(e, 0));
    emit_rows(u, SMALL_ROWS, 0, next);
    LLVMBuildRetVoid(e->builder);
}

static const char *micro_name(Emit *e, DType t, MicroShape s)
{
    Tile own = product_tile(e, t);
    MicroShape usual = micro_shape(&own, s.vectors, s.width, false, false);
    const char *rows =
        s.rows == usual.rows ? "" : arena_printf(e->arena, "_%d", s.rows);
    return arena_printf(e->arena, "product_%s_%dx%d%s%s%s", dtype_name(t),
                        s.vectors, s.width, s.masked ? "_masked" : "",
                        s.windows ? "_windows" : "", rows);
}

LLVMTypeRef micro_windows_type(Emit *e, const void *of)
{
    (void)of;
    LLVMTypeRef p = e->ptr, i = e->i64;
    LLVMTypeRef param[] = {i, i, p, p, p, p, p, p, i, i, i};
    return LLVMFunctionType(e->none, param, 11, false);
}

LLVMTypeRef micro_type(Emit *e, const void *of)
{
    (void)of;
    LLVMTypeRef p = e->ptr, i = e->i64;
    LLVMTypeRef param[] = {i, i, p, i, i, i, p, i, p, i, i, i};
    return LLVMFunctionType(e->none, param, 12, false);
}

typedef struct MicroOf {
    DType t;
    MicroShape shape;
} MicroOf;

static void build_micro(Emit *e, const void *of, LLVMValueRef fn)
{
    const MicroOf *m = of;
    Micro u = {.e = e, .shape = m->shape, .t = m->t};
    emit_shape(&u, fn);
}

Helper micro_helper(Emit *e, DType t, MicroShape s)
{
    MicroOf m = {t, s};
    return (Helper){.name = micro_name(e, t, s),
                    .type = s.windows ? micro_windows_type : micro_type,
                    .build = build_micro,
                    .of = arena_copy(e->arena, &m, sizeof m),
                    .weight = 60 + 8 * (s.rows + SMALL_ROWS) * s.vectors};
}
