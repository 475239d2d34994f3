/* guard.c: what only one branch of an `if` needs.
 *
 * Guards form a tree: a branch of a condition inside the guard of its `if`. A
 * node's guard is the lowest that holds all its uses. */
#include "kernel/sched.h"

static int lowest_common(const Sched *s, int a, int b)
{
    while (a != b) {
        const Guard *x = &s->guard.at[a], *y = &s->guard.at[b];
        if (x->depth >= y->depth)
            a = x->parent;
        if (y->depth >= x->depth)
            b = y->parent;
    }
    return a;
}

static void use(Sched *s, bool *seen, const Node *n, int guard)
{
    Note *note = note_of(s, n);
    bool *again = &seen[number_of(s, n)];
    note->guard = *again ? lowest_common(s, note->guard, guard) : guard;
    *again = true;
}

static int branch_guard(Sched *s, int parent, Node *cond, bool when)
{
    Guard b = {.parent = parent,
               .depth = s->guard.at[parent].depth + 1,
               .cond = cond,
               .when = when};
    list_push(s->scratch, &s->guard, b);
    return s->guard.n - 1;
}

static void guard_uses(Sched *s, bool *seen, Node *n)
{
    int guard = note_of(s, n)->guard;
    bool lazy = n->op == OP_if && !note_of(s, n)->select;
    note_of(s, n)->branch = s->guard.n;
    for (int i = 0; i < n->narg; i++) {
        int inner = guard;
        if (lazy && i > 0)
            inner = branch_guard(s, guard, n->arg[0], i == 1);
        use(s, seen, n->arg[i], inner);
    }
}

static void find_guards(Sched *s)
{
    bool *seen = NEWN(s->scratch, bool, s->nnote);
    Guard always = {.parent = 0};
    s->guard.n = 0;
    list_push(s->scratch, &s->guard, always);
    for (int i = 0; i < s->nresult; i++)
        use(s, seen, s->result[i], 0);
    for (int id = s->nnote - 1; id >= 0; id--)
        if (s->note[id].live)
            guard_uses(s, seen, s->node[id]);
}

/* What a branch alone computes: too much, or not to be done in vain. */
static int weight_of(const Node *n)
{
    enum { TOO_MUCH = 1000 };
    const Op *row = op_table[n->op];
    switch (row->cls) {
    case OPC_leaf:
    case OPC_view:
        return 0;
    case OPC_ewise:
        if (n->op == OP_index_check)
            return TOO_MUCH;
        return row->flags & OP_COSTLY ? 8 : 1;
    case OPC_select:
        return 1;
    case OPC_reduce:
    case OPC_contract:
    case OPC_index:
    case OPC_region:
        break;
    }
    return TOO_MUCH;
}

/* By node: may computing it report a bad index. */
static bool *find_checks(Sched *s)
{
    bool *checks = NEWN(s->scratch, bool, s->nnote);
    for (int id = 1; id < s->nnote; id++) {
        const Node *n = s->node[id];
        checks[id] = n->op == OP_index_check;
        for (int i = 0; i < n->narg; i++)
            checks[id] = checks[id] || checks[number_of(s, n->arg[i])];
    }
    return checks;
}

/* An `if` whose branches are next to nothing computes both. */
static void choose_selects(Sched *s)
{
    bool *checks = find_checks(s);
    enum { CHEAP = 16, LIMIT = 1 << 20 };
    int *weight = NEWN(s->scratch, int, s->guard.n);
    for (int id = 0; id < s->nnote; id++)
        if (s->note[id].live && weight[s->note[id].guard] < LIMIT)
            weight[s->note[id].guard] += weight_of(s->node[id]);
    for (int i = s->guard.n - 1; i > 0; i--)
        if (weight[s->guard.at[i].parent] < LIMIT)
            weight[s->guard.at[i].parent] += weight[i];
    /* The branches of each `if` were numbered from the last one on. */
    int next = 1;
    for (int id = s->nnote - 1; id >= 0; id--) {
        Note *note = &s->note[id];
        if (!note->live || s->node[id]->op != OP_if)
            continue;
        const Node *n = s->node[id];
        note->select = weight[next] <= CHEAP && weight[next + 1] <= CHEAP &&
                       !checks[number_of(s, n->arg[1])] &&
                       !checks[number_of(s, n->arg[2])];
        next += 2;
    }
}

/* Chains longer than a kernel can hold become one flag. */
static void cut_chains(Sched *s)
{
    for (int i = 1; i < s->guard.n; i++) {
        Guard *b = &s->guard.at[i];
        b->depth = s->guard.at[b->parent].depth + 1;
        if (b->depth < MAX_RANK)
            continue;
        Piece *p = NEW(s->scratch, Piece);
        p->kind = PIECE_flag;
        b->made_by = p;
        b->depth = 1;
    }
}

void guards(Sched *s)
{
    find_guards(s);
    if (s->guard.n > 1) {
        choose_selects(s);
        find_guards(s);
        cut_chains(s);
    }
}

const Buffer *guard_flag(Sched *s, const Guard *b)
{
    return b->made_by ? b->flag : buffer_of(s, b->cond);
}

void guard_pieces(Sched *s)
{
    static const Dim *const none[1];
    for (int i = 1; i < s->guard.n; i++) {
        Guard *b = &s->guard.at[i];
        if (!b->made_by)
            continue;
        Buffer *flag = buffer_new(s, BUF_WORK, NULL);
        flag->dtype = DT_bool;
        flag->elements = dim_const(s->g, 1);
        b->flag = flag;
        Piece *p = b->made_by;
        p->id = s->piece.n;
        p->axis = i;
        p->to = flag;
        p->dim = none;
        p->at = vec_make(s->table, 0, NULL);
        list_push(s->scratch, &s->piece, p);
    }
}

void flag_conditions(Sched *s, const Piece *p,
                     void (*f)(void *u, const Guard *b), void *u)
{
    const Guard *b = &s->guard.at[p->axis];
    Guard own = *b; /* its last condition as such */
    own.made_by = NULL;
    f(u, &own);
    for (int i = b->parent; i; i = s->guard.at[i].parent) {
        b = &s->guard.at[i];
        f(u, b);
        if (b->made_by)
            return;
    }
}

void guard_of_kernel(Sched *s, int guard, Kernel *k)
{
    while (guard) {
        const Guard *b = &s->guard.at[guard];
        if (k->nguard == MAX_RANK)
            die("guards deeper than a kernel holds");
        k->guard[k->nguard] = guard_flag(s, b);
        k->when[k->nguard++] = b->made_by ? true : b->when;
        guard = b->made_by ? 0 : b->parent;
    }
}
