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

static void put_map(const MapSchedule *m, Str *to)
{
    static const char *const tail[] = {
        [TAIL_scalar] = "scalar",
        [TAIL_masked] = "masked",
        [TAIL_always] = "always",
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
    str_printf(to, "  lanes %s\n",
               m->outside ? "outside"
               : inside   ? "inside"
                          : "none");
    if (!m->outside && !inside)
        return;
    str_printf(to, "  vector %d\n", m->lanes);
    if (m->together > 1)
        str_printf(to, "  together %d\n", m->together);
    str_printf(to, "  tail %s\n", tail[m->tail]);
    if (m->few)
        str_printf(to, "  few %d\n", m->few);
    if (!m->less)
        return;
    str_printf(to, "  less %d\n", m->less_rows);
}

/* Products. */

static void put_rule(const char *name, const PackRule *r, Str *to)
{
    if (r->always)
        str_printf(to, "  %s always\n", name);
    else
        str_printf(to, "  %s %d %d %d\n", name, r->stride, r->depth, r->others);
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

static void put_product(const ProductSchedule *p, const Kernel *k, Str *to)
{
    static const char *const stream[] = {[STREAM_none] = "",
                                         [STREAM_rows] = "rows",
                                         [STREAM_columns] = "columns",
                                         [STREAM_outer] = "outer"};
    const Contract *c = k->contract;
    str_printf(to, "  # %s:", p->windows ? "windows" : "factors");
    put_size("m", c->m, to);
    put_size("n", c->n, to);
    put_size("k", c->k, to);
    str_printf(to, "\n");
    if (p->row)
        str_printf(to, "  stream %s %d\n", stream[p->row], p->row_from);
    if (p->only_row)
        return;
    put_passes(p, to);
    str_printf(to, "  tile %d %d\n", p->tile.rows, p->tile.vectors);
    str_printf(to, "  # blocks: m %d, n %d, k %d\n", LONG_ROWS, PACK_COLUMNS,
               K_BLOCK);
    if (c->pack_a)
        put_rule("pack_a", &p->a, to);
    if (c->pack)
        put_rule("pack_b", &p->b, to);
    if (k->epilogue)
        str_printf(to, "  epilogue %d %d\n", p->rows, p->rows_columns);
}

/* Kernels. */

static void put_head(const char *name, const char *what, Str *to)
{
    str_printf(to, "%s: %s\n", name, what);
}

static void put_less(const MapSchedule *m, const char *name, Arena *a, Str *to)
{
    if (!m->less)
        return;
    put_head(arena_printf(a, "%s less", name), "where there are few rows", to);
    put_map(m->less, to);
}

static void put_kernel(Arena *a, const Hardware *h, const Kernel *k,
                       const char *name, Str *to)
{
    static const char *const kind[] = {
        [KERNEL_map] = "loops",  [KERNEL_contract] = "product",
        [KERNEL_sort] = "sort",  [KERNEL_routine] = "routine",
        [KERNEL_loop] = "steps",
    };
    put_head(name, kind[k->kind], to);
    if (k->kind == KERNEL_contract) {
        ProductSchedule p = product_schedule(h, k->contract);
        put_product(&p, k, to);
    }
    PieceSchedule p = piece_schedule(h, k);
    if (p.most > 1)
        str_printf(to, "  pieces %d %d\n", p.most, p.grain);
    if (!k->epilogue)
        return;
    MapUse use = {.nfixed = k->contract->nbatch};
    put_head(arena_printf(a, "%s epilogue", name), "on each block of rows", to);
    put_map(map_schedule(a, h, k->epilogue, use), to);
}

static void put_loops_of(Arena *a, const Hardware *h, const Kernel *k,
                         MapUse use, const char *name, Str *to)
{
    const MapSchedule *m = map_schedule(a, h, k, use);
    PieceSchedule p = piece_schedule(h, k);
    put_head(name, "loops", to);
    put_map(m, to);
    if (!use.step && p.most > 1)
        str_printf(to, "  pieces %d %d\n", p.most, p.grain);
    put_less(m, name, a, to);
}

void schedule_print(Arena *a, const Hardware *h, const Kernel *k, MapUse use,
                    const char *name, Str *to)
{
    if (k->kind == KERNEL_map)
        put_loops_of(a, h, k, use, name, to);
    else
        put_kernel(a, h, k, name, to);
}
