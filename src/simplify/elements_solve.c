/* elements_solve.c: the elements of what solves a triangular system. */
#include "simplify/elements.h"

#include <string.h>

enum { MOST_ROWS = 16 };

bool solves_few(const Node *n)
{
    return n->op == OP_factor_substitute &&
           axis_is_short(n->dim[n->rank - 2]) &&
           axis_is_short(n->dim[n->rank - 1]) &&
           axis_size(n->dim[n->rank - 2]) <= MOST_ROWS;
}

typedef struct Solving {
    const Elements *e;
    const Node *n;
    Node **to; /* the elements of the next system */
    int rows, columns, how;
    bool down, turned;
} Solving;

static Node *of_matrix(const Solving *s, int which, const int *at, int i, int j)
{
    const Node *x = s->n->arg[which];
    int place[MAX_RANK + 1];

    memcpy(place, at, sizeof *at * (size_t)x->rank);
    place[x->rank - 2] = i;
    place[x->rank - 1] = j;
    return element_of(s->e, x, place);
}

/* Row i, those that it needs being there: the last one, which one waits for,
 * is needed last. */
static void solve_row(const Solving *s, const int *at, int i)
{
    Graph *g = s->e->g;

    for (int j = 0; j < s->columns; j++) {
        Node *x = of_matrix(s, 0, at, i, j);
        int step = s->down ? 1 : -1;

        for (int k = s->down ? 0 : s->rows - 1; k != i; k += step) {
            Node *t = of_matrix(s, 1, at, s->turned ? k : i, s->turned ? i : k);

            x = g2(g, OP_sub, x, g2(g, OP_mul, t, s->to[k * s->columns + j]));
        }
        if (!(s->how & SUBSTITUTE_UNIT))
            x = g2(g, OP_div, x, of_matrix(s, 1, at, i, i));
        s->to[i * s->columns + j] = x;
    }
}

static void solve_one(void *u, const int *at)
{
    Solving *s = u;

    for (int t = 0; t < s->rows; t++)
        solve_row(s, at, s->down ? t : s->rows - 1 - t);
    s->to += s->rows * s->columns;
}

void elements_of_solution(const Elements *e, const Node *n, Node **to)
{
    bool on[MAX_RANK + 1] = {false};
    int at[MAX_RANK + 1] = {0}, how = (int)n->attr.integer;
    Solving s = {.e = e, .n = n, .to = to, .how = how};

    for (int i = 0; i < n->rank - 2; i++)
        on[i] = axis_is_short(n->dim[i]);
    s.rows = axis_size(n->dim[n->rank - 2]);
    s.columns = axis_size(n->dim[n->rank - 1]);
    s.turned = how & SUBSTITUTE_TURNED;
    s.down = !(how & SUBSTITUTE_UPPER) != s.turned;
    each_place(n->rank, n->dim, on, at, solve_one, &s);
}
