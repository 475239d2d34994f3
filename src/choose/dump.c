/* dump.c: schedules for people, and to be read again: what begins with # only
 * tells; all else is a setting of the kernel above. */
#include "choose/internal.h"

static void put_loops(const Dim *const *extent, int n, int first, Str *to)
{
    for (int i = 0; i < n; i++) {
        str_printf(to, "%si%d < ", i ? ", " : "", first + i);
        dim_print(extent[i], to);
    }
}

static void put_sums(const StageSchedule *st, const Stage *s, Str *to)
{
    const Sums *u = &st->sums;
    int sums = 0;
    for (int i = 0; i < s->noutput; i++)
        sums += s->output[i].kind == OUT_reduce;
    if (sums && st->inside)
        str_printf(to, ", %d slots, %d vectors by turns", st->slots, u->sets);
    if (u->wide)
        str_printf(to, ", all slots at once");
    if (u->blocks)
        str_printf(to, ", blocks of %lld where there are more than %lld",
                   (long long)u->block, (long long)u->most);
    if (st->ragged >= 0)
        str_printf(to, ", ends where %%%d is false", st->ragged);
}

static void put_stage(const MapSchedule *m, int t, Str *to)
{
    const Stage *s = &m->kernel->stage[t];
    const StageSchedule *st = &m->stage[t];
    if (s->rank == 0)
        return;
    str_printf(to, "  # stage %d: for ", t);
    put_loops(s->extent, s->rank, m->kernel->rank, to);
    if (st->inside)
        str_printf(to, "; i%d in vectors of %d", st->across.lane, st->lanes);
    put_sums(st, s, to);
    str_printf(to, "\n");
}

static bool any_inside(const MapSchedule *m)
{
    for (int t = 0; t < m->kernel->nstage; t++)
        if (m->stage[t].inside)
            return true;
    return false;
}

static void put_number(SettingKind kind, int v, Str *to)
{
    setting_print(kind, 1, &v, to);
}

static void put_choice(SettingKind kind, Choice is, Str *to)
{
    if (is)
        put_number(kind, is == CHOICE_yes ? ASK_always : ASK_never, to);
}

static void put_map(const MapSchedule *m, Str *to)
{
    static const int tail[] = {
        [TAIL_scalar] = ASK_scalar,
        [TAIL_masked] = ASK_masked,
        [TAIL_always] = ASK_always,
    };
    const Kernel *k = m->kernel;
    bool inside = any_inside(m);
    if (k->rank) {
        str_printf(to, "  # for ");
        put_loops(k->extent, k->rank, 0, to);
        str_printf(to, "\n");
    }
    for (int t = 0; t < k->nstage; t++)
        put_stage(m, t, to);
    put_choice(SET_unroll, k->form.unroll, to);
    put_choice(SET_join, k->form.join, to);
    put_number(SET_lanes,
               m->outside ? ASK_outside
               : inside   ? ASK_inside
                          : ASK_none,
               to);
    if (!m->outside && !inside)
        return;
    put_number(SET_vector, m->lanes, to);
    if (m->together > 1)
        put_number(SET_together, m->together, to);
    put_number(SET_tail, tail[m->tail], to);
    if (m->few)
        put_number(SET_few, m->few, to);
    if (m->less)
        put_number(SET_less, m->less_rows, to);
}

/* Products. */

static void put_rule(SettingKind kind, const PackRule *r, Str *to)
{
    int v[] = {r->stride, r->depth, r->others};
    if (r->always)
        put_number(kind, ASK_always, to);
    else if (r->never)
        put_number(kind, ASK_never, to);
    else
        setting_print(kind, 3, v, to);
}

static void put_passes(const ProductSchedule *p, Str *to)
{
    str_printf(to, "  # tiles:");
    for (int i = 0; i < p->tile.passes; i++)
        if (p->pass[i])
            str_printf(to, " %d x %d%s", p->shape[i].rows,
                       p->shape[i].vectors * p->shape[i].width,
                       p->shape[i].masked ? " masked" : "");
    if (p->pair)
        str_printf(to, " or of two vectors");
    str_printf(to, "\n");
}

static void put_size(const char *name, const Dim *d, Str *to)
{
    str_printf(to, " %s ", name);
    dim_print(d, to);
}

static void put_tiles(const ProductSchedule *p, const Kernel *k, Str *to)
{
    static const char *const stream[] = {
        [STREAM_rows] = "row by row",
        [STREAM_columns] = "as dot products",
    };
    const Contract *c = k->contract;
    if (p->row) {
        str_printf(to, "  # one row of a: b is read %s\n", stream[p->row]);
        put_number(SET_stream, p->row_from, to);
    }
    if (k->epilogue)
        setting_print(SET_epilogue, 2, (int[]){p->rows, p->rows_columns}, to);
    if (p->only_row)
        return;
    put_passes(p, to);
    setting_print(SET_tile, 2, (int[]){p->tile.rows, p->tile.vectors}, to);
    str_printf(to, "  # blocks: m %d, n %d, k %d\n", LONG_ROWS, PACK_COLUMNS,
               K_BLOCK);
    if (c->pack_a)
        put_rule(SET_pack_a, &p->a, to);
    if (c->pack)
        put_rule(SET_pack_b, &p->b, to);
}

/* What is illegal; or NULL. */
static const char *put_product(const Chooser *ch, const Kernel *k, Str *to)
{
    ProductSchedule p = product_schedule(ch, k);
    const Contract *c = k->contract;
    str_printf(to, "  # %s:", p.windows ? "windows" : "factors");
    put_size("m", c->m, to);
    put_size("n", c->n, to);
    put_size("k", c->k, to);
    str_printf(to, "\n");
    if (!p.loops) {
        put_tiles(&p, k, to);
        return p.problem;
    }
    const MapSchedule *m = map_schedule(ch, k, (MapUse){0});
    put_number(SET_tile, ASK_never, to);
    put_map(m, to);
    return p.problem ? p.problem : m->problem;
}

/* Kernels. */

static void put_head(const char *name, const char *what, Str *to)
{
    str_printf(to, "%s: %s\n", name, what);
}

static void put_pieces(const Chooser *c, const Kernel *k, Str *to)
{
    PieceSchedule p = piece_schedule(c->has, k);
    if (p.most > 1)
        str_printf(to, "  # at most %d pieces, from multiples of %d on\n",
                   p.most, p.grain);
}

static const char *put_nest(const Chooser *c, const Kernel *k, MapUse use,
                            const char *name, Str *to)
{
    const MapSchedule *m = map_schedule(c, k, use);
    put_head(name, "loops", to);
    put_map(m, to);
    if (!use.step && !use.nfixed)
        put_pieces(c, k, to);
    if (m->less)
        put_nest(c, k->few, use, arena_printf(c->arena, "%s less", name), to);
    return m->problem;
}

static const char *put_contract(const Chooser *c, const Kernel *k,
                                const char *name, Str *to)
{
    MapUse rows = {.nfixed = k->contract->nbatch};
    put_head(name, "product", to);
    const char *problem = put_product(c, k, to);
    put_pieces(c, k, to);
    if (!k->epilogue)
        return problem;
    name = arena_printf(c->arena, "%s epilogue", name);
    const char *after = put_nest(c, k->epilogue, rows, name, to);
    return problem ? problem : after;
}

const char *schedule_print(const Chooser *c, const Kernel *k, MapUse use,
                           const char *name, Str *to)
{
    switch (k->kind) {
    case KERNEL_map:
        return put_nest(c, k, use, name, to);
    case KERNEL_contract:
        return put_contract(c, k, name, to);
    case KERNEL_sort:
        put_head(name, "sort", to);
        break;
    case KERNEL_routine:
        put_head(name, "routine", to);
        break;
    case KERNEL_loop:
        put_head(name, "steps", to);
        return NULL;
    }
    put_pieces(c, k, to);
    return NULL;
}
