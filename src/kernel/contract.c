/* contract.c: products of matrices: from labels to loops and strides. */
#include "kernel/sched.h"

/* What an axis label is for. Sole ones, in one factor alone and not in the
 * result, are summed by prepare.c. */
typedef enum Role { ROLE_batch, ROLE_m, ROLE_n, ROLE_k, ROLE_sole } Role;

typedef struct Label {
    int a, b, out; /* axis, or -1 */
    Role role;
    const Dim *size;
    const Dim *sa, *sb, *so; /* strides, 0 where the axis is absent */
    bool used;
} Label;

enum { MAX_LABELS = 3 * MAX_RANK };

static Role role_of(const Label *l)
{
    if (l->a >= 0 && l->b >= 0)
        return l->out >= 0 ? ROLE_batch : ROLE_k;
    if (l->out < 0)
        return ROLE_sole;
    return l->a >= 0 ? ROLE_m : ROLE_n;
}

static Label *label_slot(Label *label, int *name, int *count, int which)
{
    for (int i = 0; i < *count; i++)
        if (name[i] == which)
            return &label[i];
    name[*count] = which;
    label[*count] = (Label){.a = -1, .b = -1, .out = -1};
    return &label[(*count)++];
}

static int labels_of(const Node *n, Label *label)
{
    int name[MAX_LABELS], count = 0;
    const Node *a = n->arg[0], *b = n->arg[1];
    for (int i = 0; i < n->rank; i++) {
        Label *l = label_slot(label, name, &count, i);
        l->out = i;
        l->size = n->dim[i];
    }
    for (int i = 0; i < a->rank; i++) {
        Label *l = label_slot(label, name, &count, n->attr.ints[i]);
        l->a = i;
        l->size = a->dim[i];
    }
    for (int i = 0; i < b->rank; i++) {
        Label *l = label_slot(label, name, &count, n->attr.ints[a->rank + i]);
        l->b = i;
        l->size = b->dim[i];
    }
    for (int i = 0; i < count; i++)
        label[i].role = role_of(&label[i]);
    return count;
}

static bool is_tiny(const Label *label, int count)
{
    enum { TINY = 512 };
    int64_t work = 1, size;
    for (int i = 0; i < count; i++) {
        if (!dim_const_value(label[i].size, &size) || size > TINY)
            return false;
        work *= size;
        if (work > TINY)
            return false;
    }
    return true;
}

bool is_product(const Node *n)
{
    Label label[MAX_LABELS];
    int of[ROLE_sole + 1] = {0};
    if (n->op != OP_contract)
        return false;
    int count = labels_of(n, label);
    for (int i = 0; i < count; i++)
        of[label[i].role]++;
    return of[ROLE_m] && of[ROLE_n] && of[ROLE_k] && !of[ROLE_sole] &&
           !is_tiny(label, count);
}

/* Strides of a factor: of what is below its views, if there are any. */
static bool strides_of(Sched *s, Node *n, Node **bottom, const Dim **base,
                       const Dim **stride)
{
    const Index *var[MAX_RANK], *x = NULL;
    index_extents(s->table, n->rank, n->dim);
    for (int i = 0; i < n->rank; i++)
        var[i] = dim_is(n->dim[i], 1) ? index_int(s->table, 0)
                                      : index_var(s->table, i);
    const Vec *v = vec_make(s->table, n->rank, var);
    Node *at = n;
    for (; !x; at = at->arg[0]) {
        Node *deep = at;
        while (deep->op == OP_reshape && !note_of(s, deep)->fixed)
            deep = deep->arg[0];
        if (!is_view(deep) || note_of(s, deep)->fixed) {
            x = vec_linear(s->table, v, at->dim);
            *bottom = deep;
            break;
        }
        v = view_arg(s->table, s->g, at, v);
    }
    *base = x->base;
    for (int i = 0; i < n->rank; i++)
        stride[i] = dim_const(s->g, 0);
    for (int i = 0; i < x->n; i++) {
        if (x->atom[i].kind != IX_var)
            return false;
        stride[x->atom[i].var] = x->coef[i];
    }
    return true;
}

static void out_strides(Graph *g, const Node *n, const Dim **stride)
{
    const Dim *d = dim_const(g, 1);
    for (int i = n->rank - 1; i >= 0; i--) {
        stride[i] = d;
        d = dim_mul(g, d, n->dim[i]);
    }
}

/* One loop made of several labels: it counts through all of them. */
typedef struct Group {
    const Dim *size, *sa, *sb, *so;
    int n, label[MAX_LABELS]; /* innermost first */
} Group;

/* Rows of windows need no more than the result's stride. */
static bool extends(Graph *g, const Group *p, const Label *l, bool windows)
{
    if (l->so != dim_mul(g, p->so, p->size))
        return false;
    return (windows && l->role == ROLE_m) ||
           (l->sa == dim_mul(g, p->sa, p->size) &&
            l->sb == dim_mul(g, p->sb, p->size));
}

/* The loop with label `inner` innermost and as many others of its role as its
 * strides permit. */
static Group group_from(Graph *g, const Label *label, int count, int inner,
                        bool windows)
{
    const Label *l = &label[inner];
    Group p = {.size = l->size, .sa = l->sa, .sb = l->sb, .so = l->so};
    p.label[p.n++] = inner;
    for (bool grown = true; grown;) {
        grown = false;
        for (int i = 0; i < count && !grown; i++) {
            bool in = false;
            for (int k = 0; k < p.n; k++)
                in = in || p.label[k] == i;
            if (in || label[i].role != l->role || dim_is(label[i].size, 1) ||
                !extends(g, &p, &label[i], windows))
                continue;
            p.size = dim_mul(g, p.size, label[i].size);
            p.label[p.n++] = i;
            grown = true;
        }
    }
    return p;
}

/* Of one role: m and k have no loop that is contiguous in the result. */
static bool better(const Group *p, const Group *q)
{
    if (!q->n)
        return true;
    if (dim_is(q->size, 1) != dim_is(p->size, 1))
        return dim_is(q->size, 1);
    if (dim_is(p->so, 1) != dim_is(q->so, 1))
        return dim_is(p->so, 1);
    return p->n > q->n;
}

/* The largest loop of a role; of n, one that is contiguous in the result. */
static Group best_group(Graph *g, const Label *label, int count, Role role,
                        bool windows)
{
    Group best = {.n = 0};
    for (int i = 0; i < count; i++) {
        if (label[i].role != role)
            continue;
        Group p = group_from(g, label, count, i, windows);
        if (better(&p, &best))
            best = p;
    }
    return best;
}

/* All loops of k as one, in the order of a's axes. */
static Group whole_depth(Graph *g, const Label *label, int count)
{
    Group p = {.size = dim_const(g, 1), .sa = p.size, .sb = p.size};
    for (int axis = MAX_RANK - 1; axis >= 0; axis--)
        for (int i = 0; i < count; i++) {
            const Label *l = &label[i];
            if (l->role != ROLE_k || l->a != axis || dim_is(l->size, 1))
                continue;
            if (!p.n) {
                p.sa = l->sa;
                p.sb = l->sb;
            } else if (p.sb && l->sb != dim_mul(g, p.sb, p.size))
                p.sb = NULL;
            p.size = dim_mul(g, p.size, l->size);
            p.label[p.n++] = i;
        }
    for (int i = 0; i < count && !p.n; i++)
        if (label[i].role == ROLE_k)
            p.label[p.n++] = i;
    return p;
}

static Digits digits_of(const Label *label, const Group *p)
{
    Digits d = {.n = p->n};
    for (int i = 0; i < p->n; i++) {
        const Label *l = &label[p->label[p->n - 1 - i]];
        d.size[i] = l->size;
        d.a[i] = l->sa;
        d.b[i] = l->sb;
    }
    return d;
}

static int count_role(const Label *label, int count, Role role)
{
    int n = 0;
    for (int i = 0; i < count; i++)
        n += label[i].role == role && !dim_is(label[i].size, 1);
    return n;
}

static void swap_factors(Label *label, int count)
{
    for (int i = 0; i < count; i++) {
        Label *l = &label[i];
        const Dim *stride = l->sa;
        int axis = l->a;
        l->sa = l->sb;
        l->sb = stride;
        l->a = l->b;
        l->b = axis;
        l->role = role_of(l);
    }
}

static void mark_used(Label *label, const Group *p)
{
    for (int k = 0; k < p->n; k++)
        label[p->label[k]].used = true;
}

/* What is in no group becomes a batch loop, in the order of the result. */
static void batch_loops(Contract *c, const Label *label, int count)
{
    for (int i = 0; i < count; i++) {
        const Label *l = &label[i];
        if (l->used || l->out < 0 || dim_is(l->size, 1))
            continue;
        c->batch[c->nbatch] = l->size;
        c->a_batch[c->nbatch] = l->sa;
        c->b_batch[c->nbatch] = l->sb;
        c->out_batch[c->nbatch++] = l->so;
    }
}

/* Are the result's axes the batch loops, then m, then n. */
static void find_rows(Product *p, const Label *label, int count, const Group *m,
                      const Group *n)
{
    int seen = 0, last = 0, left = m->n;
    p->rows = -1;
    p->join = m->n;
    if (dim_is(m->size, 1))
        return;
    for (int i = 0; i < count && label[i].out >= 0; i++) {
        if (dim_is(label[i].size, 1))
            continue;
        int part = 0;
        for (int k = 0; k < m->n; k++)
            part = m->label[k] == i ? 1 : part;
        for (int k = 0; k < n->n; k++)
            part = n->label[k] == i ? 2 : part;
        if (part < last || (part == 1 && m->label[--left] != i))
            return;
        last = part;
        seen += part < 2;
    }
    p->rows = seen;
}

/* The factor with the result's last axis is b; or a, where it is turned. */
static void orient(Product *p, Label *label, int count, bool turned)
{
    int last = -1;
    for (int i = 0; i < count && label[i].out >= 0; i++)
        if (!dim_is(label[i].size, 1))
            last = i;
    p->first = 0;
    if (last >= 0 && label[last].role == (turned ? ROLE_n : ROLE_m)) {
        swap_factors(label, count);
        p->first = 1;
        const Dim *base = p->c.a_base;
        p->c.a_base = p->c.b_base;
        p->c.b_base = base;
    }
    p->ends_well = last < 0 || label[last].role == ROLE_n;
}

/* Contiguous strides where axis order[n-1] is last. */
static void set_strides(Graph *g, int n, const int *order,
                        const Dim *const *size, const Dim **stride)
{
    const Dim *d = dim_const(g, 1);
    for (int i = n - 1; i >= 0; i--) {
        stride[order[i]] = d;
        d = dim_mul(g, d, size[order[i]]);
    }
}

/* Appends the axes of factor `which` (0: a) whose labels have this role. */
static int lay(const Label *label, int count, int which, Role role, int *to,
               int n)
{
    for (int i = 0; i < count; i++)
        if (label[i].role == role)
            to[n++] = which ? label[i].b : label[i].a;
    return n;
}

/* Copies: a[batch, m, k], b[batch, k, n]. */
static void lay_copies(Sched *s, const Node *n, Product *p, Label *label,
                       int count)
{
    for (int which = 0; which < 2; which++) {
        const Dim *stride[MAX_RANK];
        int arg = which ? 1 - p->first : p->first;
        int *to = p->layout[arg];
        if (!note_of(s, n)->copies[arg])
            continue;
        *(which ? &p->c.b_base : &p->c.a_base) = dim_const(s->g, 0);
        int k = lay(label, count, which, ROLE_batch, to, 0);
        k = lay(label, count, which, which ? ROLE_k : ROLE_m, to, k);
        k = lay(label, count, which, which ? ROLE_n : ROLE_k, to, k);
        set_strides(s->g, k, to, n->arg[arg]->dim, stride);
        for (int i = 0; i < count; i++) {
            Label *l = &label[i];
            if (which && l->b >= 0)
                l->sb = stride[l->b];
            if (!which && l->a >= 0)
                l->sa = stride[l->a];
        }
    }
}

/* The result with an axis of b last. */
static void lay_result(Sched *s, const Node *n, Product *p, Label *label)
{
    const Dim *stride[MAX_RANK];
    int last = 0, k = 0;
    for (int i = 0; i < n->rank; i++)
        if (label[i].role == ROLE_n &&
            (label[last].role != ROLE_n || !dim_is(label[i].size, 1)))
            last = i;
    for (int i = 0; i < n->rank; i++)
        if (i != last)
            p->out_layout[k++] = i;
    p->out_layout[k] = last;
    set_strides(s->g, n->rank, p->out_layout, n->dim, stride);
    for (int i = 0; i < n->rank; i++)
        label[i].so = stride[i];
}

static int label_strides(Sched *s, const Node *n, Product *p, Label *label)
{
    const Dim *sa[MAX_RANK], *sb[MAX_RANK], *so[MAX_RANK];
    int count = labels_of(n, label);
    const Dim *zero = dim_const(s->g, 0);
    p->plain[0] = strides_of(s, n->arg[0], &p->of[0], &p->c.a_base, sa);
    p->plain[1] = strides_of(s, n->arg[1], &p->of[1], &p->c.b_base, sb);
    out_strides(s->g, n, so);
    for (int i = 0; i < count; i++) {
        Label *l = &label[i];
        l->sa = l->a >= 0 ? sa[l->a] : zero;
        l->sb = l->b >= 0 ? sb[l->b] : zero;
        l->so = l->out >= 0 ? so[l->out] : zero;
    }
    return count;
}

Product product_of(Sched *s, const Node *n)
{
    Label label[MAX_LABELS];
    Product p = {.rows = -1};
    const Note *note = note_of(s, n);
    int count = label_strides(s, n, &p, label);
    orient(&p, label, count, note->turned);
    lay_copies(s, n, &p, label, count);
    if (note->transposed)
        lay_result(s, n, &p, label);
    bool windows = note->windows;
    Group gm = best_group(s->g, label, count, ROLE_m, windows);
    Group gn = best_group(s->g, label, count, ROLE_n, windows);
    Group gk = windows ? whole_depth(s->g, label, count)
                       : best_group(s->g, label, count, ROLE_k, false);
    p.fits = gk.n >= count_role(label, count, ROLE_k);
    p.even = dim_is(gn.sb, 1);
    mark_used(label, &gm);
    mark_used(label, &gn);
    mark_used(label, &gk);
    Contract *c = &p.c;
    c->m = gm.size;
    c->n = gn.size;
    c->k = gk.size;
    c->a_m = gm.sa;
    c->out_m = gm.so;
    c->b_n = gn.sb;
    c->a_k = gk.sa;
    c->b_k = gk.sb ? gk.sb : dim_const(s->g, 0);
    if (windows) {
        c->rows = digits_of(label, &gm);
        c->depth = digits_of(label, &gk);
    }
    c->out_base = dim_const(s->g, 0);
    batch_loops(c, label, count);
    if (!note->transposed)
        find_rows(&p, label, count, &gm, &gn);
    return p;
}

/* Is d at least `least`, as far as one knows. */
static bool may_reach(const Dim *d, int64_t least)
{
    int64_t size;
    return !dim_const_value(d, &size) || size >= least;
}

/* Packing pays where b's rows are not contiguous; or where they are far apart
 * and read several times: rows that are near each other share pages. */
static bool wants_pack(const Contract *c)
{
    if (dim_is(c->m, 1) || dim_is(c->b_k, 0))
        return false;
    return !dim_is(c->b_n, 1) ||
           (may_reach(c->b_k, PACK_STRIDE) && may_reach(c->k, PACK_DEPTH) &&
            may_reach(c->m, PACK_FROM));
}

/* The same of a, where columns of it are contiguous. */
static bool wants_pack_a(const Contract *c)
{
    return !c->rows.n && dim_is(c->a_m, 1) && may_reach(c->m, 2) &&
           may_reach(c->a_k, PACK_STRIDE) && may_reach(c->k, PACK_A_DEPTH) &&
           may_reach(c->n, PACK_FROM);
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

static void add_packing(Sched *s, const Node *n, Contract *c, int rooms)
{
    int more = PACK_UNIT * rooms - 1;
    const Dim *up = dim_add(s->g, c->n, dim_const(s->g, more));
    const Dim *width = dim_div(s->g, up, dim_const(s->g, PACK_UNIT));
    if (wants_pack_a(c))
        c->pack_a = pack_buffer(s, n, c, dim_const(s->g, rooms), LONG_ROWS);
    width = at_most(s, width, PACK_COLUMNS / PACK_UNIT);
    if (wants_pack(c))
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

static void add_rooms(Sched *s, const Node *n, Contract *c)
{
    int rooms = product_rooms(s, c);
    add_packing(s, n, c, rooms);
    c->totals = totals_buffer(s, n, c, rooms);
    if (c->pack_a || c->pack || c->totals)
        c->rooms = rooms;
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
    for (int i = 0; i < 2; i++)
        factor[i] = note->copies[i] ? note->copy[i] : buffer_of(s, q.of[i]);
    Kernel *k = NEW(s->arena, Kernel);
    k->kind = KERNEL_contract;
    k->span = n->span;
    k->contract = arena_copy(s->arena, &q.c, sizeof q.c);
    k->contract->a = factor[q.first];
    k->contract->b = factor[1 - q.first];
    k->contract->out = note->transposed ? note->other : buffer_of(s, n);
    add_rooms(s, n, k->contract);
    guard_of_kernel(s, p->guard, k);
    return k;
}
