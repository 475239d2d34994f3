/* loops.c: loops and calls as equations: what is carried, before and after a
 * step. */
#include "graph/region.h"
#include "show/builder.h"
#include "show/notation.h"

static const Form *step_form(Builder *b, const Form *name, const Form *at)
{
    Form *f =
        arena_copy(b->m.arena, form2(&b->m, FORM_step, name, at), sizeof *f);
    f->rank = name->rank;
    return f;
}

void builder_bind(Builder *b, const Node *param, const Form *f)
{
    Known *k = &b->known[param->id];
    Form *own = arena_copy(b->m.arena, f, sizeof *f);
    own->rank = param->rank;
    own->spread = false;
    own->order = own->order ? own->order : ++b->bound;
    k->whole = own;
    k->live = k->done = k->bound = true;
}

/* What is known of a body's nodes outside of it is not of this one; it is put
 * aside until body_end. */
static Known *body_begin(Builder *b, const Region *r)
{
    Known *before = NEWN(b->m.arena, Known, r->nbody + 1);
    for (int i = 0; i < r->nbody; i++) {
        before[i] = b->known[r->body[i]->id];
        b->known[r->body[i]->id] = (Known){0};
    }
    return before;
}

static void body_end(Builder *b, const Region *r, const Known *before)
{
    for (int i = 0; i < r->nbody; i++)
        b->known[r->body[i]->id] = before[i];
}

const char *show_param_name(const Node *param, const char *otherwise)
{
    const char *name = param->attr.name;
    return name && *name && *name != '_' ? name : otherwise;
}

/* The t before which a loop has made all its steps. */
static const Form *last_step(Builder *b, const Node *n, const Form *trips)
{
    const Region *r = node_region(n);
    if (b->o.literal && !r->until && !r->counted)
        return form_typed(&b->m, DT_i64, trips);
    if (r->reverse && !b->o.literal)
        return form_number(&b->m, 0, true);
    return r->until || b->o.literal ? form_name(&b->m, builder_name(b, "T"), 0)
                                    : trips;
}

/* What a loop carries and gives, by the number of the part. */
typedef struct Parts {
    const Form **carry, **output, *last;
} Parts;

static Parts name_parts(Builder *b, const Node *n, const Form *trips)
{
    FormMaker *m = &b->m;
    const Region *r = node_region(n);
    Parts p = {NEWN(m->arena, const Form *, r->ncarry + 1),
               NEWN(m->arena, const Form *, r->noutput + 1),
               last_step(b, n, trips)};
    for (int i = 0; i < r->ncarry; i++)
        p.carry[i] =
            form_name(m, builder_name(b, show_param_name(r->carry[i], NULL)),
                      r->carry[i]->rank);
    for (int i = 0; i < r->noutput; i++)
        p.output[i] =
            form_name(m, builder_name(b, NULL), r->output[i]->rank + 1);
    return p;
}

/* What the parameters of a step at t are. */
static void bind_loop(Builder *b, const Region *r, const Form *t,
                      const Parts *p, const Form *const *arg)
{
    FormMaker *m = &b->m;
    const Form *before =
        r->reverse ? form2(m, FORM_sum, t, form_number(m, 1, true)) : t;
    builder_bind(b, r->index, form_typed(m, r->index->dtype, t));
    for (int i = 0; i < r->ncarry; i++)
        builder_bind(b, r->carry[i], step_form(b, p->carry[i], before));
    for (int i = 0; i < r->ninput; i++)
        builder_bind(b, r->input[i], builder_at(m, arg[r->ncarry + i], 1, &t));
    for (int i = 0; i < r->ncapture; i++)
        builder_bind(b, r->capture[i], arg[r->ncarry + r->ninput + i]);
}

static void step_equations(Builder *b, const Region *r, const Parts *p,
                           const Form *t)
{
    FormMaker *m = &b->m;
    const Form *one = form_number(m, 1, true);
    const Form *after = r->reverse ? t : form2(m, FORM_sum, t, one);
    for (int i = 0; i < r->ncarry; i++)
        builder_define(b, step_form(b, p->carry[i], after), r->next[i],
                       m->whole(m, r->next[i]));
    for (int i = 0; i < r->noutput; i++)
        builder_define(b, form_at(m, p->output[i], 1, &t), r->output[i],
                       m->whole(m, r->output[i]));
}

/* The results of one step, and whether it is made. A program asks that before
 * the step, which gives it no names. */
static void loop_body(Builder *b, const Region *r, const Form *t,
                      const Parts *p, const Form *const *arg, Recurrence *to)
{
    Node **result = NEWN(b->m.arena, Node *, region_nresult(r) + 1);
    bool apart = r->until && b->o.literal;
    int count = region_nresult(r) - apart;
    Known *before = body_begin(b, r);
    region_results(r, result);
    bind_loop(b, r, t, p, arg);
    if (apart) {
        to->before_until = b->to = NEW(b->m.arena, Equations);
        builder_build(b, 1, &r->until);
        to->until = b->m.named(&b->m, r->until);
        body_end(b, r, before);
        before = body_begin(b, r);
        bind_loop(b, r, t, p, arg);
    }
    b->to = to->step = NEW(b->m.arena, Equations);
    for (int i = 0; i < count; i++)
        b->known[result[i]->id].result = true;
    builder_build(b, count, result);
    step_equations(b, r, p, t);
    if (r->until && !apart)
        to->until = b->m.whole(&b->m, r->until);
    body_end(b, r, before);
}

/* What a loop takes. It may count by an index that stands in the formula. */
static const Form *taken_in(Builder *b, const Node *x)
{
    const Form *f = b->m.named(&b->m, x);
    if (b->o.literal && form_has_index(f))
        builder_name_node(b, x);
    return b->m.whole(&b->m, x);
}

static void loop(Builder *b, const Node *n)
{
    FormMaker *m = &b->m;
    const Region *r = node_region(n);
    Recurrence *to = NEW(m->arena, Recurrence);
    const Form *count = r->counted ? m->named(m, n->arg[n->narg - 1]) : NULL;
    const Form *most = form_dim(m, r->trips), *trips = count ? count : most;
    const Form *t =
        form_name(m, builder_name(b, show_param_name(r->index, "t")), 0);
    const Form **arg = NEWN(m->arena, const Form *, n->narg + 1);
    Equations *outer = b->to;
    for (int i = r->ncarry; i < n->narg; i++)
        arg[i] = taken_in(b, n->arg[i]);
    Parts p = name_parts(b, n, trips);
    b->to = to->start = NEW(m->arena, Equations);
    for (int i = 0; i < r->ncarry; i++)
        builder_define(b,
                       step_form(b, p.carry[i],
                                 r->reverse ? trips : form_number(m, 0, true)),
                       n->arg[i], m->whole(m, n->arg[i]));
    loop_body(b, r, t, &p, arg, to);
    to->index = t;
    to->trips = b->o.literal ? most : trips;
    to->count = count;
    to->made = b->o.literal && (r->until || count) ? p.last : NULL;
    to->reverse = r->reverse;
    to->zero = program_zeros(m, r);
    b->to = outer;
    builder_release(b, t->name); /* another loop may count by it */
    builder_equation(b, NULL, NULL, n)->loop = to;
    for (int i = 0; i < r->ncarry; i++)
        p.carry[i] = step_form(b, p.carry[i], p.last);
    LIST(const Form *) all = {0};
    for (int i = 0; i < r->ncarry; i++)
        list_push(m->arena, &all, p.carry[i]);
    for (int i = 0; i < r->noutput; i++)
        list_push(m->arena, &all, p.output[i]);
    list_push(m->arena, &all, p.last);
    b->known[n->id].whole = form_make(m, FORM_list, NULL, all.n, all.at);
}

/* A call that stands for itself is written out. */
static void call(Builder *b, const Node *n)
{
    FormMaker *m = &b->m;
    const Region *r = node_region(n);
    LIST(const Form *) all = {0};
    const Form **arg = NEWN(m->arena, const Form *, n->narg + 1);
    for (int i = 0; i < n->narg; i++)
        arg[i] = m->named(m, n->arg[i]);
    Known *before = body_begin(b, r);
    for (int i = 0; i < r->ncapture; i++)
        builder_bind(b, r->capture[i], arg[i]);
    builder_build(b, r->noutput, r->output);
    for (int i = 0; i < r->noutput; i++)
        list_push(m->arena, &all, m->named(m, r->output[i]));
    body_end(b, r, before);
    b->known[n->id].whole = form_make(m, FORM_list, NULL, all.n, all.at);
}

/* A loop, a call, or a part of one. */
void builder_region(Builder *b, const Node *n)
{
    if (!node_has_region(n))
        b->known[n->id].whole =
            b->known[n->arg[0]->id].whole->arg[n->attr.integer];
    else if (node_region(n)->trips)
        loop(b, n);
    else
        call(b, n);
}
