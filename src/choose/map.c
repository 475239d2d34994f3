/* map.c: the schedule of a map kernel. */
#include "choose/internal.h"

/* Levels: the scheduler's, but no further out than what an instruction depends
 * on and than the code begins; a result waits for its stage. */
static void choose_levels(MapSchedule *m, int nfixed)
{
    const Kernel *k = m->kernel;
    for (int i = 0; i < k->ninstr; i++) {
        const Instr *in = &k->instr[i];
        int level = in->level > nfixed ? in->level : nfixed;
        for (int j = 0; j < in->narg; j++)
            if (m->level[in->arg[j]] > level)
                level = m->level[in->arg[j]];
        if (in->kind == I_result && level < k->rank)
            level = k->rank;
        if (in->at && index_level(m->level, in->at) > level)
            level = index_level(m->level, in->at);
        if (in->kind == I_load && in->pred >= 0 && m->level[in->pred] > level)
            level = m->level[in->pred];
        m->level[i] = level;
    }
}

static int lane_bytes(const Kernel *k)
{
    bool real = false, wide_real = false, wide = true;
    for (int i = 0; i < k->ninstr; i++) {
        DType t = k->instr[i].dtype;
        real = real || dtype_is_real(t);
        wide_real = wide_real || t == DT_f64;
        wide = wide && dtype_size(t) == 8;
    }
    return wide_real || (!real && wide) ? 8 : 4;
}

/* What is left over. */

static bool easily_masked(const Buffer *b) { return dtype_size(b->dtype) >= 4; }

/* Without mask registers masked gathers and masked bytes are taken apart into
 * branches; a scalar loop is better. */
static bool wants_scalar_tail(const Kernel *k, const Hardware *h)
{
    if (h->masks)
        return false;
    if (!hardware_masks(h))
        return true;
    for (int i = 0; i < k->ninstr; i++)
        if (k->instr[i].kind == I_load &&
            (!easily_masked(k->instr[i].buffer) || k->instr[i].pred >= 0))
            return true;
    for (int s = 0; s < k->nstage; s++)
        for (int i = 0; i < k->stage[s].noutput; i++) {
            const Output *o = &k->stage[s].output[i];
            if (o->buffer && (!easily_masked(o->buffer) || o->pred >= 0))
                return true;
        }
    return false;
}

/* Has it accesses whose lanes lie a few elements apart. */
static bool has_strided(const MapSchedule *m)
{
    const Kernel *k = m->kernel;
    for (int t = 0; t < k->nstage; t++) {
        const Stage *s = &k->stage[t];
        const Across x = {m->stage[t].across.lane, NULL};
        for (int i = s->first; i < s->first + s->ninstr; i++)
            if (k->instr[i].kind == I_load && index_step(&x, k->instr[i].at))
                return true;
        for (int i = 0; i < s->noutput; i++)
            if (s->output[i].at && index_step(&x, s->output[i].at))
                return true;
    }
    return false;
}

/* With mask registers a long body is built once, masked; a short one twice, as
 * its full vectors are then a little faster. What is to be sorted in registers
 * is so much faster that it takes a very long one, and no mask registers. */
static Tail choose_tail(const MapSchedule *m, const Hardware *h, bool strided)
{
    enum { SHORT = 12, STRIDED = 48 };
    int n = m->kernel->ninstr;
    if (wants_scalar_tail(m->kernel, h))
        return TAIL_scalar;
    return (strided ? n > STRIDED : h->masks && n > SHORT) ? TAIL_always
                                                           : TAIL_masked;
}

/* To sort a few rows in registers is more than to go through them one by one,
 * if that is little. */
static int choose_few(const MapSchedule *m, const Hardware *h, bool strided)
{
    enum { LITTLE = 400 };
    const Kernel *k = m->kernel;
    int weight = 1, n, most = 3 * m->lanes / 4;
    if (!strided || m->tail == TAIL_scalar || h->small)
        return 0;
    for (int i = 0; i < k->ninstr; i++)
        if (k->instr[i].kind == I_op)
            weight += op_weight(k->instr[i].op);
    n = 1 + LITTLE / weight;
    return n < most ? n : most;
}

/* Vectors. */

/* Has it an inner loop that goes on for a while. */
static bool has_long_stage(const Kernel *k)
{
    enum { LONG = 16 };
    for (int i = 0; i < k->nstage; i++)
        for (int j = 0; j < k->stage[i].rank; j++) {
            int64_t n;
            if (!dim_const_value(k->stage[i].extent[j], &n) || n >= LONG)
                return true;
        }
    return false;
}

/* Sums over inner loops, each step of which waits for the one before and may
 * read another row of an array, are made for several vectors at a time: as many
 * as a quarter of the registers has, if what is beside them is short. */
static int vectors_at_once(const Kernel *k, const Hardware *h)
{
    enum { MOST = 4, SHORT = 16 };
    int sums = 0, n = MOST;
    for (int s = 0; s < k->nstage; s++)
        for (int i = 0; k->stage[s].rank > 0 && i < k->stage[s].noutput; i++)
            sums += reduce_count(&k->stage[s].output[i]);
    if (sums == 0 || k->ninstr > SHORT)
        return 1;
    while (n > 1 && 4 * sums * n > h->registers)
        n /= 2;
    return n;
}

/* A short loop of known length, a power of two or 3, is one vector of its own:
 * what one step of a recurrence stores, the next loads in the same pieces. */
static int short_lanes(const Dim *extent, int lanes, bool three)
{
    int64_t n;
    if (!dim_const_value(extent, &n) || n < 2 || n >= lanes)
        return lanes;
    return (n & (n - 1)) == 0 || (three && n == 3) ? (int)n : lanes;
}

/* Of the last outer loop. Every vector is several where that leaves nothing
 * over; else those that are full begin with a loop of so many. */
static void choose_vectors(MapSchedule *m, const Hardware *h, bool three)
{
    const Kernel *k = m->kernel;
    const Dim *loop = k->extent[k->rank - 1];
    int n = vectors_at_once(k, h);
    int64_t extent;
    if (dim_const_value(loop, &extent)) {
        int even = n;
        while (even > 1 && extent % (even * m->lanes) != 0)
            even /= 2;
        if (extent >= m->lanes)
            m->lanes *= even;
        n = extent < n * m->lanes ? 1 : n / even;
    }
    if (n > 1 && !h->small && has_long_stage(k))
        m->together = n;
    m->lanes = short_lanes(loop, m->lanes, three);
}

/* Lanes. */

static bool instr_varies(const MapSchedule *m, const Across *x, const Instr *in)
{
    if (in->at && index_varies(x, in->at))
        return true;
    if (in->kind == I_load && in->pred >= 0 && x->varies[in->pred])
        return true;
    for (int j = 0; j < in->narg; j++)
        if (x->varies[in->arg[j]])
            return true;
    return in->kind == I_result && m->outside;
}

static void choose_lanes(MapSchedule *m, bool *varies)
{
    const Kernel *k = m->kernel;
    m->outside = k->lanes && m->lanes > 1;
    for (int t = 0; t < k->nstage; t++) {
        const Stage *s = &k->stage[t];
        StageSchedule *st = &m->stage[t];
        st->inside = s->lanes && s->rank > 0 && m->lanes > 1;
        st->across = (Across){m->outside   ? k->rank - 1
                              : st->inside ? k->rank + s->rank - 1
                                           : -1,
                              varies};
        for (int i = s->first; i < s->first + s->ninstr; i++)
            varies[i] = st->across.lane >= 0 &&
                        instr_varies(m, &st->across, &k->instr[i]);
    }
}

/* A stage whose own loop is lanes may have other vectors than the rest: short
 * ones of a short loop, long ones where there is little to be added up. */
static void choose_stage(MapSchedule *m, int t)
{
    const Stage *s = &m->kernel->stage[t];
    StageSchedule *st = &m->stage[t];
    int wide = 0;
    st->lanes = m->lanes;
    if (st->inside)
        st->lanes = short_lanes(s->extent[s->rank - 1], m->lanes, true);
    st->slots = sums_slots(m, s, st->lanes);
    st->ragged = ragged_condition(m->kernel, s);
    if (st->inside)
        wide = sums_wide(m, t);
    if (wide && m->tail != TAIL_scalar)
        st->lanes = wide;
    sums_choose(m, t);
    if (m->tail == TAIL_scalar)
        st->sums.wide = wide;
}

const MapSchedule *map_schedule(Arena *a, const Hardware *h, const Kernel *k,
                                MapUse use)
{
    MapSchedule *m = NEW(a, MapSchedule);
    *m = (MapSchedule){.kernel = k, .bytes = lane_bytes(k), .together = 1};
    m->level = NEWN(a, int, k->ninstr + 1);
    m->stage = NEWN(a, StageSchedule, k->nstage + 1);
    m->lanes = hardware_lanes(h, m->bytes);
    choose_levels(m, use.nfixed);
    choose_lanes(m, NEWN(a, bool, k->ninstr + 1));
    bool strided = has_strided(m);
    m->tail = choose_tail(m, h, strided);
    m->few = choose_few(m, h, strided);
    if (m->outside)
        choose_vectors(m, h, use.step);
    for (int t = 0; t < k->nstage; t++)
        choose_stage(m, t);
    if (k->few && m->lanes > 1 && !h->small) {
        m->less = map_schedule(a, h, k->few, use);
        m->less_rows = m->lanes < FEW_ROWS ? m->lanes : FEW_ROWS;
    }
    return m;
}
