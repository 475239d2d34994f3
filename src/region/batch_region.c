/* batch_region.c: loops and calls for many values at once.
 *
 * One loop runs for all elements. Its carries lead where their first value
 * leads, or what a step makes of them; the rest stays as it is. Where the
 * number of steps differs between elements, the loop makes the most that any
 * needs: elements that are done keep their carries, give zeros as outputs and
 * report no index, and a further carry counts the steps of each. */
#include "graph/op.h"
#include "graph/ops/ops.h"
#include "region/batch_internal.h"

#include <string.h>

/* A loop or call on its way to a batch. */
typedef struct Step {
    Batch *p; /* around it */
    Graph *g;
    const Region *r;
    int nparam, nresult;
    Node **param, **value; /* the index first, where there is one */
    bool *lead;            /* by parameter */
    bool counts, stops;    /* the count, `until` lead */
    Node **result;
    bool *result_lead;
} Step;

static int first_param(const Region *r) { return r->index != NULL; }

/* Without the results' values: what of them leads. */
static void results_lead(const Step *s, bool *lead)
{
    Batch in = {.g = s->g, .scratch = s->p->scratch, .b = s->p->b};
    in.nparam = s->nparam;
    in.param = s->param;
    in.leads = s->lead;
    batch_begin(&in, s->nresult, s->result);
    for (int i = 0; i < s->nresult; i++)
        lead[i] = batch_leads(&in, s->result[i]);
    batch_end(&in);
}

/* Carries lead that some step may make lead. */
static void carries_lead(Step *s)
{
    const Region *r = s->r;
    bool *carry = s->lead + first_param(r);
    for (bool more = true; more;) {
        more = false;
        results_lead(s, s->result_lead);
        s->stops = r->until && s->result_lead[s->nresult - 1];
        for (int i = 0; i < r->ncarry; i++) {
            bool leads = s->result_lead[i] || s->counts || s->stops;
            more = more || (leads && !carry[i]);
            carry[i] = carry[i] || leads;
        }
    }
}

static Step step_new(Batch *p, const Region *r)
{
    Step s = {.p = p, .g = p->g, .r = r};
    int nbound = r->ncarry + r->ninput + r->ncapture, first = first_param(r);
    s.nparam = first + nbound;
    s.param = NEWN(p->scratch, Node *, s.nparam);
    s.value = NEWN(p->scratch, Node *, s.nparam);
    s.lead = NEWN(p->scratch, bool, s.nparam);
    if (first)
        s.param[0] = r->index;
    for (int i = 0; i < nbound; i++)
        s.param[first + i] = region_param(r, i);
    s.nresult = region_nresult(r);
    s.result = NEWN(p->scratch, Node *, s.nresult);
    s.result_lead = NEWN(p->scratch, bool, s.nresult);
    region_results(r, s.result);
    return s;
}

static Step step_of(Batch *p, const Node *n)
{
    const Region *r = node_region(n);
    Step s = step_new(p, r);
    int count = region_narg(r) - r->counted;
    for (int i = 0; i < count; i++)
        s.lead[first_param(r) + i] = batch_leads(p, n->arg[i]);
    s.counts = r->counted && batch_leads(p, n->arg[count]);
    if (r->trips)
        carries_lead(&s);
    return s;
}

/* Is n a call whose results lead as soon as one argument does: their adjoints
 * are to have the batch axis. */
static bool leads_as_a_whole(const Region *r) { return r->vjp != NULL; }

void region_leads(const Batch *p, const Node *n, bool *lead)
{
    const Region *r = node_region(n);
    if (leads_as_a_whole(r)) {
        for (int i = 0; i < r->noutput; i++)
            lead[i] = true;
        return;
    }
    Batch here = *p;
    Step s = step_of(&here, n);
    if (!r->trips)
        results_lead(&s, s.result_lead);
    bool ends = s.counts || s.stops;
    for (int i = 0; i < r->ncarry; i++)
        lead[i] = s.lead[first_param(r) + i];
    for (int i = 0; i < r->noutput; i++)
        lead[r->ncarry + i] = ends || s.result_lead[r->ncarry + i];
    if (r->trips)
        lead[r->ncarry + r->noutput] = ends;
}

/* Parameters. */

static Node *leading_param(Graph *g, const Dim *b, const Node *of)
{
    return g_param(g, of->dtype, of->rank + 1,
                   dims_along(g, b, of->rank, of->dim), of->attr.name);
}

static void make_params(Step *s)
{
    for (int i = 0; i < s->nparam; i++)
        s->value[i] = s->lead[i] ? leading_param(s->g, s->p->b, s->param[i])
                                 : s->param[i];
}

/* The results [from, to) computed on s->value, where `mask` holds. */
static void make_results(Step *s, Node *mask, int from, int to)
{
    Batch in = {.g = s->g, .scratch = s->p->scratch, .b = s->p->b};
    in.nparam = s->nparam;
    in.param = s->param;
    in.value = s->value;
    in.leads = s->lead;
    batch_begin(&in, to - from, s->result + from);
    batch_make(&in, mask, to - from, s->result + from, s->result_lead + from);
    batch_end(&in);
}

/* Loops. */

/* A loop being put together. */
typedef struct Frame {
    Step s;
    RegionMaker m;
    Node *mask;   /* in the body: where this loop is needed; or NULL */
    Node *count;  /* in the body: the steps of each element; or NULL */
    Node *steps;  /* in the body: those made so far; or NULL */
    Node *active; /* in the body: makes this step; or NULL */
} Frame;

static Node *capture_new(Frame *f, Node *arg, const char *name)
{
    Node *param = g_param(f->s.g, arg->dtype, arg->rank, arg->dim, name);
    maker_capture(&f->m, param, arg);
    return param;
}

static Node *zero_steps(const Step *s)
{
    return g_repeat(s->g, s->p->b, g_const_int(s->g, DT_i64, 0));
}

/* Carries and captures, the steps and the count among them. */
static void bind(Frame *f, const Node *n, Node *mask)
{
    Step *s = &f->s;
    const Region *r = s->r;
    int first = first_param(r);
    for (int i = 0; i < r->ncarry; i++) {
        Node *x = batch_value(s->p, n->arg[i]);
        if (s->lead[first + i])
            x = batch_axis(s->p, x, batch_leads(s->p, n->arg[i]));
        maker_carry(&f->m, s->value[first + i], x, NULL);
    }
    if (s->counts || s->stops) {
        Node *zero = zero_steps(s);
        f->steps = g_param(s->g, DT_i64, 1, zero->dim, "steps");
        maker_carry(&f->m, f->steps, zero, NULL);
    }
    for (int i = 0; i < r->ncapture; i++) {
        int k = r->ncarry + r->ninput + i;
        maker_capture(&f->m, s->value[first + k], batch_value(s->p, n->arg[k]));
    }
    if (s->counts)
        f->count =
            capture_new(f, batch_value(s->p, n->arg[n->narg - 1]), "count");
    if (mask)
        f->mask = capture_new(f, mask, "mask");
}

/* Which elements make this step; requires `until` to be made. */
static Node *active(const Frame *f)
{
    const Step *s = &f->s;
    Node *goes_on = NULL, *counted = NULL;
    if (s->stops)
        goes_on = g1(s->g, OP_not, s->result[s->nresult - 1]);
    if (s->counts) {
        Node *t = g_cast(s->g, DT_i64, s->value[0]);
        counted = g2(s->g, OP_lt, g_repeat(s->g, s->p->b, t), f->count);
    }
    return g_join(s->g, OP_and, goes_on, counted);
}

static Node *where_active(const Frame *f, Node *a, Node *b)
{
    int axis[MAX_RANK];
    for (int i = 0; i < a->rank; i++)
        axis[i] = i ? -1 : 0;
    Node *c = g_broadcast(f->s.g, f->active, a->rank, a->dim, axis);
    return g_where(f->s.g, c, a, b);
}

/* The results of a step. */
static void make_step(Frame *f)
{
    Step *s = &f->s;
    const Region *r = s->r;
    int last = s->nresult - 1, first = first_param(r);
    Node *mask = f->mask;
    if (r->until)
        make_results(s, mask, last, last + 1);
    f->active = active(f);
    if (f->active && mask && mask->rank == 0)
        mask = g_repeat(s->g, s->p->b, mask);
    mask = g_join(s->g, OP_and, mask, f->active);
    make_results(s, mask, 0, r->ncarry + r->noutput);
    for (int i = 0; i < r->ncarry + r->noutput; i++) {
        bool carry = i < r->ncarry;
        if (f->active || (carry && s->lead[first + i])) {
            s->result[i] = batch_axis(s->p, s->result[i], s->result_lead[i]);
            s->result_lead[i] = true;
        }
        if (f->active)
            s->result[i] = where_active(f, s->result[i],
                                        carry ? s->value[first + i]
                                              : g_fill(s->g, s->result[i], 0));
    }
}

static Node *next_steps(const Frame *f)
{
    Graph *g = f->s.g;
    Node *one = g_cast(g, DT_i64, f->active);
    return g2(g, OP_add, f->steps, one);
}

/* The loop's inputs: the batch axis behind that of the steps. */
static Node *input_arg(const Step *s, Node *arg)
{
    Node *x = batch_value(s->p, arg);
    return batch_leads(s->p, arg) ? g_move_axis(s->g, x, 0, 1) : x;
}

/* At most as many steps as any element makes. */
static Node *count_arg(const Step *s, Node *arg)
{
    Node *x = batch_value(s->p, arg);
    int axis = 0;
    if (!s->counts)
        return x;
    x = g_reduce(s->g, OP_reduce_max, x, 1, &axis);
    return g2(s->g, OP_max, x, g_const_int(s->g, DT_i64, 0));
}

static Node *make_loop(Frame *f, const Node *n)
{
    Step *s = &f->s;
    const Region *r = s->r;
    RegionMaker *m = &f->m;
    int input = first_param(r) + r->ncarry, axis = 0;
    for (int i = 0; i < r->ncarry; i++)
        m->next.at[i] = s->result[i];
    if (f->steps)
        m->next.at[r->ncarry] = next_steps(f);
    for (int i = 0; i < r->ninput; i++)
        maker_input(m, s->value[input + i],
                    input_arg(s, n->arg[r->ncarry + i]));
    for (int i = 0; i < r->noutput; i++)
        maker_output(m, s->result[r->ncarry + i]);
    if (r->counted)
        m->count = count_arg(s, n->arg[n->narg - 1]);
    if (r->until)
        m->r.until = s->result[s->nresult - 1];
    if (s->stops)
        m->r.until = g_reduce(s->g, OP_all, m->r.until, 1, &axis);
    return maker_finish(m);
}

static void loop_parts(const Frame *f, Node *loop, Parts *to)
{
    const Step *s = &f->s;
    const Region *r = s->r;
    int n = 0;
    for (int i = 0; i < r->ncarry; i++) {
        to->lead[n] = s->lead[first_param(r) + i];
        to->part[n++] = g_part(s->g, loop, i);
    }
    for (int i = 0; i < r->noutput; i++) {
        Node *y = g_part(s->g, loop, f->m.carry.n + i);
        to->lead[n] = s->result_lead[r->ncarry + i];
        to->part[n] = to->lead[n] ? g_move_axis(s->g, y, 1, 0) : y;
        n++;
    }
    to->lead[n] = f->steps != NULL;
    to->part[n] =
        g_part(s->g, loop, f->steps ? r->ncarry : f->m.carry.n + r->noutput);
}

static void loop_batch(Batch *p, const Node *n, Node *mask, Parts *to)
{
    Frame f = {.s = step_of(p, n)};
    f.m = region_maker(p->g, p->scratch, f.s.r);
    make_params(&f.s);
    bind(&f, n, mask);
    make_step(&f);
    loop_parts(&f, make_loop(&f, n), to);
}

/* Calls. */

static void lead_all(Step *s)
{
    for (int i = 0; i < s->nresult; i++) {
        s->result[i] = batch_axis(s->p, s->result[i], s->result_lead[i]);
        s->result_lead[i] = true;
    }
}

static Node *mask_param(const Step *s, const Node *mask)
{
    return mask ? g_param(s->g, DT_bool, mask->rank, mask->dim, "mask") : NULL;
}

/* The derivative that `of` brought along: adjoints of what does not lead are
 * summed over the batch. */
static const Region *vjp_batch(const Step *of, const Node *mask)
{
    const Region *r = of->r->vjp;
    Step s = step_new(of->p, r);
    RegionMaker m = region_maker(s.g, of->p->scratch, r);
    Region *made = NEW(of->p->scratch, Region);
    int next = 0, axis = 0;
    for (int i = 0; i < s.nparam; i++)
        s.lead[i] = i < of->nparam ? of->lead[i] : true;
    make_params(&s);
    Node *inner = mask_param(&s, mask);
    make_results(&s, inner, 0, s.nresult);
    lead_all(&s);
    for (int i = 0; i < of->nparam; i++) {
        if (!dtype_is_real(of->param[i]->dtype))
            continue;
        if (!of->lead[i])
            s.result[next] = g_reduce(s.g, OP_sum, s.result[next], 1, &axis);
        next++;
    }
    for (int i = 0; i < s.nparam; i++) {
        if (inner && i == of->nparam)
            maker_capture(&m, inner, NULL);
        maker_capture(&m, s.value[i], NULL);
    }
    for (int i = 0; i < s.nresult; i++)
        maker_output(&m, s.result[i]);
    *made = maker_region(&m);
    return made;
}

/* A call's region for many values: of one region there are many calls, and in
 * those of derivatives again. */
typedef struct BatchedCall {
    const Region *of;
    const Dim *b;
    const bool *lead; /* by parameter */
    const Node *mask; /* what it is called with has this shape; or NULL */
    const Region *made;
    const bool *result_lead;
} BatchedCall;

static uint64_t hash_call(const Step *s, const Node *mask)
{
    uint64_t h =
        hash_mix(hash_mix(HASH_SEED, (uintptr_t)s->r), (uintptr_t)s->p->b);
    for (int i = 0; i < s->nparam; i++)
        h = hash_mix(h, s->lead[i]);
    return hash_mix(h, mask ? 1 + (uint64_t)mask->rank : 0);
}

static bool is_batched(const BatchedCall *c, const Step *s, const Node *mask)
{
    return c->of == s->r && c->b == s->p->b && !c->mask == !mask &&
           (!mask || same_type(c->mask, mask)) &&
           memcmp(c->lead, s->lead, sizeof *s->lead * (size_t)s->nparam) == 0;
}

static const BatchedCall *known_call(const Step *s, const Node *mask,
                                     uint64_t hash)
{
    size_t seen = 0;
    for (const BatchedCall *c;
         (c = map_next(graph_batched(s->g), hash, &seen));)
        if (is_batched(c, s, mask))
            return c;
    return NULL;
}

/* The region of s's call, whose last parameter is then the mask. */
static Region make_call(Step *s, Node *mask)
{
    RegionMaker m = region_maker(s->g, s->p->scratch, s->r);
    make_params(s);
    make_results(s, mask, 0, s->nresult);
    if (s->r->vjp) {
        lead_all(s);
        m.r.vjp = vjp_batch(s, mask);
    }
    for (int i = 0; i < s->nparam; i++)
        maker_capture(&m, s->value[i], NULL);
    if (mask)
        maker_capture(&m, mask, NULL);
    for (int i = 0; i < s->nresult; i++)
        maker_output(&m, s->result[i]);
    return maker_region(&m);
}

static void *kept(const Step *s, const bool *lead, int n)
{
    return arena_copy(graph_arena(s->g), lead, sizeof *lead * (size_t)n);
}

/* A call of it, which is known from now on. */
static Node *first_call(Step *s, Node *mask, uint64_t hash, Node *const *arg)
{
    Node *inner = mask_param(s, mask);
    Region r = make_call(s, inner);
    Node *call = g_region(s->g, &r, s->nparam + (mask != NULL), arg);
    BatchedCall *c = NEW(graph_arena(s->g), BatchedCall);
    *c = (BatchedCall){s->r,  s->p->b,           kept(s, s->lead, s->nparam),
                       inner, node_region(call), NULL};
    c->result_lead = kept(s, s->result_lead, s->nresult);
    map_put(graph_arena(s->g), graph_batched(s->g), hash, c);
    return call;
}

static void call_batch(Batch *p, const Node *n, Node *mask, Parts *to)
{
    Step s = step_of(p, n);
    uint64_t hash = hash_call(&s, mask);
    const BatchedCall *c = known_call(&s, mask, hash);
    Node **arg = NEWN(p->scratch, Node *, s.nparam + 1), *call;
    for (int i = 0; i < s.nparam; i++)
        arg[i] = batch_value(p, n->arg[i]);
    arg[s.nparam] = mask;
    call = c ? g_region(p->g, c->made, s.nparam + (mask != NULL), arg)
             : first_call(&s, mask, hash, arg);
    for (int i = 0; i < s.nresult; i++) {
        to->lead[i] = c ? c->result_lead[i] : s.result_lead[i];
        to->part[i] = g_part(p->g, call, i);
    }
}

void region_batch(Batch *p, const Node *n, Node *mask, Parts *to)
{
    bool any = false;
    int axis = 0;
    for (int i = 0; i < n->narg; i++)
        any = any || batch_leads(p, n->arg[i]);
    if (mask && mask->rank && !any)
        mask = g_reduce(p->g, OP_any, mask, 1, &axis);
    if (n->op == OP_loop)
        loop_batch(p, n, mask, to);
    else
        call_batch(p, n, mask, to);
}
