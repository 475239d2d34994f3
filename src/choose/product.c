/* product.c: the schedule of a product. */
#include "choose/internal.h"

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

static Tile tile_of(const Hardware *h, DType t, int rows, int vectors)
{
    Tile tile = {.rows = rows, .vectors = vectors};
    tile.width = hardware_lanes(h, dtype_size(t));
    tile.panel = tile.width * tile.vectors;
    tile.passes = h->vector_bytes && !hardware_masks(h) ? 3 : 2;
    return tile;
}

Tile tile_choose(const Hardware *h, DType t)
{
    int vectors = tile_vectors(h);
    return tile_of(h, t, tile_rows(h, vectors), vectors);
}

/* Narrower tiles have more rows: enough to hide the latency of a multiply-add,
 * which is four times what two of them take to begin. */
MicroShape micro_shape(const Tile *t, int vectors, int width, bool masked,
                       bool windows)
{
    bool narrow = t->width > 1 && vectors < t->vectors;
    return (MicroShape){vectors, width, masked, windows,
                        narrow ? MOST_TILE_ROWS : t->rows};
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
    if (!c->pack && !index_steps(c->b->at, loop_n(c))) {
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
    if (m != 1 || !h->vector_bytes || c->windows)
        return;
    if (!index_steps(c->b->at, loop_n(c))) {
        if (index_steps(c->b->at, loop_k(c)) &&
            index_steps(c->a->at, loop_k(c)))
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

/* What is asked for. */

/* The words or numbers of a rule. */
static void ask_rule(const Chooser *c, const Kernel *k, SettingKind kind,
                     bool room, ProductSchedule *p, PackRule *r)
{
    const Setting *s = asked_for(c, k, kind);
    if (!s)
        return;
    if (r->always && s->value[0] != ASK_always)
        p->problem = refused(c, s,
                             "it is packed always: it cannot be read as "
                             "it is");
    else if (!room && s->value[0] != ASK_never)
        p->problem = refused(c, s, "the kernel has no room for it packed");
    r->always = s->value[0] == ASK_always;
    r->never = s->value[0] == ASK_never;
    r->stride = s->value[0];
    r->depth = s->value[1];
    r->others = s->value[2];
}

/* Tiles' rows are what an epilogue runs on and what pieces are made of. */
static void ask_loops(const Chooser *c, const Kernel *k, const Setting *s,
                      ProductSchedule *p)
{
    p->loops = true;
    if (k->epilogue || p->windows)
        p->problem = refused(c, s, "only tiles have an epilogue or windows");
}

/* Tiles have to fill a block of rows, panels of b the room's units. */
static void ask_tile(const Chooser *c, const Kernel *k, ProductSchedule *p)
{
    const Setting *s = asked_for(c, k, SET_tile);
    int rows = s ? s->value[0] : 1, vectors = s ? s->value[1] : 1;
    if (!s)
        return;
    if (s->value[0] == ASK_never)
        ask_loops(c, k, s, p);
    else if (rows < 1 || rows > MOST_TILE_ROWS || LONG_ROWS % rows)
        p->problem = refused(c, s, "a tile has 1, 2, 3, 4, 6 or 8 rows");
    else if (vectors < 1 || vectors > MOST_TILE_VECTORS || vectors == 3)
        p->problem = refused(c, s, "a tile has 1, 2 or 4 vectors");
    else
        p->tile = tile_of(c->has, p->t, rows, vectors);
}

static void ask_row(const Chooser *c, const Kernel *k, ProductSchedule *p)
{
    const Setting *s = asked_for(c, k, SET_stream);
    if (!s)
        return;
    if (!p->row && s->value[0] != ASK_never)
        p->problem = refused(c, s, "there is no row to be streamed");
    if (s->value[0] == ASK_never) {
        p->row = STREAM_none;
        p->only_row = false;
    } else if (p->row == STREAM_rows && !p->only_row) {
        p->row_from = s->value[0];
    }
}

static void ask_epilogue(const Chooser *c, const Kernel *k, ProductSchedule *p)
{
    const Setting *s = asked_for(c, k, SET_epilogue);
    if (!s)
        return;
    p->rows = s->value[0];
    p->rows_columns = s->value[1];
    if (!k->epilogue)
        p->problem = refused(c, s, "there is no epilogue");
    else if (p->rows < 1 || p->rows > LONG_ROWS)
        p->problem = refused(c, s, "an epilogue runs on 1 to 96 rows");
}

ProductSchedule product_schedule(const Chooser *c, const Kernel *of)
{
    const Contract *p = of->contract;
    const Hardware *h = c->has;
    int64_t k;
    ProductSchedule s = {.t = p->out->buffer->dtype, .windows = p->windows};
    bool straight = index_steps(p->b->at, loop_n(p));
    s.tile = tile_choose(h, s.t);
    ask_tile(c, of, &s);
    if (s.loops)
        return s;
    choose_epilogue(&s);
    ask_epilogue(c, of, &s);
    choose_row(&s, h, p);
    ask_row(c, of, &s);
    s.a = (PackRule){.kind = PACK_straight,
                     .stride = PACK_STRIDE,
                     .depth = PACK_A_DEPTH,
                     .others = PACK_FROM};
    bool turned = index_steps(p->b->at, loop_k(p));
    s.b = (PackRule){.kind = straight ? PACK_straight
                             : turned ? PACK_transposed
                                      : PACK_any,
                     .always = p->pack && !straight,
                     .stride = PACK_STRIDE,
                     .depth = PACK_DEPTH,
                     .others = PACK_FROM};
    ask_rule(c, of, SET_pack_a, p->pack_a, &s, &s.a);
    ask_rule(c, of, SET_pack_b, p->pack, &s, &s.b);
    if (s.only_row)
        return s;
    s.outer =
        straight && !dim_const_value(p->k, &k) && h->vector_bytes && !s.windows;
    choose_passes(&s, h, p);
    return s;
}
