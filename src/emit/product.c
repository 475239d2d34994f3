/* product.c: the product of two matrices, one function for all kernels of a
 * type: loops over blocks of rows, columns and k around a tile in registers;
 * what makes the tiles, packs the factors and runs on the finished rows are
 * arguments. */
#include "emit/product.h"
#include "emit/prebuilt.h"

/* A product being built. */
typedef struct Product {
    Emit *e;
    DType t;
    bool windows;
    LLVMTypeRef one;
    Tile tile;
    LLVMValueRef arg[NARGS_WINDOWS];
    LLVMValueRef streams, packs_a, packs_b, parts; /* i1 */
    LLVMValueRef last_k;                           /* one at least, or k */
    LLVMValueRef status;                           /* slot */
} Product;

/* A block: rows i … of C, columns j …, that much of k from p on; added to C
 * where `add` is not 0. */
typedef struct Block {
    LLVMValueRef i, rows, j, columns, p, depth, add;
    LLVMValueRef first; /* i1: of those with this part of B */
} Block;

Tile product_tile(const Emit *e, DType t)
{
    return tile_choose(&e->machine.has, t);
}

/* What distinguishes other ones in names; "" of those. */
static const char *tile_suffix(Emit *e, DType t, const Tile *tile)
{
    Tile own = product_tile(e, t);
    return tile->rows == own.rows && tile->vectors == own.vectors
               ? ""
               : arena_printf(e->arena, "_%d_%d", tile->rows, tile->vectors);
}

static LLVMValueRef minus(Emit *e, LLVMValueRef a, LLVMValueRef b)
{
    return LLVMBuildSub(e->builder, a, b, "");
}

static LLVMValueRef a_or_b(Emit *e, LLVMValueRef which, LLVMValueRef a,
                           LLVMValueRef b)
{
    return LLVMBuildSelect(e->builder, which, a, b, "");
}

/* base + i·by + j·by2 */
static LLVMValueRef at2(Product *q, LLVMValueRef base, LLVMValueRef i,
                        LLVMValueRef by, LLVMValueRef j, LLVMValueRef by2)
{
    Emit *e = q->e;
    LLVMValueRef right = code_times(e, j, by2);
    return code_at(e, q->one, base, code_plus(e, code_times(e, i, by), right));
}

static LLVMValueRef a_at(Product *q, const Block *b)
{
    return at2(q, q->arg[ARG_a], b->i, q->arg[ARG_a_m], b->p, q->arg[ARG_a_k]);
}

static LLVMValueRef b_at(Product *q, const Block *b, LLVMValueRef j)
{
    return at2(q, q->arg[ARG_b], b->p, q->arg[ARG_b_k], j, q->arg[ARG_b_n]);
}

static LLVMValueRef c_at(Product *q, LLVMValueRef i, LLVMValueRef j)
{
    return at2(q, q->arg[ARG_out], i, q->arg[ARG_out_m], j, code_i64(q->e, 1));
}

LLVMBasicBlockRef code_if(Emit *e, LLVMValueRef when)
{
    LLVMBasicBlockRef yes = code_block(e, "yes"), on = code_block(e, "");
    LLVMBuildCondBr(e->builder, when, yes, on);
    LLVMPositionBuilderAtEnd(e->builder, yes);
    return on;
}

void code_end(Emit *e, LLVMBasicBlockRef on)
{
    LLVMBuildBr(e->builder, on);
    LLVMPositionBuilderAtEnd(e->builder, on);
}

static void call(Product *q, LLVMTypeRef type, int fn, LLVMValueRef *arg)
{
    LLVMBuildCall2(q->e->builder, type, q->arg[fn], arg,
                   LLVMCountParamTypes(type), "");
}

static LLVMValueRef window_at(Product *q, int word)
{
    Emit *e = q->e;
    return code_at(e, e->i64, q->arg[ARG_window], code_i64(e, word));
}

/* Offsets of these loops from number `from` on. */
static void find_offsets(Product *q, LLVMValueRef loops, LLVMValueRef from,
                         LLVMValueRef count, int to)
{
    LLVMValueRef arg[] = {loops, from, count, window_at(q, to)};
    code_call(q->e, helper_function(q->e, offsets_helper()), arg, 4);
}

static LLVMValueRef loops_at(Product *q, int which)
{
    return window_at(q, which * LOOPS_WORDS);
}

/* Those along k of a block; of a packed B, within its panels. */
static void find_depth(Product *q, const Block *b)
{
    Emit *e = q->e;
    LLVMValueRef packed = loops_at(q, LOOPS_panel);
    LLVMValueRef loops = a_or_b(e, q->packs_b, packed, loops_at(q, LOOPS_b));
    find_offsets(q, loops_at(q, LOOPS_a), b->p, b->depth, WINDOW_a);
    find_offsets(q, loops, a_or_b(e, q->packs_b, code_i64(e, 0), b->p),
                 b->depth, WINDOW_b);
}

/* The block's part of A, its rows beside one another. */
static void pack_a(Product *q, const Block *b)
{
    LLVMValueRef *in = q->arg;
    LLVMBasicBlockRef on = code_if(q->e, q->packs_a);
    LLVMValueRef arg[] = {b->depth,    b->rows,     a_at(q, b),
                          in[ARG_a_k], in[ARG_a_m], in[ARG_a_panels]};
    call(q, pack_type(q->e, NULL), ARG_pack_a, arg);
    code_end(q->e, on);
}

/* Where the panel of B with column j is. At its first column, if no earlier
 * block did, it is packed. */
static LLVMValueRef panel_at(Product *q, const Block *b, LLVMValueRef j)
{
    Emit *e = q->e;
    LLVMValueRef *in = q->arg, j0 = code_down_to(e, j, q->tile.panel);
    LLVMValueRef at = code_times(e, minus(e, j0, b->j), b->depth);
    LLVMValueRef panel = code_at(e, q->one, in[ARG_b_panels], at);
    LLVMValueRef starts = LLVMBuildICmp(e->builder, LLVMIntEQ, j, j0, "");
    starts = LLVMBuildAnd(e->builder, starts, b->first, "");
    LLVMBasicBlockRef on =
        code_if(e, LLVMBuildAnd(e->builder, starts, q->packs_b, ""));
    LLVMValueRef left = minus(e, in[ARG_n], j0);
    LLVMValueRef arg[] = {
        b->depth,       code_smaller(e, left, code_i64(e, q->tile.panel)),
        b_at(q, b, j0), in[ARG_b_k],
        in[ARG_b_n],    panel};
    call(q, pack_type(e, NULL), ARG_pack_b, arg);
    code_end(e, on);
    return code_at(e, q->one, panel, minus(e, j, j0));
}

static void window_tiles(Product *q, const Block *b, LLVMValueRef j,
                         LLVMValueRef left, LLVMValueRef micro)
{
    Emit *e = q->e;
    LLVMValueRef *in = q->arg, panel = panel_at(q, b, j);
    LLVMValueRef arg[] = {
        b->rows,
        b->depth,
        in[ARG_a],
        window_at(q, WINDOW_rows),
        window_at(q, WINDOW_a),
        a_or_b(e, q->packs_b, panel, code_at(e, q->one, in[ARG_b], j)),
        window_at(q, WINDOW_b),
        c_at(q, b->i, j),
        in[ARG_out_m],
        left,
        b->add};
    LLVMBuildCall2(e->builder, micro_windows_type(e, NULL), micro, arg, 11, "");
}

/* Tiles of columns j …, `step` of them or those that are left. */
static void emit_tiles(Product *q, const Block *b, LLVMValueRef j,
                       LLVMValueRef left, LLVMValueRef micro)
{
    Emit *e = q->e;
    LLVMValueRef *in = q->arg, panel = panel_at(q, b, j), pa = q->packs_a;
    LLVMValueRef a_m = a_or_b(e, pa, code_i64(e, 1), in[ARG_a_m]);
    LLVMValueRef arg[] = {
        b->rows,
        b->depth,
        a_or_b(e, pa, in[ARG_a_panels], a_at(q, b)),
        a_m,
        a_m,
        a_or_b(e, pa, code_i64(e, LONG_ROWS), in[ARG_a_k]),
        a_or_b(e, q->packs_b, panel, b_at(q, b, j)),
        a_or_b(e, q->packs_b, code_i64(e, q->tile.panel), in[ARG_b_k]),
        c_at(q, b->i, j),
        in[ARG_out_m],
        left,
        b->add};
    LLVMBuildCall2(e->builder, micro_type(e, NULL), micro, arg, 12, "");
}

/* All columns of a block: whole panels, then what is left, each by the micro-
 * kernel that the caller has for it. */
static void emit_columns(Product *q, const Block *b)
{
    Emit *e = q->e;
    LLVMValueRef *in = q->arg, zero = code_i64(e, 0), j = b->j;
    LLVMValueRef end = code_plus(e, b->j, b->columns);
    int passes = q->tile.passes;
    Loop pass = loop_begin(e, zero, code_i64(e, passes), code_i64(e, 1), 1, &j);
    LLVMValueRef micro = in[ARG_micro + passes - 1], to = end;
    LLVMValueRef step = in[ARG_step];
    for (int i = passes - 2; i >= 0; i--) {
        LLVMValueRef is =
            LLVMBuildICmp(e->builder, LLVMIntEQ, pass.i, code_i64(e, i), "");
        int columns = i ? q->tile.width : q->tile.panel;
        LLVMValueRef some =
            LLVMBuildIsNotNull(e->builder, in[ARG_micro + i], "");
        LLVMValueRef last =
            a_or_b(e, some, code_down_to(e, end, columns), pass.phi[0]);
        micro = a_or_b(e, is, in[ARG_micro + i], micro);
        step = a_or_b(
            e, is, i ? in[ARG_step_vectors] : code_i64(e, q->tile.panel), step);
        to = a_or_b(e, is, last, to);
    }
    Loop l = loop_begin(e, pass.phi[0], to, step, 0, NULL);
    LLVMValueRef left = code_smaller(e, minus(e, to, l.i), step);
    if (q->windows)
        window_tiles(q, b, l.i, left, micro);
    else
        emit_tiles(q, b, l.i, left, micro);
    loop_end(e, &l, NULL);
    loop_end(e, &pass, &to);
}

/* A function void (rows, n, c, c_m, totals, first): adds C[rows, n] to the
 * totals, which are set where `first` is 0, and C becomes what they come to. */
static void build_totals(Emit *e, const void *of, LLVMValueRef fn)
{
    LLVMBuilderRef b = e->builder;
    DType t = *(const DType *)of;
    LLVMTypeRef one = type_of(e, t);
    int align = dtype_size(t);
    LLVMValueRef rows = LLVMGetParam(fn, 0), n = LLVMGetParam(fn, 1);
    LLVMValueRef size = code_times(e, rows, n);
    LLVMValueRef some = LLVMBuildIsNotNull(b, LLVMGetParam(fn, 5), "");
    LLVMValueRef zero = code_i64(e, 0);
    LLVMValueRef full =
        lanes_of_bytes(e, dtype_size(t)) > 1
            ? code_down_to(e, n, lanes_of_bytes(e, dtype_size(t)))
            : zero;
    Loop row = loop_begin(e, zero, rows, code_i64(e, 1), 0, NULL);
    LLVMValueRef c = code_at(e, one, LLVMGetParam(fn, 2),
                             code_times(e, row.i, LLVMGetParam(fn, 3)));
    LLVMValueRef highs =
        code_at(e, one, LLVMGetParam(fn, 4), code_times(e, row.i, n));
    for (int w = lanes_of_bytes(e, dtype_size(t));; w = 1) {
        Loop l = loop_begin(e, w > 1 ? zero : full, w > 1 ? full : n,
                            code_i64(e, w), 0, NULL);
        LLVMTypeRef type = type_lanes(one, w);
        LLVMValueRef to = code_at(e, one, c, l.i);
        LLVMValueRef high = code_at(e, one, highs, l.i);
        LLVMValueRef low = code_at(e, one, high, size);
        LLVMValueRef none = LLVMConstNull(type);
        Total sum = {code_load(e, type, high, align),
                     code_load(e, type, low, align)};
        sum.high = LLVMBuildSelect(b, some, sum.high, none, "");
        sum.low = LLVMBuildSelect(b, some, sum.low, none, "");
        sum = total_add(e, sum, code_load(e, type, to, align));
        code_store(e, sum.high, high, align);
        code_store(e, sum.low, low, align);
        code_store(e, sum.high, to, align);
        loop_end(e, &l, NULL);
        if (w == 1)
            break;
    }
    loop_end(e, &row, NULL);
    LLVMBuildRetVoid(b);
}

static LLVMTypeRef totals_type(Emit *e, const void *of)
{
    LLVMTypeRef p = e->ptr, i = e->i64;
    LLVMTypeRef param[] = {i, i, p, i, p, i};
    (void)of;
    return LLVMFunctionType(e->none, param, 6, false);
}

static Helper totals_helper(Emit *e, DType t)
{
    enum { TOTALS = 60 };
    return (Helper){.name = arena_printf(e->arena, "totals_%s", dtype_name(t)),
                    .type = totals_type,
                    .build = build_totals,
                    .of = arena_copy(e->arena, &t, sizeof t),
                    .weight = TOTALS};
}

/* One row of A or of B is not worth tiles. */
static void stream_block(Product *q, const Block *b)
{
    LLVMValueRef *in = q->arg;
    LLVMValueRef arg[] = {
        b->rows,     b->columns,          b->depth,         a_at(q, b),
        in[ARG_a_m], in[ARG_a_k],         b_at(q, b, b->j), in[ARG_b_k],
        in[ARG_b_n], c_at(q, b->i, b->j), in[ARG_out_m]};
    call(q, stream_type(q->e, NULL), ARG_stream, arg);
}

static void emit_block(Product *q, const Block *b)
{
    Emit *e = q->e;
    if (q->windows) {
        emit_columns(q, b);
        return;
    }
    LLVMBasicBlockRef stream = code_block(e, "stream");
    LLVMBasicBlockRef tiles = code_block(e, "tiles"), on = code_block(e, "");
    LLVMBuildCondBr(e->builder, q->streams, stream, tiles);
    LLVMPositionBuilderAtEnd(e->builder, stream);
    stream_block(q, b);
    LLVMBuildBr(e->builder, on);
    LLVMPositionBuilderAtEnd(e->builder, tiles);
    pack_a(q, b);
    emit_columns(q, b);
    code_end(e, on);
}

/* *at becomes `status` where that is one of a failure. */
void keep_status(Emit *e, LLVMValueRef status, LLVMValueRef at)
{
    LLVMValueRef old = code_load(e, e->i32, at, 4);
    LLVMValueRef bad = LLVMBuildIsNotNull(e->builder, status, "");
    code_store(e, a_or_b(e, bad, status, old), at, 4);
}

/* After these rows, where they are done. */
static void run_epilogue(Product *q, LLVMValueRef done, LLVMValueRef from,
                         LLVMValueRef to)
{
    Emit *e = q->e;
    LLVMValueRef *in = q->arg;
    LLVMValueRef some = LLVMBuildIsNotNull(e->builder, in[ARG_epilogue], "");
    LLVMBasicBlockRef on = code_if(e, LLVMBuildAnd(e->builder, some, done, ""));
    LLVMValueRef arg[] = {in[ARG_bufs], in[ARG_dims],
                          code_times(e, from, in[ARG_unit]),
                          code_times(e, to, in[ARG_unit]), in[ARG_fixed]};
    LLVMValueRef status = LLVMBuildCall2(e->builder, epilogue_type(e),
                                         in[ARG_epilogue], arg, 5, "");
    keep_status(e, status, q->status);
    code_end(e, on);
}

/* Rows from … to, of a block of k and columns: as many at a time as stay in the
 * cache while all tiles go over them; the last time no more than stay in that
 * of the first level until the epilogue has them. */
static void emit_rows(Product *q, Block *b, LLVMValueRef from, LLVMValueRef to,
                      LLVMValueRef done)
{
    Emit *e = q->e;
    LLVMBuilderRef at = e->builder;
    LLVMValueRef few = q->arg[ARG_rows];
    LLVMValueRef step = a_or_b(e, done, few, code_i64(e, LONG_ROWS));
    Loop l = loop_begin(e, from, to, step, 0, NULL);
    b->i = l.i;
    b->rows = code_smaller(e, minus(e, to, l.i), step);
    b->first = LLVMBuildICmp(at, LLVMIntEQ, l.i, from, "");
    if (q->windows)
        find_offsets(q, loops_at(q, LOOPS_rows), b->i, b->rows, WINDOW_rows);
    emit_block(q, b);
    LLVMValueRef whole = LLVMBuildNot(at, q->parts, "");
    LLVMValueRef right = code_plus(e, l.i, b->rows);
    run_epilogue(q, LLVMBuildAnd(at, done, whole, ""), l.i, right);
    loop_end(e, &l, NULL);
}

/* Blocks of k from … to, the first of which overwrites C. */
static void emit_depth(Product *q, Block *b, LLVMValueRef row,
                       LLVMValueRef last_row, LLVMValueRef from,
                       LLVMValueRef to)
{
    Emit *e = q->e;
    LLVMValueRef long_k = code_i64(e, LONG_K), block = code_i64(e, K_BLOCK);
    LLVMValueRef step = a_or_b(e, q->streams, long_k, block);
    Loop p = loop_begin(e, from, to, step, 0, NULL);
    LLVMValueRef left = minus(e, q->arg[ARG_k], p.i);
    b->p = p.i;
    b->depth = code_smaller(e, left, step);
    b->add = minus(e, p.i, from);
    if (q->windows)
        find_depth(q, b);
    LLVMValueRef end = code_plus(e, b->j, b->columns);
    LLVMValueRef all =
        LLVMBuildICmp(e->builder, LLVMIntEQ, end, q->arg[ARG_n], "");
    LLVMValueRef deep = LLVMBuildICmp(e->builder, LLVMIntSLE, left, step, "");
    emit_rows(q, b, row, last_row, LLVMBuildAnd(e->builder, all, deep, ""));
    loop_end(e, &p, NULL);
}

/* A long k in parts, if there are. The first block is done even where k is 0:
 * it stores the zeros. */
static void emit_parts(Product *q, Block *b, LLVMValueRef row,
                       LLVMValueRef last_row)
{
    Emit *e = q->e;
    LLVMValueRef step = code_i64(e, LONG_K), *in = q->arg;
    Loop p = loop_begin(e, code_i64(e, 0), q->last_k, step, 0, NULL);
    LLVMValueRef to = code_smaller(e, code_plus(e, p.i, step), q->last_k);
    emit_depth(q, b, row, last_row, p.i, to);
    LLVMBasicBlockRef on = code_if(e, q->parts);
    LLVMValueRef arg[] = {minus(e, last_row, row), b->columns,
                          c_at(q, row, b->j),      in[ARG_out_m],
                          in[ARG_totals],          p.i};
    code_call(e, helper_function(e, totals_helper(e, q->t)), arg, 6);
    code_end(e, on);
    loop_end(e, &p, NULL);
}

/* Few rows at a time where there are totals to be kept; as many columns as
 * there is room for packed. */
static void emit_product_loops(Product *q)
{
    Emit *e = q->e;
    LLVMValueRef *in = q->arg, zero = code_i64(e, 0);
    LLVMValueRef most = code_i64(e, LONG_ROWS);
    LLVMValueRef all = minus(e, in[ARG_to], in[ARG_from]);
    Loop i = loop_begin(e, in[ARG_from], in[ARG_to],
                        a_or_b(e, q->parts, most, all), 0, NULL);
    LLVMValueRef to = code_smaller(e, code_plus(e, i.i, i.step), in[ARG_to]);
    LLVMValueRef n = code_at_least(e, in[ARG_n], 1);
    LLVMValueRef step = a_or_b(e, q->streams, n, in[ARG_columns]);
    Loop j = loop_begin(e, zero, n, step, 0, NULL);
    Block b = {.j = j.i,
               .columns = code_smaller(e, minus(e, in[ARG_n], j.i), step)};
    emit_parts(q, &b, i.i, to);
    loop_end(e, &j, NULL);
    run_epilogue(q, q->parts, i.i, to);
    loop_end(e, &i, NULL);
}

typedef struct ProductOf {
    DType t;
    bool windows;
    Tile tile;
} ProductOf;

static void build_product(Emit *e, const void *of, LLVMValueRef fn)
{
    const ProductOf *p = of;
    Product product = {.e = e,
                       .t = p->t,
                       .windows = p->windows,
                       .one = type_of(e, p->t),
                       .tile = p->tile},
            *q = &product;
    LLVMBuilderRef b = e->builder;
    for (unsigned i = 0; i < LLVMCountParams(fn); i++)
        q->arg[i] = LLVMGetParam(fn, i);
    q->status = code_slot(e, e->i32, 4);
    code_store(e, LLVMConstInt(e->i32, NN_OK, false), q->status, 4);
    q->streams = LLVMBuildIsNotNull(b, q->arg[ARG_stream], "");
    q->packs_a = LLVMBuildIsNotNull(b, q->arg[ARG_pack_a], "");
    q->packs_b = LLVMBuildIsNotNull(b, q->arg[ARG_pack_b], "");
    q->parts =
        LLVMBuildICmp(b, LLVMIntSGT, q->arg[ARG_k], code_i64(e, LONG_K), "");
    q->last_k = code_at_least(e, q->arg[ARG_k], 1);
    emit_product_loops(q);
    LLVMBuildRet(b, code_load(e, e->i32, q->status, 4));
}

LLVMTypeRef epilogue_type(Emit *e)
{
    LLVMTypeRef param[] = {e->ptr, e->ptr, e->i64, e->i64, e->ptr};
    return LLVMFunctionType(e->i32, param, 5, false);
}

static LLVMTypeRef product_type(Emit *e, const void *of)
{
    const ProductOf *p = of;
    LLVMTypeRef param[NARGS_WINDOWS];
    unsigned n = p->windows ? NARGS_WINDOWS : NARGS;
    for (unsigned i = 0; i < n; i++)
        param[i] = i < ARG_first_pointer ? e->i64 : e->ptr;
    return LLVMFunctionType(e->i32, param, n, false);
}

Helper product_helper(Emit *e, DType t, const Tile *tile, bool windows)
{
    enum { PRODUCT = 250 };
    ProductOf p = {t, windows, *tile};
    const char *name =
        arena_printf(e->arena, "multiply_%s%s%s", dtype_name(t),
                     windows ? "_windows" : "", tile_suffix(e, t, tile));
    return (Helper){.name = name,
                    .type = product_type,
                    .build = build_product,
                    .of = arena_copy(e->arena, &p, sizeof p),
                    .weight = PRODUCT};
}

void product_helpers(Emit *e, DType t, const Tile *tile, bool windows,
                     Helpers *h)
{
    if (windows)
        helper_add(e, h, offsets_helper());
    helper_add(e, h, totals_helper(e, t));
    helper_add(e, h, product_helper(e, t, tile, windows));
}

static void prebuild_tiles(Emit *e, DType t, bool windows, Helpers *h)
{
    Tile tile = product_tile(e, t);
    product_helpers(e, t, &tile, windows, h);
    for (int v = 1; v <= tile.vectors; v++)
        for (int masked = 0; masked <= has_masks(e); masked++)
            helper_add(
                e, h,
                micro_helper(
                    e, t, micro_shape(&tile, v, tile.width, masked, windows)));
    helper_add(e, h,
               micro_helper(e, t, micro_shape(&tile, 1, 1, false, windows)));
}

/* As products and routines choose them. */
void product_prebuild(Emit *e, Helpers *h)
{
    static const DType real[] = {DT_f32, DT_f64};
    for (int i = 0; i < 2; i++) {
        DType t = real[i];
        Tile tile = product_tile(e, t);
        prebuild_tiles(e, t, false, h);
        prebuild_tiles(e, t, true, h);
        for (int k = PACK_any; k <= PACK_straight; k++)
            helper_add(e, h, pack_helper(e, t, (PackKind)k, tile.panel));
        helper_add(e, h, pack_helper(e, t, PACK_straight, LONG_ROWS));
        for (int k = STREAM_rows; k <= STREAM_outer; k++)
            helper_add(e, h, stream_helper(e, t, (StreamKind)k));
    }
}
