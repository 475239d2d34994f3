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

typedef enum Where { LANES_none, LANES_outside, LANES_inside } Where;

static bool may_be_inside(const Kernel *k, const Stage *s)
{
    return s->rank > 0 && (s->lanes || k->lanes);
}

static Where choose_where(const Chooser *c, MapSchedule *m, int nfixed)
{
    const Kernel *k = m->kernel;
    const Setting *s = asked_for(c, k, SET_lanes);
    int word = s ? s->value[0] : k->lanes ? ASK_outside : ASK_inside;
    bool any = !s;
    for (int t = 0; t < k->nstage; t++)
        any = any || may_be_inside(k, &k->stage[t]);
    if (word == ASK_outside && k->rank <= nfixed)
        m->problem = refused(c, s, "lanes outside: there is no outer loop");
    if (word == ASK_inside && !any)
        m->problem = refused(c, s,
                             "lanes inside: there is no inner loop, or "
                             "lanes would add to one element");
    return m->lanes == 1         ? LANES_none
           : word == ASK_outside ? LANES_outside
           : word == ASK_inside  ? LANES_inside
                                 : LANES_none;
}

static void place_lanes(MapSchedule *m, Where where, bool *varies)
{
    const Kernel *k = m->kernel;
    m->outside = where == LANES_outside;
    for (int t = 0; t < k->nstage; t++) {
        const Stage *s = &k->stage[t];
        StageSchedule *st = &m->stage[t];
        st->inside = where == LANES_inside && may_be_inside(k, s);
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

/* What is asked for is checked: a schedule that has no problem is one of the
 * kernel's, whatever it is. */

enum { MOST_LANES = 64 };

/* A number from `least` to `most`; *v stays where it is none. */
static void ask(const Chooser *c, MapSchedule *m, SettingKind kind, int least,
                int most, int *v)
{
    const Setting *s = asked_for(c, m->kernel, kind);
    if (!s)
        return;
    int n = s->value[0];
    if (n >= least && n <= most)
        *v = n;
    else
        m->problem = refused(
            c, s, arena_printf(c->arena, "%d is not %d to %d", n, least, most));
}

static void ask_vector(const Chooser *c, MapSchedule *m)
{
    const Setting *s = asked_for(c, m->kernel, SET_vector);
    if (!s)
        return;
    ask(c, m, SET_vector, 2, MOST_LANES, &m->lanes);
    if (!m->problem && (m->lanes & (m->lanes - 1)) && m->lanes != 3)
        m->problem = refused(c, s, "vectors have 3 lanes or a power of two");
}

static void ask_tail(const Chooser *c, MapSchedule *m)
{
    const Setting *s = asked_for(c, m->kernel, SET_tail);
    if (s)
        m->tail = s->value[0] == ASK_scalar   ? TAIL_scalar
                  : s->value[0] == ASK_masked ? TAIL_masked
                                              : TAIL_always;
}

/* A kernel is made once, with the form that is asked for if there is a choice:
 * see form.h. */
static void check_choice(const Chooser *c, MapSchedule *m, SettingKind kind,
                         Choice is, const char *none)
{
    const Setting *s = asked_for(c, m->kernel, kind);
    Choice asked = s && s->value[0] == ASK_always ? CHOICE_yes : CHOICE_no;
    if (s && is != asked)
        m->problem = refused(c, s, none);
}

static void check_form(const Chooser *c, MapSchedule *m)
{
    const NestForm *f = &m->kernel->form;
    check_choice(c, m, SET_unroll, f->unroll,
                 "there is no choice of short loops to unroll");
    check_choice(c, m, SET_join, f->join,
                 "there is no choice of loops to count as one");
}

/* Vectors of three are for loops of three; no accumulator has more lanes than
 * slots. */
static void check_lanes(const Chooser *c, MapSchedule *m)
{
    const Setting *s = asked_for(c, m->kernel, SET_vector);
    const Kernel *k = m->kernel;
    if (!s || m->problem)
        return;
    if (m->lanes == 3 && !(m->outside && dim_is(k->extent[k->rank - 1], 3)))
        m->problem =
            refused(c, s, "3 lanes: the outer loop has not 3 iterations");
    for (int t = 0; t < k->nstage; t++)
        if (m->stage[t].inside && m->stage[t].lanes > m->stage[t].slots)
            m->problem = refused(c, s,
                                 arena_printf(c->arena, "sums have %d slots",
                                              m->stage[t].slots));
}

static void choose_outside(const Chooser *c, MapSchedule *m, bool three)
{
    if (!asked_for(c, m->kernel, SET_vector))
        choose_vectors(m, c->has, three);
    ask(c, m, SET_together, 1, MOST_LANES / m->lanes, &m->together);
}

static void choose_less(const Chooser *c, MapSchedule *m, MapUse use)
{
    const Kernel *few = m->kernel->few;
    const Setting *s = asked_for(c, m->kernel, SET_less);
    if (few && m->outside && !c->has->small)
        m->less_rows = m->lanes < FEW_ROWS ? m->lanes : FEW_ROWS;
    ask(c, m, SET_less, 0, FEW_ROWS, &m->less_rows);
    if (s && !few)
        m->problem = refused(c, s, "there is no other nest for few rows");
    if (m->less_rows && few)
        m->less = map_schedule(c, few, use);
    if (m->less && m->less->problem)
        m->problem = m->less->problem;
}

const MapSchedule *map_schedule(const Chooser *c, const Kernel *k, MapUse use)
{
    MapSchedule *m = NEW(c->arena, MapSchedule);
    *m = (MapSchedule){.kernel = k, .bytes = lane_bytes(k), .together = 1};
    m->level = NEWN(c->arena, int, k->ninstr + 1);
    m->stage = NEWN(c->arena, StageSchedule, k->nstage + 1);
    m->lanes = hardware_lanes(c->has, m->bytes);
    check_form(c, m);
    ask_vector(c, m);
    choose_levels(m, use.nfixed);
    place_lanes(m, choose_where(c, m, use.nfixed),
                NEWN(c->arena, bool, k->ninstr + 1));
    bool strided = has_strided(m);
    m->tail = choose_tail(m, c->has, strided);
    ask_tail(c, m);
    m->few = choose_few(m, c->has, strided);
    ask(c, m, SET_few, 0, m->tail == TAIL_scalar ? 0 : MOST_LANES, &m->few);
    if (m->outside && !m->problem)
        choose_outside(c, m, use.step);
    for (int t = 0; t < k->nstage; t++)
        choose_stage(m, t);
    check_lanes(c, m);
    choose_less(c, m, use);
    return m;
}
