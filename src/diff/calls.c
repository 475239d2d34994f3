/* calls.c: derivatives of calls, which are calls again.
 *
 * Of a call with remat, and of one apart, the backward pass is a call apart, of
 * the same arguments and the adjoints, that computes the function again. With a
 * derivative of its own, that is put in place; its transpose is the forward
 * derivative: if x_bar = J' y_bar then J x_dot is the adjoint of y_bar. */

#include "diff/sweep.h"

#include "graph/op.h"

#include <string.h>

/* The call's own parameters on its arguments; more follow. */
static RegionMaker maker_of(Graph *g, Arena *scratch, const Node *call)
{
    const Region *r = node_region(call);
    RegionMaker m = region_maker(g, scratch, r);

    for (int i = 0; i < r->ncapture; i++)
        maker_capture(&m, r->capture[i], call->arg[i]);
    return m;
}

/* The results on the arguments: of a call apart, or in place. */
static void finish(RegionMaker *m, Node **to)
{
    Node *call;

    if (m->r.remat || m->r.apart) {
        call = maker_close(m);
        for (int i = 0; i < m->output.n; i++)
            to[i] = g_part(m->g, call, i);
        return;
    }
    for (int i = 0; i < m->output.n; i++)
        to[i] = m->output.at[i];
    graph_subst(m->g, m->capture.n, m->capture.at, m->capture_arg.at,
                m->output.n, to);
}

/* A derivative of its own, on a call's arguments and results. */
typedef struct Own {
    const Region *vjp;
    Nodes arg; /* room for the adjoints at its end */
    int nbar;
} Own;

static void own_of(Graph *g, void *of, Node *const *bar, Node **to)
{
    Own *own = of;

    memcpy(own->arg.at + own->arg.n - own->nbar, bar,
           sizeof *bar * (size_t)own->nbar);
    region_inline(g, own->vjp, own->arg.at, to);
}

static void own_reverse(Graph *g, Arena *scratch, Node *n, const Guarded *part,
                        const Branch *branch, Guarded *arg_bar)
{
    const Region *r = node_region(n);
    Own own = {.vjp = r->vjp};
    Nodes bar = {0};
    Node **to = NEWN(scratch, Node *, r->vjp->noutput);
    bool steep = false;

    for (int i = 0; i < n->narg; i++)
        list_push(scratch, &own.arg, n->arg[i]);
    for (int i = 0; i < r->noutput; i++)
        list_push(scratch, &own.arg, g_part(g, n, i));
    for (int i = 0; i < r->noutput; i++)
        if (dtype_is_real(r->output[i]->dtype)) {
            Node *v = part[i].v ? part[i].v : g_fill(g, r->output[i], 0);
            list_push(scratch, &bar, v);
            list_push(scratch, &own.arg, v);
            steep |= part[i].steep;
        }
    own.nbar = bar.n;
    if (steep)
        far_linear(g, scratch, own_of, &own, bar.n, bar.at, r->vjp->noutput,
                   to);
    else
        own_of(g, &own, bar.at, to);
    for (int i = 0, k = 0; i < n->narg; i++)
        if (dtype_is_real(n->arg[i]->dtype))
            arg_bar[i] =
                (Guarded){.v = to[k++], .branch = branch, .steep = steep};
}

/* The adjoints of the active parameters, as results of m. */
static void sweep_call(RegionMaker *m, const Region *r, const bool *active,
                       const Guarded *part, Guarded *bar)
{
    Nodes x = {0};
    Guarded *seed = NEWN(m->scratch, Guarded, r->noutput);

    for (int i = 0; i < r->noutput; i++) {
        if (!part[i].v)
            continue;
        seed[i].v = param_like(m->g, r->output[i], "_bar");
        seed[i].steep = part[i].steep;
        maker_capture(m, seed[i].v, part[i].v);
        if (part[i].live) {
            seed[i].live = live_like(m->g, r->output[i]);
            maker_capture(m, seed[i].live, part[i].live);
        }
    }
    for (int i = 0; i < r->ncapture; i++)
        if (active[i])
            list_push(m->scratch, &x, r->capture[i]);
    sweep_reverse(m->g, r->noutput, r->output, seed, x.n, x.at, bar);
    for (int i = 0; i < x.n; i++) {
        if (bar[i].v)
            maker_output(m, bar[i].v);
        if (bar[i].live)
            maker_output(m, bar[i].live);
    }
}

void call_reverse(Graph *g, Arena *scratch, Node *n, const bool *active,
                  Guarded *part, Guarded *arg_bar)
{
    const Region *r = node_region(n);
    const Branch *branch = guard_common(g, scratch, r->noutput, part);
    Guarded *bar = NEWN(scratch, Guarded, n->narg);
    RegionMaker m;
    Node **to;
    int k = 0, at = 0;

    if (r->vjp) {
        own_reverse(g, scratch, n, part, branch, arg_bar);
        return;
    }
    m = maker_of(g, scratch, n);
    sweep_call(&m, r, active, part, bar);
    to = NEWN(scratch, Node *, m.output.n);
    m.r.apart = r->remat || r->apart;
    finish(&m, to);
    for (int i = 0; i < n->narg; i++) {
        const Guarded *b;

        if (!active[i])
            continue;
        b = &bar[k++];
        arg_bar[i].v = b->v ? to[at++] : NULL;
        arg_bar[i].live = b->live ? to[at++] : NULL;
        arg_bar[i].branch = branch;
        arg_bar[i].steep = b->steep;
        guard_argument(g, scratch, n->arg[i], &arg_bar[i]);
    }
}

/* The tangents of the results by the transpose of the function's own
 * derivative. */
static void own_forward(Graph *g, Arena *scratch, Node *n, Node *const *dot,
                        Node **part_dot)
{
    const Region *r = node_region(n), *vjp = r->vjp;
    int nbar = vjp->ncapture - r->ncapture - r->noutput, k = 0;
    Node *const *bar = vjp->capture + r->ncapture + r->noutput;
    Guarded *x_dot = NEWN(scratch, Guarded, vjp->noutput);
    Guarded *y_dot = NEWN(scratch, Guarded, nbar);
    RegionMaker m = region_maker(g, scratch, NULL);
    Node **to = NEWN(scratch, Node *, nbar);

    for (int i = 0; i < n->narg; i++)
        maker_capture(&m, vjp->capture[i], n->arg[i]);
    for (int i = 0; i < r->noutput; i++)
        maker_capture(&m, vjp->capture[n->narg + i], g_part(g, n, i));
    for (int i = 0; i < nbar; i++)
        maker_capture(&m, bar[i], g_fill(g, bar[i], 0));
    for (int i = 0; i < n->narg; i++)
        if (dtype_is_real(n->arg[i]->dtype))
            x_dot[k++].v = dot[i];
    sweep_reverse(g, vjp->noutput, vjp->output, x_dot, nbar, bar, y_dot);
    for (int i = 0; i < nbar; i++)
        if (y_dot[i].v)
            maker_output(&m, y_dot[i].v);
    finish(&m, to);
    k = 0;
    for (int i = 0, b = 0; i < r->noutput; i++)
        if (dtype_is_real(r->output[i]->dtype) && y_dot[b++].v)
            part_dot[i] = to[k++];
}

Steep call_forward(Graph *g, Arena *scratch, Node *n, Node *const *dot,
                   const Steep *steep, Node **part_dot)
{
    const Region *r = node_region(n);
    Nodes x = {0}, x_dot = {0};
    Node **y_dot = NEWN(scratch, Node *, r->noutput), **to;
    Steep *x_steep = NEWN(scratch, Steep, n->narg);
    Steep *y_steep = NEWN(scratch, Steep, r->noutput), most = STEEP_no;
    RegionMaker m;

    if (r->vjp) {
        own_forward(g, scratch, n, dot, part_dot);
        return STEEP_no;
    }
    m = maker_of(g, scratch, n);
    for (int i = 0; i < n->narg; i++) {
        if (!dot[i])
            continue;
        x_steep[x.n] = steep[i];
        list_push(scratch, &x, r->capture[i]);
        list_push(scratch, &x_dot, param_like(g, r->capture[i], "_dot"));
        maker_capture(&m, x_dot.at[x_dot.n - 1], dot[i]);
    }
    sweep_forward(g, r->noutput, r->output, x.n, x.at, x_dot.at, x_steep, y_dot,
                  y_steep);
    for (int i = 0; i < r->noutput; i++)
        if (y_dot[i])
            maker_output(&m, y_dot[i]);
    to = NEWN(scratch, Node *, m.output.n);
    finish(&m, to);
    for (int i = 0, k = 0; i < r->noutput; i++)
        if (y_dot[i])
            part_dot[i] = to[k++];
    for (int i = 0; i < r->noutput; i++)
        most = y_steep[i] > most ? y_steep[i] : most;
    return most;
}
