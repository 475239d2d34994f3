/* product.c: the schedule of a product. */
#include "choose/choose.h"

/* Tiles. Of the registers a tile has rows times vectors for the result and one
 * for each vector of b; one is left for an element of a, or a mask. An eighth
 * of them along n makes it nearly square: 6 rows of 2 vectors in 16, of 4
 * in 32. Without vectors there are few registers for the rows' addresses too.
 */

static int tile_vectors(const Hardware *h)
{
    if (!h->vector_bytes)
        return h->small ? 1 : 2;
    return h->registers / 8;
}

static int tile_rows(const Hardware *h, int vectors)
{
    enum { SCALARS = 4 };
    return h->vector_bytes ? (h->registers - 1 - vectors) / vectors : SCALARS;
}

Tile tile_choose(const Hardware *h, DType t)
{
    Tile tile = {.vectors = tile_vectors(h)};
    tile.rows = tile_rows(h, tile.vectors);
    tile.width = hardware_lanes(h, dtype_size(t));
    tile.panel = tile.width * tile.vectors;
    tile.passes = h->vector_bytes && !hardware_masks(h) ? 3 : 2;
    return tile;
}

/* Narrower tiles have more rows: enough to hide the latency of a multiply-add,
 * which is four times what two of them take to begin. */
MicroShape micro_shape(const Tile *t, int vectors, int width, bool masked,
                       bool windows)
{
    enum { MOST_ROWS = 8 };
    bool narrow = t->width > 1 && vectors < t->vectors;
    return (MicroShape){vectors, width, masked, windows,
                        narrow ? MOST_ROWS : t->rows};
}

/* Passes. */

static void add_pass(ProductSchedule *p, int i, int vectors, int width,
                     bool masked)
{
    p->pass[i] = true;
    p->shape[i] = micro_shape(&p->tile, vectors, width, masked, p->windows);
}

/* Whole panels, then as few and as full vectors as n allows when it is known;
 * when it is not single ones, or two where just these are left. */
static void choose_passes(ProductSchedule *p, const Hardware *h,
                          const Contract *c)
{
    int w = p->tile.width, panel = p->tile.panel, last = p->tile.passes - 1;
    int64_t n = -1;
    dim_const_value(c->n, &n);
    if (!c->pack && !dim_is(c->b_n, 1)) {
        add_pass(p, last, 1, 1, false);
        return;
    }
    if (n < 0 || n >= panel)
        add_pass(p, 0, panel / w, w, false);
    int rest = (int)(n % panel);
    if (n >= 0 && !rest)
        return;
    bool even = w == 1 || (n >= 0 && rest % w == 0);
    if (hardware_masks(h) || even) {
        int vectors = n >= 0 ? (rest + w - 1) / w : 1;
        add_pass(p, last, vectors, w, !even);
        p->pair = n < 0 && w > 1;
        return;
    }
    if (n < 0 || rest >= w)
        add_pass(p, 1, n < 0 ? 1 : rest / w, w, false);
    add_pass(p, last, 1, 1, false);
}

/* One row reads nothing twice. A few columns have their sums in registers in
 * any case. */
static void choose_row(ProductSchedule *p, const Hardware *h, const Contract *c)
{
    enum { FROM = 32 };
    int64_t m = 1, n = FROM;
    dim_const_value(c->m, &m);
    bool known = dim_const_value(c->n, &n);
    if (m != 1 || !h->vector_bytes || c->rows.n)
        return;
    if (!dim_is(c->b_n, 1)) {
        if (dim_is(c->b_k, 1) && dim_is(c->a_k, 1))
            p->row = STREAM_columns;
    } else if (n >= FROM) {
        p->row = STREAM_rows;
        p->row_from = FROM;
    }
    p->only_row =
        p->row && dim_is(c->m, 1) && (p->row == STREAM_columns || known);
}

/* Half of the first cache holds them until the epilogue has read them; in
 * multiples of what all tiles come out even with. */
static void choose_epilogue(ProductSchedule *p)
{
    p->rows = PIECE_ROWS;
    p->rows_columns = COMMON_L1 / 2 / PIECE_ROWS / dtype_size(p->t);
}

ProductSchedule product_schedule(const Hardware *h, const Contract *c)
{
    int64_t k;
    ProductSchedule p = {.t = c->out->dtype, .windows = c->rows.n > 0};
    bool straight = dim_is(c->b_n, 1);
    p.tile = tile_choose(h, p.t);
    choose_epilogue(&p);
    choose_row(&p, h, c);
    if (p.only_row)
        return p;
    p.outer =
        straight && !dim_const_value(c->k, &k) && h->vector_bytes && !p.windows;
    p.a =
        (PackRule){PACK_straight, false, PACK_STRIDE, PACK_A_DEPTH, PACK_FROM};
    p.b = (PackRule){straight            ? PACK_straight
                     : dim_is(c->b_k, 1) ? PACK_transposed
                                         : PACK_any,
                     !straight, PACK_STRIDE, PACK_DEPTH, PACK_FROM};
    choose_passes(&p, h, c);
    return p;
}
