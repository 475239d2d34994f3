/* loops.c: derivatives of loops, which are loops again.
 *
 * Forward: beside each active carry, input and capture its tangent. The primal
 * parameters are the same nodes, so that regions_prune makes one loop of both.
 *
 * Reverse: the loop as it was, now storing what its backward steps read (see
 * store.c), and a second loop over the same steps, the last one first. That one
 * carries the adjoints of the active carries and sums up those of captures; it
 * reads what was stored, the inputs, and the adjoints of the outputs; it gives
 * the adjoints of inputs. One backward step is the reverse sweep over one step.
 * Where the loop can end early, the second makes as many steps as the first
 * did; steps that were not made change nothing. */

#include "diff/loops.h"

#include "graph/op.h"

enum { MAX_TRIED = 5 };

Node *param_like(Graph *g, const Node *like, const char *suffix)
{
    const char *name = like->op == OP_param ? like->attr.name : NULL;

    name = arena_printf(graph_arena(g), "%s%s", name ? name : "", suffix);
    return g_param(g, like->dtype, like->rank, like->dim, name);
}

Node *live_like(Graph *g, const Node *like)
{
    return g_param(g, DT_bool, like->rank, like->dim, "live");
}

/* Which parameters and results take part. */

/* For each node of the body: does it depend, through real values, on a
 * parameter that is marked, in this step or a later one; carries that do are
 * marked too. param[i] goes by argument. */
static bool *active_body(Arena *scratch, const Region *r, bool *param)
{
    bool *active = NEWN(scratch, bool, r->nbody + 1), more = true;
    int n = region_narg(r) - r->counted;

    while (more) {
        more = false;
        for (int i = 0; i < n; i++)
            active[region_place(r, region_param(r, i))] = param[i];
        for (int k = 0; k < r->nbody; k++) {
            const Node *at = r->body[k];

            if (!dtype_is_real(at->dtype) && !node_has_region(at))
                continue;
            for (int i = 0; i < at->narg; i++)
                active[k] |= active[region_place(r, at->arg[i])];
        }
        for (int k = 0; k < r->ncarry; k++)
            if (!param[k] && active[region_place(r, r->next[k])])
                more = param[k] = true;
    }
    return active;
}

/* The active nodes that marked results depend on; carries and their next values
 * are marked by turns. param[i] becomes which active ones are reached; wanted[]
 * goes by result. */
static void reached_params(Arena *scratch, const Region *r, const bool *active,
                           bool *param, bool *wanted)
{
    bool *reached = NEWN(scratch, bool, r->nbody + 1), more = true;
    int n = region_narg(r) - r->counted;

    while (more) {
        more = false;
        for (int k = 0; k < r->ncarry; k++)
            reached[region_place(r, r->next[k])] |= wanted[k];
        for (int k = 0; k < r->noutput; k++)
            reached[region_place(r, r->output[k])] |= wanted[r->ncarry + k];
        for (int k = r->nbody - 1; k >= 0; k--)
            for (int i = 0; reached[k] && i < r->body[k]->narg; i++) {
                int at = region_place(r, r->body[k]->arg[i]);

                reached[at] |= active[at];
            }
        for (int k = 0; k < r->ncarry; k++)
            if (param[k] && !wanted[k] && reached[region_place(r, r->carry[k])])
                more = wanted[k] = true;
    }
    for (int i = 0; i < n; i++)
        param[i] &= reached[region_place(r, region_param(r, i))] ||
                    (i < r->ncarry && wanted[i]);
}

/* Reverse. */

typedef struct Back {
    Graph *g;
    Arena *scratch;
    Node *loop;
    const Region *r;
    int nparam, nresult; /* until is no result here */
    const Guarded *part; /* the adjoints of the loop's parts */
    bool *active;        /* by parameter */
    bool *wanted;        /* by result */
    Guarded *seed;       /* by result: v and live are parameters */
    Guarded *bar;        /* by parameter: the adjoint after one step back */
    Sums *sums;
    Nodes read; /* of one step */
    RegionMaker to;
} Back;

static Node *result_at(const Region *r, int i)
{
    return i < r->ncarry ? r->next[i] : r->output[i - r->ncarry];
}

static Node *truth(Graph *g, const Node *like, bool v)
{
    return g_broadcast_to(g, g_const_int(g, DT_bool, v), like->rank, like->dim);
}

/* New parameters for the adjoints of what is wanted. */
static void make_seeds(Back *b)
{
    const Region *r = b->r;

    for (int i = 0; i < b->nresult; i++) {
        const Node *like = i < r->ncarry ? r->carry[i] : result_at(r, i);

        if (!b->wanted[i] || b->seed[i].v)
            continue;
        b->seed[i].v = param_like(b->g, like, "_bar");
        b->seed[i].steep = b->part[i].steep;
        if (b->part[i].live)
            b->seed[i].live = live_like(b->g, like);
    }
}

/* One step back. */
static void sweep_step(Back *b)
{
    Nodes y = {0}, x = {0};
    LIST(Guarded) from = {0};
    Guarded *to = NEWN(b->scratch, Guarded, b->nparam);

    for (int i = 0; i < b->nresult; i++)
        if (b->wanted[i]) {
            list_push(b->scratch, &y, result_at(b->r, i));
            list_push(b->scratch, &from, b->seed[i]);
        }
    for (int i = 0; i < b->nparam; i++)
        if (b->active[i])
            list_push(b->scratch, &x, region_param(b->r, i));
    sweep_reverse(b->g, y.n, y.at, from.at, x.n, x.at, to);
    for (int i = 0, k = 0; i < b->nparam; i++)
        b->bar[i] = b->active[i] ? to[k++] : (Guarded){.v = NULL};
}

static bool has_masks(const Region *r)
{
    for (int i = 0; i < r->nbody; i++)
        if (op_table[r->body[i]->op]->flags & OP_MASKS ||
            (node_has_region(r->body[i]) && has_masks(node_region(r->body[i]))))
            return true;
    return false;
}

/* How deep regions are nested in r. */
static int nesting(const Region *r)
{
    int most = 0;

    for (int i = 0; i < r->nbody; i++) {
        int inner = 0;

        if (node_has_region(r->body[i]))
            inner = 1 + nesting(node_region(r->body[i]));
        most = inner > most ? inner : most;
    }
    return most;
}

static void carry_live(Back *b)
{
    for (int k = 0; k < b->r->ncarry; k++)
        if (b->wanted[k] && !b->seed[k].live)
            b->seed[k].live = live_like(b->g, b->r->carry[k]);
}

/* If one step makes an adjoint of a carry steep, the next may make others so.
 */
static bool carry_steep(Back *b)
{
    bool more = false;

    for (int k = 0; k < b->r->ncarry; k++)
        more |= b->bar[k].steep && !b->seed[k].steep;
    for (int k = 0; k < b->r->ncarry; k++)
        b->seed[k].steep |= more && b->wanted[k];
    return more;
}

/* Where the adjoints of carries can be other than 0 is carried beside them if
 * that is not everywhere. Tried out; but around deeply nested loops, for which
 * that may be done twice a level, told from the operators. */
static void step_back(Back *b)
{
    bool missing = false, deep = nesting(b->r) > MAX_TRIED;

    make_seeds(b);
    if (deep && has_masks(b->r))
        carry_live(b);
    sweep_step(b);
    for (int k = 0; k < b->r->ncarry; k++)
        missing |= b->bar[k].live && !b->seed[k].live;
    if (missing)
        carry_live(b);
    if ((!deep && carry_steep(b)) || missing)
        sweep_step(b);
}

/* What the second loop gives for each argument: carries and outputs of it, -1
 * where there is none. */
typedef struct Given {
    int carry, output;
} Given;

static const Given nothing = {-1, -1};

static void read_bar(Back *b, const Guarded *bar)
{
    if (bar->v)
        list_push(b->scratch, &b->read, bar->v);
    if (bar->live)
        list_push(b->scratch, &b->read, bar->live);
}

/* Numbers that are 0 where `live`, of an adjoint that a gather of computed
 * elements gave back, does not hold, and else positive; NULL: it is no such. */
static Node *live_count(Graph *g, Node *live)
{
    bool chosen = live->op == OP_if && node_is_const(live->arg[2], 0);
    const Node *ne = chosen ? live->arg[1] : live, *x;
    Node *count;

    if (ne->op != OP_ne)
        return NULL;
    count = ne->arg[node_is_const(ne->arg[0], 0)];
    if (!node_is_const(ne->arg[0], 0) && !node_is_const(ne->arg[1], 0))
        return NULL;
    if (count->op != OP_scatter_add)
        return NULL;
    for (x = count->arg[0]; op_table[x->op]->cls == OPC_view && x->narg == 1;)
        x = x->arg[0];
    if (x->op != OP_cast || x->arg[0]->dtype != DT_bool)
        return NULL;
    return chosen ? g_if(g, live->arg[0], count, g_fill(g, count, 0)) : count;
}

/* The adjoint of carry k. */
static void carry_back(Back *b, int k, Given *v, Given *live)
{
    Node *like = b->r->carry[k], *init = b->part[k].v, *l = b->part[k].live;
    Guarded seed = b->seed[k], bar = b->bar[k];

    read_bar(b, &bar);
    Node *next = bar.v ? bar.v : g_fill(b->g, like, 0);
    v->carry =
        maker_carry(&b->to, seed.v, init ? init : g_fill(b->g, like, 0), next);
    if (seed.live) {
        next = bar.live ? bar.live : truth(b->g, like, bar.v != NULL);
        live->carry = maker_carry(
            &b->to, seed.live, l ? l : truth(b->g, like, init != NULL), next);
    }
}

/* The sum of the adjoints that capture k, `like`, gets. What is live is small
 * in a step where the adjoint is, so it is added up in the same way, under the
 * number of the capture after all of these. */
static void capture_back(Back *b, int k, const Node *like, const Guarded *bar,
                         Given *live)
{
    Node *count = bar->live ? live_count(b->g, bar->live) : NULL;

    sums_add(b->sums, k, bar->v, &b->read);
    if (count) {
        sums_add(b->sums, b->r->ncapture + k, count, &b->read);
    } else if (bar->live) {
        Node *any = live_like(b->g, like);

        Node *right = g2(b->g, OP_or, any, bar->live);
        live->carry = maker_carry(&b->to, any, truth(b->g, like, false), right);
        list_push(b->scratch, &b->read, bar->live);
    }
}

static void input_back(Back *b, const Guarded *bar, Given *v, Given *live)
{
    read_bar(b, bar);
    v->output = maker_output_once(&b->to, bar->v);
    if (bar->live)
        live->output = maker_output_once(&b->to, bar->live);
}

static void begin_collecting(Back *b)
{
    Nodes all = {0};
    Node *count;

    for (int i = 0; i < b->nparam; i++) {
        if (b->bar[i].v)
            list_push(b->scratch, &all, b->bar[i].v);
        if (!b->bar[i].live)
            continue;
        list_push(b->scratch, &all, b->bar[i].live);
        count = live_count(b->g, b->bar[i].live);
        if (count)
            list_push(b->scratch, &all, count);
    }
    b->sums = sums_new(b->g, b->scratch, b->r, b->loop,
                       step_new(b->g, b->scratch, b->r, all.n, all.at), &b->to);
}

/* Carries and outputs of the second loop. */
static void collect(Back *b, Given *v, Given *live)
{
    const Region *r = b->r;
    int ncapture = r->ncarry + r->ninput;

    begin_collecting(b);
    for (int i = 0; i < b->nparam; i++) {
        v[i] = live[i] = nothing;
        if (i < r->ncarry ? !b->wanted[i] : !b->bar[i].v)
            continue;
        if (i < r->ncarry)
            carry_back(b, i, &v[i], &live[i]);
        else if (i < ncapture)
            input_back(b, &b->bar[i], &v[i], &live[i]);
        else
            capture_back(b, i - ncapture, region_param(r, i), &b->bar[i],
                         &live[i]);
    }
    for (int i = r->ncarry; i < b->nresult; i++) {
        if (!b->wanted[i])
            continue;
        maker_input(&b->to, b->seed[i].v, b->part[i].v);
        if (b->seed[i].live)
            maker_input(&b->to, b->seed[i].live, b->part[i].live);
    }
}

/* The loop as it was, but that it gives what is stored too. */
static Node *storing_loop(Back *b, int n, const Stored *stored)
{
    Region r = *b->r;
    Nodes output = {0};

    if (n == 0)
        return b->loop;
    for (int i = 0; i < r.noutput; i++)
        list_push(b->scratch, &output, r.output[i]);
    for (int i = 0; i < n; i++)
        list_push(b->scratch, &output, stored[i].output);
    r.output = output.at;
    r.noutput = output.n;
    r.self = NULL;
    return g_region(b->g, &r, b->loop->narg, b->loop->arg);
}

/* The backward steps' results, read from what is stored; captures are what they
 * are around the loop. */
static void read_stored(Back *b, int n, const Stored *stored, Nodes *result)
{
    const Region *r = b->r;
    Nodes from = {0}, to = {0};

    for (int i = 0; i < n; i++) {
        list_push(b->scratch, &from, stored[i].value);
        list_push(b->scratch, &to, stored[i].back);
    }
    for (int i = 0; i < r->ncapture; i++) {
        list_push(b->scratch, &from, r->capture[i]);
        list_push(b->scratch, &to, b->loop->arg[r->ncarry + r->ninput + i]);
    }
    graph_subst(b->g, from.n, from.at, to.at, result->n, result->at);
}

/* The second loop, what it carries and gives is collected, and the first. */
static Node *loop_back(Back *b, Node **first)
{
    const Region *r = b->r;
    RegionMaker *to = &b->to;
    Stored *stored;
    Step *step = step_new(b->g, b->scratch, r, b->read.n, b->read.at);
    int n = step_stored(step, b->read.n, b->read.at, &stored);

    sums_stored(b->sums, n, stored);
    *first = storing_loop(b, n, stored);
    read_stored(b, n, stored, &to->next);
    read_stored(b, n, stored, &to->output);
    for (int i = 0; i < r->ninput; i++)
        maker_input(to, r->input[i], b->loop->arg[r->ncarry + i]);
    for (int i = 0; i < n; i++)
        maker_input(to, stored[i].param,
                    g_part(b->g, *first, r->ncarry + r->noutput + i));
    if (r->counted || r->until)
        to->count =
            g_part(b->g, *first, region_nparts(node_region(*first)) - 1);
    to->r.trips = r->trips;
    to->r.reverse = !r->reverse;
    to->r.index = r->index;
    return maker_close(to);
}

static Node *given(const Back *b, Node *loop, const Given *from)
{
    if (from->carry >= 0)
        return g_part(b->g, loop, from->carry);
    if (from->output >= 0)
        return g_part(b->g, loop, b->to.carry.n + from->output);
    return NULL;
}

/* Marks what takes part; false where nothing does. */
static bool take_part(Back *b, const bool *active)
{
    const Region *r = b->r;
    bool *body, any = false;

    for (int i = 0; i < b->nparam; i++)
        b->active[i] = active[i];
    body = active_body(b->scratch, r, b->active);
    for (int i = 0; i < b->nresult; i++)
        b->wanted[i] = b->part[i].v &&
                       (i < r->ncarry ? b->active[i]
                                      : body[region_place(r, result_at(r, i))]);
    reached_params(b->scratch, r, body, b->active, b->wanted);
    for (int i = 0; i < b->nresult; i++)
        any |= b->wanted[i];
    return any;
}

/* Where the adjoint of capture k was live in some step, if that was added up.
 */
static Node *live_of(Back *b, int k, Node *first, Node *back)
{
    Node *n = sums_of(b->sums, b->r->ncapture + k, first, back);

    return n ? g2(b->g, OP_ne, n, g_fill(b->g, n, 0)) : NULL;
}

/* Does the loop make no step: only then is a carry read that no step reads. */
static Node *no_steps(const Back *b, Node *first)
{
    const Region *r = node_region(first);
    Node *n = r->counted || r->until ? g_part(b->g, first, region_nparts(r) - 1)
                                     : g_dim(b->g, DT_i64, r->trips);

    return g2(b->g, OP_eq, n, g_fill(b->g, n, 0));
}

/* Does the loop make steps; NULL: always. */
static Node *some_steps(const Back *b, Node *first)
{
    Node *some = g1(b->g, OP_not, no_steps(b, first));

    return node_is_const(some, 1) ? NULL : some;
}

/* The adjoints of the arguments from the two loops. */
static void give(Back *b, Arena *scratch, const bool *active,
                 const Branch *branch, Guarded *arg_bar)
{
    Given *v = NEWN(b->scratch, Given, b->nparam);
    Given *live = NEWN(b->scratch, Given, b->nparam);
    int ncapture = b->r->ncarry + b->r->ninput;
    Node *first, *back;

    collect(b, v, live);
    back = loop_back(b, &first);
    for (int i = 0; i < b->nparam; i++) {
        if (!active[i])
            continue;
        arg_bar[i].v = i < ncapture
                           ? given(b, back, &v[i])
                           : sums_of(b->sums, i - ncapture, first, back);
        arg_bar[i].live = given(b, back, &live[i]);
        if (i >= ncapture && !arg_bar[i].live)
            arg_bar[i].live = live_of(b, i - ncapture, first, back);
        arg_bar[i].branch = branch;
        arg_bar[i].made = i < ncapture ? NULL : some_steps(b, first);
        arg_bar[i].steep =
            b->bar[i].steep || (i < b->r->ncarry && b->part[i].steep);
        if (i < b->r->ncarry && !b->bar[i].v)
            guard_under(b->g, scratch, no_steps(b, first), &arg_bar[i]);
        guard_argument(b->g, scratch, b->loop->arg[i], &arg_bar[i]);
    }
}

void loop_reverse(Graph *g, Arena *scratch, Node *n, const bool *active,
                  Guarded *part, Guarded *arg_bar)
{
    const Region *r = node_region(n);
    Back b = {.g = g, .loop = n, .r = r, .part = part};
    const Branch *branch = guard_common(g, scratch, region_nparts(r), part);

    b.scratch = arena_new();
    b.to = region_maker(g, b.scratch, NULL);
    b.nparam = region_narg(r) - r->counted;
    b.nresult = r->ncarry + r->noutput;
    b.active = NEWN(b.scratch, bool, b.nparam);
    b.wanted = NEWN(b.scratch, bool, b.nresult);
    b.seed = NEWN(b.scratch, Guarded, b.nresult);
    b.bar = NEWN(b.scratch, Guarded, b.nparam);
    if (take_part(&b, active)) {
        step_back(&b);
        give(&b, scratch, active, branch, arg_bar);
    }
    arena_free(b.scratch);
}

/* Forward. */

typedef struct Ahead {
    Graph *g;
    Arena *scratch;
    Node *loop;
    const Region *r;
    int nparam, nresult;
    Node *const *dot;   /* of arguments */
    const Steep *steep; /* of these */
    Node **param_dot;   /* of parameters; NULL where 0 */
    Node **result_dot;  /* of next and outputs */
    Steep *result_steep;
    RegionMaker to;
} Ahead;

/* Parameters for the tangents of carries and inputs; those of captures are read
 * from around the loop. */
static void tangents_of_params(Ahead *a)
{
    const Region *r = a->r;
    bool *active = NEWN(a->scratch, bool, a->nparam);

    for (int i = 0; i < a->nparam; i++)
        active[i] = a->dot[i] != NULL;
    active_body(a->scratch, r, active);
    for (int i = 0; i < a->nparam; i++) {
        if (!active[i])
            continue;
        a->param_dot[i] = i < r->ncarry + r->ninput
                              ? param_like(a->g, region_param(r, i), "_dot")
                              : a->dot[i];
    }
}

static Steep steep_in_steps(Steep s) { return s > STEEP_here ? s : STEEP_no; }

static void step_once(Ahead *a, Steep carries)
{
    Nodes y = {0}, x = {0}, dot = {0};
    Steep *steep = NEWN(a->scratch, Steep, a->nparam);

    for (int i = 0; i < a->nresult; i++)
        list_push(a->scratch, &y, result_at(a->r, i));
    for (int i = 0; i < a->nparam; i++)
        if (a->param_dot[i]) {
            steep[x.n] =
                i < a->r->ncarry ? carries : steep_in_steps(a->steep[i]);
            list_push(a->scratch, &x, region_param(a->r, i));
            list_push(a->scratch, &dot, a->param_dot[i]);
        }
    sweep_forward(a->g, y.n, y.at, x.n, x.at, dot.at, steep, a->result_dot,
                  a->result_steep);
}

static Steep steepest(int n, const Steep *steep)
{
    Steep most = STEEP_no;

    for (int i = 0; i < n; i++)
        most = steep[i] > most ? steep[i] : most;
    return most;
}

/* What one step makes of a carry's tangent, the next begins with. */
static Steep step_ahead(Ahead *a)
{
    Steep carries = steep_in_steps(steepest(a->r->ncarry, a->steep)), next;

    for (;;) {
        step_once(a, carries);
        next = steep_in_steps(steepest(a->r->ncarry, a->result_steep));
        if (next <= carries)
            return steep_in_steps(steepest(a->nresult, a->result_steep));
        carries = next;
    }
}

/* Carries and inputs, the primal ones first, and what stays as it is. */
static void fill_ahead(Ahead *a)
{
    const Region *r = a->r;
    Node *const *arg = a->loop->arg;

    for (int k = 0; k < r->ncarry; k++)
        maker_carry(&a->to, r->carry[k], arg[k], r->next[k]);
    for (int i = 0; i < r->ninput; i++)
        maker_input(&a->to, r->input[i], arg[r->ncarry + i]);
    for (int i = 0; i < r->ninput; i++)
        if (a->param_dot[r->ncarry + i])
            maker_input(&a->to, a->param_dot[r->ncarry + i],
                        a->dot[r->ncarry + i]);
    for (int i = 0; i < r->ncapture; i++)
        maker_capture(&a->to, r->capture[i], arg[r->ncarry + r->ninput + i]);
    if (r->counted)
        a->to.count = arg[a->loop->narg - 1];
}

static void carry_ahead(Ahead *a, int k, Node **arg_dot)
{
    Node *zero = g_fill(a->g, a->r->carry[k], 0), *next = a->result_dot[k];

    *arg_dot = a->dot[k] ? a->dot[k] : zero;
    maker_carry(&a->to, a->param_dot[k], *arg_dot, next ? next : zero);
}

Steep loop_forward(Graph *g, Arena *scratch, Node *n, Node *const *dot,
                   const Steep *steep, Node **part_dot)
{
    const Region *r = node_region(n);
    Ahead a = {.g = g,
               .scratch = scratch,
               .loop = n,
               .r = r,
               .dot = dot,
               .steep = steep};
    Steep most;
    int *part = NEWN(scratch, int, r->ncarry + r->noutput);
    Node *loop, *init;

    a.to = region_maker(g, scratch, r);
    a.nparam = region_narg(r) - r->counted;
    a.nresult = r->ncarry + r->noutput;
    a.param_dot = NEWN(scratch, Node *, a.nparam);
    a.result_dot = NEWN(scratch, Node *, a.nresult);
    a.result_steep = NEWN(scratch, Steep, a.nresult);
    tangents_of_params(&a);
    most = step_ahead(&a);
    fill_ahead(&a);
    for (int k = 0; k < r->ncarry; k++)
        if (a.param_dot[k]) {
            part[k] = a.to.carry.n;
            carry_ahead(&a, k, &init);
        }
    for (int k = r->ncarry; k < a.nresult; k++)
        if (a.result_dot[k])
            part[k] = maker_output_once(&a.to, a.result_dot[k]);
    loop = maker_close(&a.to);
    for (int k = 0; k < a.nresult; k++)
        if (k < r->ncarry ? a.param_dot[k] : a.result_dot[k])
            part_dot[k] =
                g_part(g, loop, part[k] + (k < r->ncarry ? 0 : a.to.carry.n));
    return most;
}
