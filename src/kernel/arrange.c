/* arrange.c: an order in which few values are alive at once.
 *
 * It is the order in which values were asked for, but what reads two values,
 * one of them as the last, comes as soon as it can: it takes that one's
 * register. So sums grow as their terms come to be, and not when all of them
 * are there.
 */
#include "kernel/sched.h"

typedef struct Arrange {
    Arena *a;
    const Flow *flow;
    int *first, *user; /* of i: user[first[i]] … user[first[i + 1] - 1] */
    int *open;         /* arguments that it waits for */
    int *left;         /* users that are to come */
    bool *placed;
    int *order, n;
    LIST(int) ready; /* maybe */
} Arrange;

static void find_users(Arrange *r)
{
    const Flow *f = r->flow;
    r->first = NEWN(r->a, int, f->n + 2);
    r->user = NEWN(r->a, int, f->first[f->n] + 1);
    r->open = NEWN(r->a, int, f->n + 1);
    r->left = NEWN(r->a, int, f->n + 1);
    for (int k = 0; k < f->first[f->n]; k++)
        r->first[f->arg[k] + 2]++;
    for (int i = 2; i <= f->n + 1; i++)
        r->first[i] += r->first[i - 1];
    for (int i = 0; i < f->n; i++)
        for (int k = f->first[i]; k < f->first[i + 1]; k++) {
            int of = f->arg[k];
            r->user[r->first[of + 1]++] = i;
            r->open[i] += f->level[of] >= 0;
            r->left[of]++;
        }
}

/* What u reads that takes registers where it does. */
typedef struct Reading {
    int values, ended, own; /* u is the last to read it; and the only one */
} Reading;

static Reading reading(const Arrange *r, int u)
{
    const Flow *f = r->flow;
    Reading x = {0};
    for (int k = f->first[u]; k < f->first[u + 1]; k++) {
        int of = f->arg[k];
        if (f->level[of] != f->level[u])
            continue;
        x.values++;
        x.ended += r->left[of] == 1;
        x.own += r->first[of + 1] - r->first[of] == 1;
    }
    return x;
}

/* Is it time for u: it ends a value, and reads another one too or is alone to
 * read it; or what alone reads u would come next. */
static bool is_due(const Arrange *r, int u)
{
    if (r->placed[u] || r->open[u])
        return false;
    Reading x = reading(r, u);
    if (!x.ended || x.values > 1 || x.own)
        return x.ended;
    int next = r->user[r->first[u]];
    return r->left[u] == 1 && r->open[next] == 1 && r->flow->joins[next];
}

static void put(Arrange *r, int i)
{
    r->order[r->n++] = i;
    r->placed[i] = true;
}

/* Who may come next because i did. */
static void find_ready(Arrange *r, int i)
{
    const Flow *f = r->flow;
    for (int k = r->first[i]; k < r->first[i + 1]; k++)
        if (--r->open[r->user[k]] == 0)
            list_push(r->a, &r->ready, r->user[k]);
    for (int k = f->first[i]; k < f->first[i + 1]; k++) {
        int of = f->arg[k];
        if (--r->left[of] != 1)
            continue;
        for (int j = r->first[of]; j < r->first[of + 1]; j++)
            if (!r->placed[r->user[j]])
                list_push(r->a, &r->ready, r->user[j]);
    }
}

static void place(Arrange *r, int i)
{
    const Flow *f = r->flow;
    for (int k = f->first[i]; k < f->first[i + 1]; k++)
        if (!r->placed[f->arg[k]])
            put(r, f->arg[k]);
    put(r, i);
    if (f->level[i] >= 0)
        find_ready(r, i);
}

void arrange_flow(Arena *a, const Flow *f, int *order)
{
    Arrange r = {.a = a, .flow = f, .order = order};
    r.placed = NEWN(a, bool, f->n + 1);
    find_users(&r);
    for (int i = 0; i < f->n; i++) {
        if (!r.placed[i] && f->level[i] >= 0)
            place(&r, i);
        while (r.ready.n) {
            int u = r.ready.at[--r.ready.n];
            if (is_due(&r, u))
                place(&r, u);
        }
    }
    for (int i = 0; i < f->n; i++)
        if (!r.placed[i])
            put(&r, i);
}

/* Kernels. */

static void flow_arg(Arena *a, Flow *f, FlowArgs *arg, int value)
{
    int i = f->n;
    if (value < 0)
        return;
    for (int k = f->first[i]; k < arg->n; k++)
        if (arg->at[k] == value)
            return;
    list_push(a, arg, value);
}

static void flow_index(Arena *a, Flow *f, FlowArgs *arg, const Index *x,
                       int first)
{
    for (int i = 0; x && i < x->n; i++) {
        if (x->atom[i].kind == IX_value)
            flow_arg(a, f, arg, x->atom[i].value - first);
        flow_index(a, f, arg, x->atom[i].of, first);
    }
}

static bool is_free(const Instr *x) { return x->kind == I_op && x->narg == 0; }

static bool joins_values(const Kernel *k, const Instr *x)
{
    int n = 0;
    for (int i = 0; i < x->narg; i++)
        n += !is_free(&k->instr[x->arg[i]]);
    return n > 1;
}

static Flow flow_of_stage(Arena *a, const Kernel *k, const Stage *st)
{
    Flow f = {.first = NEWN(a, int, st->ninstr + 1)};
    FlowArgs arg = {0};
    f.level = NEWN(a, int, st->ninstr + 1);
    f.joins = NEWN(a, bool, st->ninstr + 1);
    for (; f.n < st->ninstr; f.first[++f.n] = arg.n) {
        const Instr *x = &k->instr[st->first + f.n];
        f.level[f.n] = is_free(x) ? -1 : x->level;
        f.joins[f.n] = joins_values(k, x);
        for (int i = 0; i < x->narg; i++)
            flow_arg(a, &f, &arg, x->arg[i] - st->first);
        flow_arg(a, &f, &arg, x->pred - st->first);
        flow_index(a, &f, &arg, x->at, st->first);
    }
    f.arg = arg.at;
    return f;
}

/* Instruction i is now number to[i]. */

static void rename_value(int *value, const int *to)
{
    if (*value >= 0)
        *value = to[*value];
}

static const Index *rename_index(Sched *s, const Index *x, const int *to)
{
    return x ? index_renumber(s->table, x, to) : NULL;
}

static void rename_instr(Sched *s, Instr *x, const int *to)
{
    for (int i = 0; i < x->narg; i++)
        rename_value(&x->arg[i], to);
    rename_value(&x->pred, to);
    x->at = rename_index(s, x->at, to);
}

static void rename_all(Sched *s, Kernel *k, const int *to)
{
    Instr *old =
        arena_copy(s->scratch, k->instr, sizeof *old * (size_t)k->ninstr);
    index_extents(s->table, 0, NULL);
    for (int i = 0; i < k->ninstr; i++) {
        k->instr[to[i]] = old[i];
        rename_instr(s, &k->instr[to[i]], to);
    }
    for (int t = 0; t < k->nstage; t++)
        for (int i = 0; i < k->stage[t].noutput; i++) {
            Output *o = &k->stage[t].output[i];
            rename_value(&o->value, to);
            rename_value(&o->pred, to);
            rename_value(&o->index, to);
            o->at = rename_index(s, o->at, to);
        }
}

void arrange(Sched *s, Kernel *k)
{
    int *to = NEWN(s->scratch, int, k->ninstr + 1);
    int *order = NEWN(s->scratch, int, k->ninstr + 1);
    bool same = true;
    for (int t = 0; t < k->nstage; t++) {
        const Stage *st = &k->stage[t];
        for (int i = 0; i < st->ninstr; i++)
            order[i] = i;
        if (st->ninstr > FEW_VALUES) {
            Flow f = flow_of_stage(s->scratch, k, st);
            arrange_flow(s->scratch, &f, order);
        }
        for (int i = 0; i < st->ninstr; i++) {
            to[st->first + order[i]] = st->first + i;
            same = same && order[i] == i;
        }
    }
    if (!same)
        rename_all(s, k, to);
}
