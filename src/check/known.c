/* known.c: library functions in what a program computes without calling them:
 * the softmax in the gradient of a cross-entropy. */
#include "check/export.h"
#include "check/scope.h"

#include "graph/op.h"
#include "region/region.h"

/* Values looked at, at most, and nodes that a function may be made of. */
enum { MOST_VALUES = 200, MOST_NODES = 30 };

/* Of one tensor of any shape, and reals again. */
static bool is_candidate(const FnInfo *f)
{
    const FnItem *item = f->item;

    for (int i = 1; i < item->nparam; i++)
        if (!item->param[i].init)
            return false;
    return item->nparam > 0 && !item->param[0].init && f->leading && !f->custom;
}

/* f(x), if that is something: what is wrong with it is told to nobody. */
static Node *try_call(Check *c, const Fn *f, Node *x)
{
    Diags *own = c->diags;
    Arguments a = args_new(c, f->nparam, fn_span(f), NULL);
    int before = graph_count(c->graph);
    const Value *v;

    a.value[0] = value_tensor(c, x);
    c->diags = diags_fork(c->arena, own);
    v = fn_apply(c, f, &a);
    if (diags_errors(c->diags) > 0)
        v = c->error;
    c->diags = own;
    if (v->kind != V_tensor || v->node == x ||
        op_table[v->node->op]->cls == OPC_leaf ||
        op_table[v->node->op]->cls == OPC_region ||
        graph_count(c->graph) - before > MOST_NODES)
        return NULL;
    return v->node;
}

static void try_values(Check *c, const Fn *f, const Nodes *x, Nodes *to)
{
    fn_scan(c, f);
    if (!is_candidate(f->info))
        return;
    for (int i = 0; i < x->n; i++) {
        Node *n = x->at[i];
        bool real = dtype_is_real(n->dtype) && n->rank > 0 &&
                    op_table[n->op]->cls != OPC_region;
        Node *y = real ? try_call(c, f, n) : NULL;

        if (y)
            list_push(c->arena, to, y);
    }
}

Node **program_known(Program *p, int nroot, Node *const *root, int *n)
{
    Check *c = &p->check;
    Nodes below = nodes_below(c->graph, c->arena, nroot, root), all = {0};
    const Entry *e;

    for (ItemAt at = {.std = true};
         below.n <= MOST_VALUES && (e = unit_next(c, &at));)
        if (e->kind == EN_fn)
            try_values(c, e->value->fn, &below, &all);
    *n = all.n;
    return all.at;
}
