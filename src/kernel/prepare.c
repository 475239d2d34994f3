/* prepare.c: which products get kernels of their own, and copies for them; in
 * the body of a loop, what is the same in all steps. */
#include "kernel/sched.h"

/* In a step: by number, does it depend on nothing that varies. */
static bool *find_fixed(Sched *s)
{
    bool *fixed = NEWN(s->scratch, bool, s->nnote);
    bool *varies = NEWN(s->scratch, bool, s->nnote);
    for (int k = 0; k < s->nvarying; k++)
        varies[number_of(s, s->param[k])] = true;
    for (int i = 1; s->nvarying && i < s->nnote; i++) {
        const Node *n = s->node[i];
        fixed[i] = !varies[i] && op_table[n->op]->cls != OPC_region;
        for (int k = 0; k < n->narg; k++)
            fixed[i] = fixed[i] && fixed[number_of(s, n->arg[k])];
    }
    return fixed;
}

void find_once(Sched *s)
{
    const bool *fixed = find_fixed(s);
    for (int i = 1; s->nvarying && i < s->nnote; i++) {
        const Node *n = s->node[i];
        Note *note = &s->note[i];
        bool result = note->buffer && note->buffer->kind == BUF_LEAF;
        note->invariant = fixed[i] && note->guard == 0 && note->live &&
                          n->op != OP_index_check && n->op != OP_gather &&
                          (!result || n->op == OP_param);
        for (int k = 0; k < n->narg; k++)
            note->invariant =
                note->invariant && note_of(s, n->arg[k])->invariant;
    }
}

/* A second factor that would be packed in each step is laid out well before the
 * first one. */
static void copy_fixed(Sched *s, Node *n, const bool *fixed, Product *p)
{
    int b = 1 - p->first;
    if (!p->fits || p->even || !fixed[number_of(s, n->arg[b])])
        return;
    note_of(s, n)->copies[b] = true;
    Product q = product_of(s, n);
    if (q.fits && q.first == p->first && q.ends_well == p->ends_well)
        *p = q;
    else
        note_of(s, n)->copies[b] = false;
}

/* Does x read places of an array more than once, as windows that overlap do. */
static bool overlaps(const Node *x)
{
    if (x->op != OP_view || node_repeats(x))
        return false;
    View v = view_of(x);
    for (int k = 0; k < v.from; k++)
        if (view_movers(&v, k) > 1)
            return true;
    return false;
}

/* Rows of windows are short where pixels of a plane are, or of a kernel: the
 * channels of the other factor fill more lanes. */
static void turn_short(Sched *s, Node *n)
{
    enum { SHORT = 32 };
    Note *note = note_of(s, n);
    int64_t now, then;
    Product p = product_of(s, n);
    if (note->transposed || !overlaps(n->arg[1 - p.first]) ||
        overlaps(n->arg[p.first]) || !dim_const_value(p.c.n, &now) ||
        now >= SHORT)
        return;
    note->turned = note->transposed = true;
    p = product_of(s, n);
    if (dim_const_value(p.c.n, &then) && then <= now)
        note->turned = note->transposed = false;
}

/* Several loops are read where they are, if b's rows are contiguous: else those
 * of a copy. */
static bool read_windows(Sched *s, Node *n)
{
    Note *note = note_of(s, n);
    note->windows = true;
    turn_short(s, n);
    for (int tries = 0; tries < 2; tries++) {
        Product p = product_of(s, n);
        if (p.even)
            return true;
        note->copies[1 - p.first] = true;
    }
    if (note->turned)
        note->turned = note->transposed = false;
    note->windows = note->copies[0] = note->copies[1] = false;
    return false;
}

/* Factors that are no plain view of a buffer are copied. */
static void prepare_product(Sched *s, Node *n, const bool *fixed)
{
    Note *note = note_of(s, n);
    note->product = true;
    Product p = product_of(s, n);
    for (int i = 0; i < 2; i++)
        if (!p.plain[i])
            note_of(s, n->arg[i])->fixed = true;
    if (!p.plain[0] || !p.plain[1])
        p = product_of(s, n);
    copy_fixed(s, n, fixed, &p);
    note->transposed = !p.ends_well;
    if (!p.fits && !read_windows(s, n))
        note->copies[0] = note->copies[1] = true;
}

void prepare(Sched *s)
{
    const bool *fixed = find_fixed(s);
    for (int id = 0; id < s->nnote; id++)
        if (s->note[id].live && is_product(s->node[id]))
            prepare_product(s, s->node[id], fixed);
}
