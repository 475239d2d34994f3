/* routine.c: what the rows of routines share. */
#include "graph/ops/routine.h"

#include <string.h>

const Dim *routine_side(const Node *x, int axis)
{
    return x->dim[x->rank + axis];
}

bool routine_square(const Node *x)
{
    return routine_side(x, -2) == routine_side(x, -1);
}

bool routine_matrices(const Node *n)
{
    const Node *a = n->arg[0];
    for (int i = 0; i < n->narg; i++) {
        const Node *x = n->arg[i];
        if (!dtype_is_real(x->dtype) || x->dtype != a->dtype ||
            x->rank != a->rank || x->rank < 2)
            return false;
        for (int k = 0; k < x->rank - 2; k++)
            if (x->dim[k] != a->dim[k])
                return false;
    }
    return true;
}

bool routine_gives(Graph *g, Node *n, const Dim *rows, const Dim *columns)
{
    const Dim **dim = infer_dims(g);
    const Node *a = n->arg[0];
    memcpy(dim, a->dim, sizeof *dim * (size_t)a->rank);
    dim[a->rank - 2] = rows;
    dim[a->rank - 1] = columns;
    n->dtype = a->dtype;
    n->rank = a->rank;
    n->dim = dim;
    return true;
}

Node *g_routine(Graph *g, OpId op, int how, int n, Node *const *arg)
{
    Attr attr = {.integer = how};
    return graph_make(g, op, arg[0]->dtype, n, arg, &attr);
}

int routine_form(const Node *n, Str *to)
{
    const Op *row = op_table[n->op];
    str_printf(to, "%s($=0", row->name);
    for (int i = 1; i < n->narg; i++)
        str_printf(to, ", $=%d", i);
    for (int i = 0; row->words[i]; i++)
        if (n->attr.integer >> i & 1)
            str_printf(to, ", %s = true", row->words[i]);
    str_printf(to, ")");
    return PREC_atom;
}

Node *routine_batch(Graph *g, const Node *n, const Dim *b, Node *const *x,
                    const bool *lead)
{
    Node *arg[2];
    for (int i = 0; i < n->narg; i++)
        arg[i] = lead[i] ? x[i] : g_repeat(g, b, x[i]);
    return graph_make(g, n->op, n->dtype, n->narg, arg, &n->attr);
}

void routine_eval(EvalTensor *e, const Node *n)
{
    int lead = n->rank - 2;
    int64_t rows = eval_elements(lead, e->out_size), size[4];
    const double *in[2];
    for (int64_t r = 0; r < rows; r++) {
        for (int i = 0; i < n->narg; i++) {
            size[2 * i] = e->in_size[i][lead];
            size[2 * i + 1] = e->in_size[i][lead + 1];
            in[i] = e->in[i] + r * size[2 * i] * size[2 * i + 1];
        }
        op_table[n->op]->eval_one(e->out + r * e->out_size[lead] *
                                               e->out_size[lead + 1],
                                  in, size, (int)n->attr.integer);
    }
}

void routine_swap(double *a, int64_t n, int64_t i, int64_t j)
{
    for (int64_t k = 0; k < n; k++) {
        double v = a[i * n + k];
        a[i * n + k] = a[j * n + k];
        a[j * n + k] = v;
    }
}
