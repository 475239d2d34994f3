/* contract.c: products of matrices: from labels to loops and places. */
#include "kernel/sched.h"

/* What an axis label is for. Sole ones, in one factor alone and not in the
 * result, are summed by prepare.c. */
typedef enum Role { ROLE_batch, ROLE_m, ROLE_n, ROLE_k, ROLE_sole } Role;

/* The first factor, the second, the result. */
enum { OF_a, OF_b, OF_out, NOF };

typedef struct Label {
    int axis[NOF]; /* or -1 */
    Role role;
    const Dim *size;
} Label;

enum { MAX_LABELS = 3 * MAX_RANK };

/* A loop for each label, and where all three are in it. */
typedef struct Labels {
    int n, name[MAX_LABELS];
    Label at[MAX_LABELS];
    const Index *place[NOF];
} Labels;

static Role role_of(const Label *l)
{
    if (l->axis[OF_a] >= 0 && l->axis[OF_b] >= 0)
        return l->axis[OF_out] >= 0 ? ROLE_batch : ROLE_k;
    if (l->axis[OF_out] < 0)
        return ROLE_sole;
    return l->axis[OF_a] >= 0 ? ROLE_m : ROLE_n;
}

static Label *label_slot(Labels *l, int name)
{
    for (int i = 0; i < l->n; i++)
        if (l->name[i] == name)
            return &l->at[i];
    l->name[l->n] = name;
    l->at[l->n] = (Label){.axis = {-1, -1, -1}};
    return &l->at[l->n++];
}

/* names: of its axes; NULL: their numbers. */
static void add_axes(Labels *l, int which, const Node *n, const int *names)
{
    for (int i = 0; i < n->rank; i++) {
        Label *x = label_slot(l, names ? names[i] : i);
        x->axis[which] = i;
        x->size = n->dim[i];
    }
}

static void labels_of(const Node *n, Labels *l)
{
    const Node *a = n->arg[0];
    l->n = 0;
    add_axes(l, OF_out, n, NULL);
    add_axes(l, OF_a, a, n->attr.ints);
    add_axes(l, OF_b, n->arg[1], n->attr.ints + a->rank);
    for (int i = 0; i < l->n; i++)
        l->at[i].role = role_of(&l->at[i]);
}

static bool is_tiny(const Labels *l)
{
    enum { TINY = 512 };
    int64_t work = 1, size;
    for (int i = 0; i < l->n; i++) {
        if (!dim_const_value(l->at[i].size, &size) || size > TINY)
            return false;
        work *= size;
        if (work > TINY)
            return false;
    }
    return true;
}

bool is_product(const Node *n)
{
    Labels l;
    int of[ROLE_sole + 1] = {0};
    if (n->op != OP_contract)
        return false;
    labels_of(n, &l);
    for (int i = 0; i < l.n; i++)
        of[l.at[i].role]++;
    return of[ROLE_m] && of[ROLE_n] && of[ROLE_k] && !of[ROLE_sole] &&
           !is_tiny(&l);
}

/* Places. */

/* The loop of an axis. */
static const Index *loop_of(Sched *s, const Labels *l, int which, int axis)
{
    int i = 0;
    while (l->at[i].axis[which] != axis)
        i++;
    return index_var(s->table, i);
}

/* Of a factor: in what is below its views, if there are any. */
static const Index *place_below(Sched *s, const Labels *l, int which, Node *n,
                                Node **bottom)
{
    const Index *var[MAX_RANK];
    for (int i = 0; i < n->rank; i++)
        var[i] = dim_is(n->dim[i], 1) ? index_int(s->table, 0)
                                      : loop_of(s, l, which, i);
    const Vec *v = vec_make(s->table, n->rank, var);
    for (Node *at = n;; at = at->arg[0]) {
        Node *deep = at;
        while (deep->op == OP_reshape && !note_of(s, deep)->fixed)
            deep = deep->arg[0];
        if (!is_view(deep) || note_of(s, deep)->fixed) {
            *bottom = deep;
            return vec_linear(s->table, v, at->dim);
        }
        v = view_arg(s->table, s->g, at, v);
    }
}

static bool has_variables_only(const Index *x)
{
    for (int i = 0; i < x->n; i++)
        if (x->atom[i].kind != IX_var)
            return false;
    return true;
}

/* In an array of its own whose axes are in this order. */
static const Index *place_laid(Sched *s, const Labels *l, int which, int n,
                               const int *order, const Dim *const *size)
{
    const Index *at[MAX_RANK];
    const Dim *dim[MAX_RANK];
    for (int i = 0; i < n; i++) {
        at[i] = loop_of(s, l, which, order[i]);
        dim[i] = size[order[i]];
    }
    return vec_linear(s->table, vec_make(s->table, n, at), dim);
}

static void find_places(Sched *s, const Node *n, Product *p, Labels *l)
{
    const Dim *extent[MAX_LABELS];
    int order[MAX_RANK];
    for (int i = 0; i < l->n; i++)
        extent[i] = l->at[i].size;
    for (int i = 0; i < n->rank; i++)
        order[i] = i;
    index_extents(s->table, l->n, extent);
    for (int i = 0; i < 2; i++) {
        l->place[i] = place_below(s, l, i, n->arg[i], &p->of[i]);
        p->plain[i] = has_variables_only(l->place[i]);
    }
    l->place[OF_out] = place_laid(s, l, OF_out, n->rank, order, n->dim);
}

/* How far it moves along label i. */
static const Dim *step_of(Graph *g, const Labels *l, int which, int i)
{
    const Dim *step = index_coef(l->place[which], i);
    return step ? step : dim_const(g, 0);
}

/* One loop made of several labels: it counts through all of them. */
typedef struct Group {
    const Dim *size;
    int n, label[MAX_LABELS]; /* innermost first */
} Group;

/* Rows of windows need to be one loop in the result alone. */
static bool extends(Graph *g, const Labels *l, const Group *p, int i,
                    bool windows)
{
    bool apart = windows && l->at[i].role == ROLE_m;
    for (int of = apart ? OF_out : OF_a; of < NOF; of++) {
        const Dim *step = step_of(g, l, of, p->label[0]);
        if (step_of(g, l, of, i) != dim_mul(g, step, p->size))
            return false;
    }
    return true;
}

static bool has_label(const Group *p, int i)
{
    for (int k = 0; k < p->n; k++)
        if (p->label[k] == i)
            return true;
    return false;
}

/* The loop with label `inner` innermost and as many others of its role as its
 * places permit. */
static Group group_from(Graph *g, const Labels *l, int inner, bool windows)
{
    Group p = {.size = l->at[inner].size};
    p.label[p.n++] = inner;
    for (bool grown = true; grown;) {
        grown = false;
        for (int i = 0; i < l->n && !grown; i++) {
            const Label *x = &l->at[i];
            if (has_label(&p, i) || x->role != l->at[inner].role ||
                dim_is(x->size, 1) || !extends(g, l, &p, i, windows))
                continue;
            p.size = dim_mul(g, p.size, x->size);
            p.label[p.n++] = i;
            grown = true;
        }
    }
    return p;
}

static bool is_contiguous(const Labels *l, int which, const Group *p)
{
    return index_steps(l->place[which], p->label[0]);
}

/* Of one role: m and k have no loop that is contiguous in the result. */
static bool better(const Labels *l, const Group *p, const Group *q)
{
    if (!q->n)
        return true;
    if (dim_is(q->size, 1) != dim_is(p->size, 1))
        return dim_is(q->size, 1);
    if (is_contiguous(l, OF_out, p) != is_contiguous(l, OF_out, q))
        return is_contiguous(l, OF_out, p);
    return p->n > q->n;
}

/* The largest loop of a role; of n, one that is contiguous in the result. */
static Group best_group(Graph *g, const Labels *l, Role role, bool windows)
{
    Group best = {.n = 0};
    for (int i = 0; i < l->n; i++) {
        if (l->at[i].role != role)
            continue;
        Group p = group_from(g, l, i, windows);
        if (better(l, &p, &best))
            best = p;
    }
    return best;
}

/* All loops of k as one, in the order of a's axes. */
static Group whole_depth(Graph *g, const Labels *l)
{
    Group p = {.size = dim_const(g, 1)};
    for (int axis = MAX_RANK - 1; axis >= 0; axis--)
        for (int i = 0; i < l->n; i++) {
            const Label *x = &l->at[i];
            if (x->role != ROLE_k || x->axis[OF_a] != axis ||
                dim_is(x->size, 1))
                continue;
            p.size = dim_mul(g, p.size, x->size);
            p.label[p.n++] = i;
        }
    for (int i = 0; i < l->n && !p.n; i++)
        if (l->at[i].role == ROLE_k)
            p.label[p.n++] = i;
    return p;
}

static int count_role(const Labels *l, Role role)
{
    int n = 0;
    for (int i = 0; i < l->n; i++)
        n += l->at[i].role == role && !dim_is(l->at[i].size, 1);
    return n;
}

static void swap_factors(Labels *l)
{
    const Index *place = l->place[OF_a];
    l->place[OF_a] = l->place[OF_b];
    l->place[OF_b] = place;
    for (int i = 0; i < l->n; i++) {
        Label *x = &l->at[i];
        int axis = x->axis[OF_a];
        x->axis[OF_a] = x->axis[OF_b];
        x->axis[OF_b] = axis;
        x->role = role_of(x);
    }
}

/* Are the result's axes the batch loops, then m, then n. */
static void find_rows(Product *p, const Labels *l, const Group *m,
                      const Group *n)
{
    int seen = 0, last = 0, left = m->n;
    p->rows = -1;
    p->join = m->n;
    if (dim_is(m->size, 1))
        return;
    for (int i = 0; i < l->n && l->at[i].axis[OF_out] >= 0; i++) {
        if (dim_is(l->at[i].size, 1))
            continue;
        int part = has_label(n, i) ? 2 : has_label(m, i);
        if (part < last || (part == 1 && m->label[--left] != i))
            return;
        last = part;
        seen += part < 2;
    }
    p->rows = seen;
}

/* The factor with the result's last axis is b; or a, where it is turned. */
static void orient(Product *p, Labels *l, bool turned)
{
    int last = -1;
    for (int i = 0; i < l->n && l->at[i].axis[OF_out] >= 0; i++)
        if (!dim_is(l->at[i].size, 1))
            last = i;
    p->first = 0;
    if (last >= 0 && l->at[last].role == (turned ? ROLE_n : ROLE_m)) {
        swap_factors(l);
        p->first = 1;
    }
    p->ends_well = last < 0 || l->at[last].role == ROLE_n;
}

/* Appends the axes of a factor whose labels have this role. */
static int lay(const Labels *l, int which, Role role, int *to, int n)
{
    for (int i = 0; i < l->n; i++)
        if (l->at[i].role == role)
            to[n++] = l->at[i].axis[which];
    return n;
}

/* Copies: a[batch, m, k], b[batch, k, n]. */
static void lay_copies(Sched *s, const Node *n, Product *p, Labels *l)
{
    for (int of = OF_a; of <= OF_b; of++) {
        int arg = of == OF_b ? 1 - p->first : p->first;
        int *to = p->layout[arg];
        if (!note_of(s, n)->copies[arg])
            continue;
        int k = lay(l, of, ROLE_batch, to, 0);
        k = lay(l, of, of == OF_b ? ROLE_k : ROLE_m, to, k);
        k = lay(l, of, of == OF_b ? ROLE_n : ROLE_k, to, k);
        l->place[of] = place_laid(s, l, of, k, to, n->arg[arg]->dim);
    }
}

/* The result with an axis of b last. */
static void lay_result(Sched *s, const Node *n, Product *p, Labels *l)
{
    int last = 0, k = 0;
    for (int i = 0; i < n->rank; i++)
        if (l->at[i].role == ROLE_n &&
            (l->at[last].role != ROLE_n || !dim_is(l->at[i].size, 1)))
            last = i;
    for (int i = 0; i < n->rank; i++)
        if (i != last)
            p->out_layout[k++] = i;
    p->out_layout[k] = last;
    l->place[OF_out] = place_laid(s, l, OF_out, n->rank, p->out_layout, n->dim);
}

/* Loops. */

/* What labels become. */
typedef struct Looping {
    Sched *s;
    Labels *l;
    Product *p;
    int n; /* loops so far */
    const Index *to[MAX_LABELS];
} Looping;

static void put_loop(Looping *w, const Dim *size, int label)
{
    w->p->extent[w->n] = size;
    w->to[label] = index_var(w->s->table, w->n++);
}

/* As one loop, or each by itself. */
static int put_group(Looping *w, const Group *p, bool apart)
{
    if (!apart)
        put_loop(w, p->size, p->label[0]);
    for (int i = p->n - 1; apart && i >= 0; i--)
        put_loop(w, w->l->at[p->label[i]].size, p->label[i]);
    return apart ? p->n : 1;
}

/* What is in no group, in the order of the result. */
static int put_batches(Looping *w, const Group *group)
{
    for (int i = 0; i < w->l->n; i++) {
        const Label *x = &w->l->at[i];
        bool used = false;
        for (int k = 0; k < NOF; k++)
            used = used || has_label(&group[k], i);
        if (!used && x->axis[OF_out] >= 0 && !dim_is(x->size, 1))
            put_loop(w, x->size, i);
    }
    return w->n;
}

/* group: rows, columns, terms. */
static void put_loops(Sched *s, Labels *l, const Group *group, Product *p)
{
    Looping w = {.s = s, .l = l, .p = p};
    Contract *c = &p->c;
    for (int i = 0; i < l->n; i++)
        w.to[i] = index_int(s->table, 0);
    c->nbatch = put_batches(&w, group);
    c->nrows = put_group(&w, &group[0], c->windows);
    put_group(&w, &group[1], false);
    c->ndepth = put_group(&w, &group[2], c->windows);
    c->m = group[0].size;
    c->n = group[1].size;
    c->k = group[2].size;
    for (int i = 0; i < NOF; i++)
        p->at[i] = index_rename(s->table, l->place[i], l->n, w.to);
}

Product product_of(Sched *s, const Node *n)
{
    Labels l;
    Product p = {.rows = -1};
    const Note *note = note_of(s, n);
    bool windows = note->windows;
    labels_of(n, &l);
    find_places(s, n, &p, &l);
    orient(&p, &l, note->turned);
    lay_copies(s, n, &p, &l);
    if (note->transposed)
        lay_result(s, n, &p, &l);
    Group group[] = {best_group(s->g, &l, ROLE_m, windows),
                     best_group(s->g, &l, ROLE_n, windows),
                     windows ? whole_depth(s->g, &l)
                             : best_group(s->g, &l, ROLE_k, false)};
    p.fits = group[2].n >= count_role(&l, ROLE_k);
    p.even = is_contiguous(&l, OF_b, &group[1]);
    p.c.windows = windows;
    put_loops(s, &l, group, &p);
    if (!note->transposed)
        find_rows(&p, &l, &group[0], &group[1]);
    return p;
}

/* Is d at least `least`, as far as one knows. */
static bool may_reach(const Dim *d, int64_t least)
{
    int64_t size;
    return !dim_const_value(d, &size) || size >= least;
}

/* How far b moves from any term to the next; NULL: nowhere, or not as far. */
static const Dim *depth_step(Graph *g, const Kernel *k)
{
    const Contract *c = k->contract;
    for (int v = k->rank; v < loop_k(c); v++)
        if (!index_joins(g, c->b->at, v, loop_extent(k, k->stage, v + 1)))
            return NULL;
    return index_coef(c->b->at, loop_k(c));
}

/* Packing pays where b's rows are not contiguous; or where they are far apart
 * and read several times: rows that are near each other share pages. */
static bool wants_pack(Graph *g, const Kernel *k)
{
    const Contract *c = k->contract;
    const Dim *step = depth_step(g, k);
    if (dim_is(c->m, 1) || !step)
        return false;
    return !index_steps(c->b->at, loop_n(c)) ||
           (may_reach(step, PACK_STRIDE) && may_reach(c->k, PACK_DEPTH) &&
            may_reach(c->m, PACK_FROM));
}

/* The same of a, where columns of it are contiguous. */
static bool wants_pack_a(const Contract *c)
{
    const Dim *a_k = index_coef(c->a->at, loop_k(c));
    return !c->windows && index_steps(c->a->at, loop_m(c)) &&
           may_reach(c->m, 2) && a_k && may_reach(a_k, PACK_STRIDE) &&
           may_reach(c->k, PACK_A_DEPTH) && may_reach(c->n, PACK_FROM);
}

static const Dim *at_most(Sched *s, const Dim *d, int64_t most)
{
    return dim_min(s->g, d, dim_const(s->g, most));
}

/* As many rows of a block as k has, each of `units` times `unit` elements. */
static Buffer *pack_buffer(Sched *s, const Node *n, const Contract *c,
                           const Dim *units, int unit)
{
    Buffer *b = buffer_new(s, BUF_WORK, n);
    b->elements = dim_mul(s->g, at_most(s, c->k, K_BLOCK),
                          dim_mul(s->g, units, dim_const(s->g, unit)));
    return b;
}

static void add_packing(Sched *s, const Node *n, Kernel *k, int rooms)
{
    Contract *c = k->contract;
    int more = PACK_UNIT * rooms - 1;
    const Dim *up = dim_add(s->g, c->n, dim_const(s->g, more));
    const Dim *width = dim_div(s->g, up, dim_const(s->g, PACK_UNIT));
    if (wants_pack_a(c))
        c->pack_a = pack_buffer(s, n, c, dim_const(s->g, rooms), LONG_ROWS);
    width = at_most(s, width, PACK_COLUMNS / PACK_UNIT);
    if (wants_pack(s->g, k))
        c->pack = pack_buffer(s, n, c, width, PACK_UNIT);
}

/* See kernel.h. */
static Buffer *totals_buffer(Sched *s, const Node *n, const Contract *c,
                             int rooms)
{
    int64_t k, m;
    if (function_bound(s->f, c->k, &k) && k <= LONG_K)
        return NULL;
    bool few = dim_const_value(c->m, &m) && m < LONG_ROWS;
    Buffer *b = buffer_new(s, BUF_WORK, n);
    int64_t rows = rooms * (few ? m : LONG_ROWS);
    b->elements = dim_mul(s->g, dim_const(s->g, 2 * rows), c->n);
    return b;
}

static void add_rooms(Sched *s, const Node *n, Kernel *k)
{
    Contract *c = k->contract;
    int rooms = product_rooms(s, k);
    add_packing(s, n, k, rooms);
    c->totals = totals_buffer(s, n, c, rooms);
    if (c->pack_a || c->pack || c->totals)
        c->rooms = rooms;
}

/* How deep the places are made. */
static int level_of(const Index *x)
{
    int level = 0;
    for (int i = 0; i < x->n; i++)
        level = x->atom[i].var >= level ? x->atom[i].var + 1 : level;
    return level;
}

/* The nest: b's loops, from `from` on. */
static void begin_stage(Sched *s, Stage *st, const Product *p, int from,
                        int rank)
{
    size_t bytes = sizeof *p->extent * (size_t)(rank + 1);
    st->rank = rank;
    st->extent = arena_copy(s->arena, p->extent + from, bytes);
    st->output = NEW(s->arena, Output);
    st->noutput = 1;
}

/* result = the sum of factor 0 · factor 1. */
static void make_nest(Sched *s, Kernel *k, const Product *p,
                      const Buffer *const *factor, const Buffer *result)
{
    enum { A, B, PRODUCT, SUM, N };
    DType t = result->dtype;
    Instr *in = k->instr = NEWN(s->arena, Instr, N);
    k->rank = loop_n(&p->c) + 1;
    k->extent = arena_copy(s->arena, p->extent,
                           sizeof *p->extent * (size_t)(k->rank + 1));
    k->ninstr = N;
    k->stage = NEWN(s->arena, Stage, 2);
    k->nstage = 2;
    for (int i = A; i <= B; i++)
        in[i] = (Instr){.kind = I_load,
                        .dtype = t,
                        .buffer = factor[i],
                        .at = p->at[i],
                        .pred = -1,
                        .level = level_of(p->at[i])};
    in[PRODUCT] = (Instr){.kind = I_op,
                          .dtype = t,
                          .op = OP_mul,
                          .arg = {A, B},
                          .narg = 2,
                          .alone = true,
                          .pred = -1};
    in[PRODUCT].level = in[A].level > in[B].level ? in[A].level : in[B].level;
    in[SUM] =
        (Instr){.kind = I_result, .dtype = t, .pred = -1, .level = k->rank};
    begin_stage(s, &k->stage[0], p, k->rank, p->c.ndepth);
    begin_stage(s, &k->stage[1], p, k->rank, 0);
    k->stage[0].ninstr = SUM;
    k->stage[1].first = SUM;
    k->stage[1].ninstr = 1;
    k->stage[1].reduction = 1;
    *k->stage[0].output = (Output){.kind = OUT_reduce,
                                   .value = PRODUCT,
                                   .pred = -1,
                                   .index = -1,
                                   .op = OP_sum};
    *k->stage[1].output = (Output){.kind = OUT_store,
                                   .value = SUM,
                                   .buffer = result,
                                   .at = p->at[OF_out],
                                   .pred = -1,
                                   .index = -1};
    k->contract = arena_copy(s->arena, &p->c, sizeof p->c);
    k->contract->a = &in[A];
    k->contract->b = &in[B];
    k->contract->out = k->stage[1].output;
}

Kernel *product_kernel(Sched *s, const Piece *p)
{
    const Node *n = p->root;
    const Note *note = note_of(s, n);
    Product q = product_of(s, n);
    const Buffer *factor[2];
    if (!q.fits || !q.plain[0] || !q.plain[1] ||
        (!q.ends_well && !note->transposed))
        die("a product was not prepared");
    for (int i = 0; i < 2; i++) {
        bool copied = note->copies[i];
        factor[i == q.first ? OF_a : OF_b] =
            copied ? note->copy[i] : buffer_of(s, q.of[i]);
    }
    Kernel *k = NEW(s->arena, Kernel);
    k->kind = KERNEL_contract;
    k->span = n->span;
    make_nest(s, k, &q, factor,
              note->transposed ? note->other : buffer_of(s, n));
    choose_lanes(k, 0);
    add_rooms(s, n, k);
    guard_of_kernel(s, p->guard, k);
    return k;
}
