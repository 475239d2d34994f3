/* guard.c: under which conditions nodes are computed.
 *
 * A node's case (see graph/when.h) is the disjunction of those of its uses; a
 * branch of an `if` is a case of its own. What a kernel runs under is a row of
 * conditions, and where that cannot say it, a flag that is computed from
 * conditions once. A flag may read conditions that were not computed: whatever
 * they are, its value is the same then. */
#include "kernel/sched.h"

/* The older one of a condition and its negation, if that is there too. */
static Node *older_of(const Sched *s, Node *cond, bool *holds)
{
    Node *not_cond = g1(s->g, OP_not, cond);
    int number = number_of(s, not_cond);
    if (number == 0 || !s->note[number].live || number > number_of(s, cond))
        return cond;
    *holds = !*holds;
    return not_cond;
}

/* The condition that an `if` asks, wanted to be *holds, as it is in memory. */
static Node *asked(const Sched *s, Node *cond, bool *holds)
{
    *holds = true;
    for (;; cond = cond->arg[0]) {
        if (cond->op == OP_not)
            *holds = !*holds;
        else if (cond->op != OP_reshape || note_of(s, cond)->fixed)
            return older_of(s, cond, holds);
    }
}

Node *condition_of(const Sched *s, const Node *n)
{
    bool holds;
    return asked(s, n->arg[0], &holds);
}

typedef struct Find {
    Sched *s;
    When *when;
    bool *older;  /* by number: only conditions older than the node are asked */
    int *state;   /* see find_circle */
    bool implied; /* cases ask what their conditions imply, too */
} Find;

typedef struct Newer {
    const Sched *s;
    int number;
} Newer;

static bool is_newer(void *u, const Node *cond)
{
    const Newer *x = u;
    return number_of(x->s, cond) >= x->number;
}

static void use(Find *f, const Node *n, int c)
{
    Note *note = note_of(f->s, n);
    note->when = when_either(f->when, note->when, c);
}

static bool is_in_memory(const Sched *s, const Node *cond)
{
    return cond->op == OP_param || note_of(s, cond)->mat;
}

/* The case inside of outer where cond is `holds`; with what that implies, so
 * that it is left when cond is too new to be asked. */
static int inside(Find *f, int outer, Node *cond, bool holds, int depth)
{
    enum { DEEP = 6 };
    bool as;
    cond = asked(f->s, cond, &as);
    holds = holds == as;
    bool choice = cond->op == OP_if && node_is_const(cond->arg[2], 0);
    bool all = holds ? choice || cond->op == OP_and : cond->op == OP_or;
    for (int i = 0; i < 2 && all && f->implied && depth < DEEP; i++)
        outer = inside(f, outer, cond->arg[i], holds, depth + 1);
    bool known = depth == 0 || is_in_memory(f->s, cond);
    return known ? when_branch(f->when, outer, cond, holds) : outer;
}

static void case_uses(Find *f, int number)
{
    Note *note = &f->s->note[number];
    Node *n = f->s->node[number];
    Newer newer = {f->s, number};
    if (n->narg == 0) /* is there */
        note->when = CASE_always;
    if (f->older[number])
        note->when = when_without(f->when, note->when, is_newer, &newer);
    if (op_table[n->op]->cls == OPC_select && !note->select) {
        use(f, condition_of(f->s, n), note->when);
        for (int i = 0; i < 2; i++) {
            note->branch[i] = inside(f, note->when, n->arg[0], i == 0, 0);
            use(f, n->arg[i + 1], note->branch[i]);
        }
        return;
    }
    for (int i = 0; i < n->narg; i++)
        use(f, n->arg[i], note->when);
    if (note->sum_of)
        use(f, note->sum_of, note->when);
}

static void find_cases(Find *f)
{
    Sched *s = f->s;
    for (int i = 0; i < s->nnote; i++)
        s->note[i].when = CASE_never;
    for (int i = 0; i < s->nresult; i++)
        use(f, s->result[i], CASE_always);
    for (int id = s->nnote - 1; id > 0; id--)
        if (s->note[id].live)
            case_uses(f, id);
}

/* Circles: what decides whether a condition is asked may need a node that runs
 * only where the condition holds. Such a node runs wherever it may be needed
 * for all that is known before. */

typedef struct Visit {
    int at, next; /* a number, or from nnote on a case; its next successor */
} Visit;

enum { UNSEEN, OPEN, DONE };

/* The k-th of what has to be there before `at`, 0 where that is nothing, or
 * -1: these are all. */
static int before(const Find *f, int at, int k)
{
    const Sched *s = f->s;
    if (at < s->nnote) {
        const Node *n = s->node[at];
        if (k < n->narg)
            return note_of(s, n->arg[k])->when != CASE_never
                       ? number_of(s, n->arg[k])
                       : 0;
        if (k == n->narg)
            return s->note[at].mat ? s->nnote + s->note[at].when : 0;
        bool select = op_table[n->op]->cls == OPC_select;
        return select && k == n->narg + 1 ? number_of(s, condition_of(s, n))
                                          : -1;
    }
    if (at - s->nnote <= CASE_always)
        return -1;
    Decision d = when_decision(f->when, at - s->nnote);
    const int all[] = {d.cond ? number_of(s, d.cond) : s->nnote + d.of,
                       s->nnote + d.yes, s->nnote + d.no};
    return k < 3 ? all[k] : -1;
}

/* A node from `at`, which is open again, on the way to it that asks newer
 * conditions. */
static int newest_on(const Find *f, const Visit *stack, int n, int at)
{
    int from = n - 1, last = 0;
    while (stack[from].at != at)
        from--;
    for (; from < n; from++)
        if (stack[from].at < f->s->nnote && !f->older[stack[from].at] &&
            stack[from].next == f->s->node[stack[from].at]->narg + 1)
            last = stack[from].at;
    return last;
}

/* A node on a circle that asks for newer conditions, or 0. */
static int find_circle(Find *f, int root)
{
    LIST(Visit) stack = {0};
    Arena *a = f->s->scratch;
    list_push(a, &stack, ((Visit){root, 0}));
    while (stack.n) {
        Visit *v = &stack.at[stack.n - 1];
        f->state[v->at] = OPEN;
        int to = before(f, v->at, v->next++);
        if (to < 0) {
            f->state[v->at] = DONE;
            stack.n--;
        } else if (f->state[to] == OPEN)
            return newest_on(f, stack.at, stack.n, to);
        else if (f->state[to] == UNSEEN)
            list_push(a, &stack, ((Visit){to, 0}));
    }
    return 0;
}

static int any_circle(Find *f)
{
    Sched *s = f->s;
    int circle = 0;
    f->state = NEWN(s->scratch, int, s->nnote + when_count(f->when));
    f->state[0] = DONE;
    for (int id = 1; id < s->nnote && !circle; id++)
        if (s->note[id].live && f->state[id] == UNSEEN)
            circle = find_circle(f, id);
    return circle;
}

/* After a few, nothing asks newer conditions. */
static void break_circles(Find *f)
{
    enum { FEW = 8 };
    int circle;
    for (int tries = 0; (circle = any_circle(f)) != 0; tries++) {
        f->older[circle] = f->implied = true;
        for (int id = 0; tries == FEW && id < f->s->nnote; id++)
            f->older[id] = true;
        find_cases(f);
    }
}

/* Selects. */

static bool is_select(const Sched *s, int id)
{
    return s->note[id].live && op_table[s->node[id]->op]->cls == OPC_select;
}

static bool any_select(const Sched *s)
{
    for (int id = 1; id < s->nnote; id++)
        if (is_select(s, id))
            return true;
    return false;
}

static bool any_lazy(const Sched *s)
{
    for (int id = 1; id < s->nnote; id++)
        if (is_select(s, id) && !s->note[id].select)
            return true;
    return false;
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
    case OPC_sort:
    case OPC_routine:
    case OPC_region:
        break;
    }
    return TOO_MUCH;
}

/* Is what n needs for this argument, and would not be computed but for a branch
 * in which the argument is, next to nothing? */
static bool is_cheap(Find *f, const Node *n, int arg)
{
    enum { CHEAP = 16, MANY = 64 };
    const Node *found[MANY] = {n->arg[arg]};
    int outer = note_of(f->s, n)->when, count = 1, weight = 0;
    for (int k = 0; k < count; k++) {
        const Node *x = found[k];
        if (when_within(f->when, outer, note_of(f->s, x)->when))
            continue;
        weight += weight_of(x);
        if (weight > CHEAP)
            return false;
        for (int i = 0; i < x->narg; i++) {
            int j = 0;
            while (j < count && found[j] != x->arg[i])
                j++;
            if (j == MANY)
                return false;
            found[j] = x->arg[i];
            count += j == count;
        }
    }
    return true;
}

/* An `if` whose branches are next to nothing computes both. */
static void choose_selects(Find *f)
{
    Sched *s = f->s;
    for (int id = 1; id < s->nnote; id++) {
        const Node *n = s->node[id];
        if (is_select(s, id))
            s->note[id].select = is_cheap(f, n, 1) && is_cheap(f, n, 2);
    }
}

/* Guards of cases. */

/* As many conditions in a row as there is room for; the case that is left. */
static int literals(const When *w, int c, Guard *to)
{
    while (c > CASE_always && to->n < MAX_LITERALS) {
        Decision d = when_decision(w, c);
        if (!d.cond || (d.yes != CASE_never && d.no != CASE_never))
            break;
        to->at[to->n++] = (Literal){d.cond, d.no == CASE_never};
        c = d.no == CASE_never ? d.yes : d.no;
    }
    return c;
}

static Piece *flag_piece(Sched *s, int c)
{
    Piece *p = NEW(s->scratch, Piece);
    p->kind = PIECE_flag;
    p->flag = c;
    return p;
}

static Piece *flag_of(Sched *s, Piece **flag, int c)
{
    if (!flag[c])
        flag[c] = flag_piece(s, c);
    return flag[c];
}

/* The guard of a case. */
static int guard_of(Sched *s, int *guard, Piece **flag, int c)
{
    if (c == CASE_never)
        return NO_GUARD;
    if (c != CASE_always && !guard[c]) {
        Guard b = {.n = 0};
        int rest = literals(s->when, c, &b);
        if (rest != CASE_always)
            b.made_by = flag_of(s, flag, rest);
        list_push(s->scratch, &s->guard, b);
        guard[c] = s->guard.n - 1;
    }
    return c == CASE_always ? 0 : guard[c];
}

static void make_guards(Sched *s)
{
    int count = when_count(s->when);
    int *guard = NEWN(s->scratch, int, count);
    s->flag = NEWN(s->scratch, Piece *, count);
    list_push(s->scratch, &s->guard, ((Guard){.n = 0}));
    for (int id = 1; id < s->nnote; id++) {
        Note *note = &s->note[id];
        if (!note->live)
            continue;
        note->guard = guard_of(s, guard, s->flag, note->when);
        bool lazy = is_select(s, id) && !note->select;
        for (int i = 0; lazy && i < 2; i++)
            note->branch[i] = guard_of(s, guard, s->flag, note->branch[i]);
    }
}

static Find find_new(Sched *s)
{
    Find f = {.s = s, .when = s->when};
    f.older = NEWN(s->scratch, bool, s->nnote);
    return f;
}

void cases(Sched *s)
{
    s->when = when_new(s->scratch);
    Find f = find_new(s);
    for (int id = 1; id < s->nnote; id++)
        s->note[id].when = CASE_always;
    if (!any_select(s))
        return;
    find_cases(&f);
    choose_selects(&f);
    find_cases(&f);
}

void guards(Sched *s)
{
    Find f = find_new(s);
    if (any_lazy(s)) {
        find_cases(&f);
        break_circles(&f);
    }
    make_guards(s);
}

/* Flags. */

static void place_flag(Sched *s, Piece *p)
{
    static const Dim *const none[1];
    if (p->to)
        return;
    p->to = buffer_new(s, BUF_WORK, NULL);
    p->to->dtype = DT_bool;
    p->to->elements = dim_const(s->g, 1);
    p->id = s->piece.n;
    p->dim = none;
    p->at = vec_make(s->table, 0, NULL);
    list_push(s->scratch, &s->piece, p);
}

void guard_pieces(Sched *s)
{
    for (int i = 0, n = s->piece.n; i < n; i++) {
        Piece *flag = s->guard.at[s->piece.at[i]->guard].made_by;
        if (flag)
            place_flag(s, flag);
    }
}

static void read_case(Sched *s, Piece *p, bool *seen, int c)
{
    if (c <= CASE_always || seen[c])
        return;
    Decision d = when_decision(s->when, c);
    seen[c] = true;
    if (d.cond) {
        add_read(s, p, d.cond, vec_make(s->table, 0, NULL));
    } else {
        Piece *q = flag_of(s, s->flag, d.of);
        place_flag(s, q);
        list_push(s->scratch, &p->flags, q);
    }
    read_case(s, p, seen, d.yes);
    read_case(s, p, seen, d.no);
}

void flag_reads(Sched *s, Piece *p)
{
    read_case(s, p, NEWN(s->scratch, bool, when_count(s->when)), p->flag);
    p->weight = p->nread + p->flags.n + 1;
}

static int load_flag(Sched *s, Inline *in, const Buffer *b)
{
    return inline_load(in, b, index_int(s->table, 0), DT_bool, -1);
}

/* value[c]: 1 + the instruction, or 0. */
static int case_value(Sched *s, Inline *in, int *value, int c)
{
    if (value[c])
        return value[c] - 1;
    int v;
    if (c <= CASE_always) {
        v = inline_zero(in, DT_bool);
        if (c == CASE_always)
            v = inline_op(in, OP_not, DT_bool, 1, &v);
    } else {
        Decision d = when_decision(s->when, c);
        int arg[3] = {0};
        arg[0] = d.cond
                     ? inline_value(in, d.cond, vec_make(s->table, 0, NULL), -1)
                     : load_flag(s, in, s->flag[d.of]->to);
        arg[1] = case_value(s, in, value, d.yes);
        arg[2] = case_value(s, in, value, d.no);
        v = inline_op(in, OP_where, DT_bool, 3, arg);
    }
    value[c] = 1 + v;
    return v;
}

int flag_value(Sched *s, Inline *in, const Piece *p)
{
    return case_value(s, in, NEWN(s->scratch, int, when_count(s->when)),
                      p->flag);
}

void guard_of_kernel(Sched *s, int guard, Kernel *k)
{
    const Guard *b = &s->guard.at[guard];
    for (; k->nguard < b->n; k->nguard++) {
        k->guard[k->nguard] = buffer_of(s, b->at[k->nguard].cond);
        k->when[k->nguard] = b->at[k->nguard].holds;
    }
    if (b->made_by) {
        k->guard[k->nguard] = b->made_by->to;
        k->when[k->nguard++] = true;
    }
}
