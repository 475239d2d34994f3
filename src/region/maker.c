/* maker.c: regions being put together. */
#include "region/region.h"

RegionMaker region_maker(Graph *g, Arena *scratch, const Region *like)
{
    RegionMaker m = {.g = g, .scratch = scratch};
    if (like)
        m.r = *like;
    m.r.self = NULL;
    m.r.since = 0;
    return m;
}

int maker_carry(RegionMaker *m, Node *param, Node *arg, Node *next)
{
    list_push(m->scratch, &m->carry, param);
    list_push(m->scratch, &m->carry_arg, arg);
    list_push(m->scratch, &m->next, next);
    return m->carry.n - 1;
}

int maker_input(RegionMaker *m, Node *param, Node *arg)
{
    list_push(m->scratch, &m->input, param);
    list_push(m->scratch, &m->input_arg, arg);
    return m->input.n - 1;
}

int maker_capture(RegionMaker *m, Node *param, Node *arg)
{
    list_push(m->scratch, &m->capture, param);
    list_push(m->scratch, &m->capture_arg, arg);
    return m->capture.n - 1;
}

int maker_output(RegionMaker *m, Node *n)
{
    list_push(m->scratch, &m->output, n);
    return m->output.n - 1;
}

int maker_output_once(RegionMaker *m, Node *n)
{
    int i = nodes_find(&m->output, n);
    return i >= 0 ? i : maker_output(m, n);
}

Region maker_region(const RegionMaker *m)
{
    Region r = m->r;
    r.carry = m->carry.at;
    r.next = m->next.at;
    r.ncarry = m->carry.n;
    r.input = m->input.at;
    r.ninput = m->input.n;
    r.capture = m->capture.at;
    r.ncapture = m->capture.n;
    r.output = m->output.at;
    r.noutput = m->output.n;
    r.counted = m->count != NULL;
    return r;
}

Nodes maker_args(const RegionMaker *m)
{
    const Nodes *list[] = {&m->carry_arg, &m->input_arg, &m->capture_arg};
    Nodes all = {0};
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < list[k]->n; i++)
            list_push(m->scratch, &all, list[k]->at[i]);
    if (m->count)
        list_push(m->scratch, &all, m->count);
    return all;
}

/* r with the parameters that it is to have. */
static Region with_names(const RegionMaker *m, const Region *r,
                         const ParamNames *names)
{
    int n = region_nparam(r), nroot = region_nresult(r);
    Node **param = NEWN(m->scratch, Node *, n + 1);
    Node **named = NEWN(m->scratch, Node *, n + 1);
    Node **root = NEWN(m->scratch, Node *, nroot + 1);
    Region to;

    for (int i = 0; i < n; i++) {
        param[i] = region_param_at(r, i);
        named[i] = names->param(names->u, i, param[i]);
    }
    region_results(r, root);
    graph_subst(m->g, n, param, named, nroot, root);
    to = region_with(m->g, r, root);
    if (r->index)
        to.index = *named++;
    to.carry = named;
    to.input = named + r->ncarry;
    to.capture = named + r->ncarry + r->ninput;
    return to;
}

Node *maker_finish_as(const RegionMaker *m, const ParamNames *names)
{
    Region r = maker_region(m);
    Nodes arg = maker_args(m);

    if (names)
        r = with_names(m, &r, names);
    return g_region(m->g, &r, arg.n, arg.at);
}

Node *maker_finish(const RegionMaker *m) { return maker_finish_as(m, NULL); }

Node *maker_close(const RegionMaker *m)
{
    Region r = maker_region(m);
    Nodes arg = maker_args(m);
    return g_region_close(m->g, &r, arg.n, arg.at);
}
