/* routine.c: what the rows of routines share. */
#include "graph/ops/routine.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const Dim *routine_side(const Node *x, int axis)
{
    return x->dim[x->rank + axis];
}

/* Are n's arguments real matrices with the same axes in front. */
static bool are_matrices(const Node *n)
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

/* What the letters in a row's sizes stand for; NULL: nothing yet. */
typedef struct Letters {
    const Dim *of['z' + 1];
} Letters;

static const Dim *read_sum(Graph *g, const char **at, const Letters *l);

/* "3nn(k+1)" */
static const Dim *read_product(Graph *g, const char **at, const Letters *l)
{
    char *rest;
    int64_t number = strtoll(*at, &rest, 10);
    const Dim *d = dim_const(g, rest > *at ? number : 1);
    *at = rest;
    while (islower((unsigned char)**at) || **at == '(') {
        const char *was = (*at)++;
        d = dim_mul(g, d, *was == '(' ? read_sum(g, at, l) : l->of[(int)*was]);
        *at += *was == '(';
    }
    return d;
}

static const Dim *read_sum(Graph *g, const char **at, const Letters *l)
{
    const Dim *d = read_product(g, at, l);
    while (**at == '+') {
        ++*at;
        d = dim_add(g, d, read_product(g, at, l));
    }
    return d;
}

/* Is d what is written? A letter that stands for nothing, first of a sum as in
 * "2k+1", becomes what makes it so. */
static bool match(Graph *g, const char **at, const Dim *d, Letters *l)
{
    char *rest;
    int64_t times = strtoll(*at, &rest, 10);
    if (!islower((unsigned char)*rest) || l->of[(int)*rest])
        return read_sum(g, at, l) == d;
    const Dim **letter = &l->of[(int)*rest];
    bool one = rest == *at;
    *at = rest + 1;
    if (**at == '+') {
        ++*at;
        d = dim_sub(g, d, read_sum(g, at, l));
    }
    *letter = one ? d : dim_exact(g, d, dim_const(g, times));
    return *letter != NULL;
}

/* The letters of n, by its arguments, and where in the row's sizes the result's
 * are; NULL: they do not fit. */
static const char *read_sizes(Graph *g, const Node *n, Letters *l)
{
    const char *at = op_table[n->op]->sizes;
    *l = (Letters){{NULL}};
    if (!are_matrices(n))
        return NULL;
    for (int i = 0; i < n->narg; i++) {
        at = strchr(at, ':') + 1;
        for (int k = -2; k < 0; k++, at++)
            if (!match(g, &at, routine_side(n->arg[i], k), l))
                return NULL;
    }
    l->of['r'] = dim_product(g, n->arg[0]->rank - 2, n->arg[0]->dim);
    return at + strlen("> ");
}

bool routine_infer(Graph *g, Node *n)
{
    Letters l;
    const char *at = read_sizes(g, n, &l);
    if (!at)
        return false;
    const Dim **dim = infer_dims(g);
    const Node *a = n->arg[0];
    memcpy(dim, a->dim, sizeof *dim * (size_t)a->rank);
    for (int k = 0; k < 2; k++, at++)
        dim[a->rank - 2 + k] = read_sum(g, &at, &l);
    n->dtype = a->dtype;
    n->rank = a->rank;
    n->dim = dim;
    return true;
}

static const Dim *by_letters(Graph *g, const Node *n, const char *text)
{
    Letters l;
    read_sizes(g, n, &l);
    return read_sum(g, &text, &l);
}

const Dim *routine_steps(Graph *g, const Node *n)
{
    return by_letters(g, n, op_table[n->op]->products);
}

const Dim *routine_work(Graph *g, const Node *n)
{
    return by_letters(g, n, op_table[n->op]->room);
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
