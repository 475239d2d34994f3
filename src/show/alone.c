/* alone.c: a value as one formula of parameters. */
#include "graph/op.h"
#include "graph/region.h"
#include "show/builder.h"

#include <string.h>

/* The graph may have grown; nothing is known of what root is made of. */
static void forget(Builder *b, Node *root)
{
    Arena *scratch = arena_new();
    int count = graph_count(b->g);
    if (count > b->nknown) {
        Known *more = NEWN(b->m.arena, Known, 2 * count);
        memcpy(more, b->known, sizeof *more * (size_t)b->nknown);
        arena_drop(b->m.arena, b->known);
        b->known = more;
        b->nknown = 2 * count;
    }
    Nodes below = nodes_below(b->g, scratch, 1, &root);
    for (int i = 0; i < below.n; i++)
        b->known[below.at[i]->id] = (Known){0};
    arena_free(scratch);
}

/* As whole as can be, or by indices; false: either takes others before it. */
static bool equation_alone(Builder *b, const Form *left, Node *root,
                           bool indices, Equation *to)
{
    Equations own = {0}, *outer = b->to;
    b->to = &own;
    builder_build(b, 1, &root);
    const Form *right =
        indices ? builder_each(b, root, form_of) : b->known[root->id].whole;
    if (!indices || right)
        builder_define(b, left, root, right);
    b->to = outer;
    bool alone = own.list.n == 1 && !own.list.at[0].loop;
    if (alone)
        *to = own.list.at[0];
    return alone;
}

bool show_equation(Shows *s, const Form *left, Node *root, int nparam,
                   Node *const *param, const Form *const *name, Equation *to)
{
    Builder *b = (Builder *)s->maker;
    bool done = false;
    for (int indices = 0; indices < 2 && !done; indices++) {
        forget(b, root);
        for (int i = 0; i < nparam; i++) {
            builder_bind(b, param[i], name[i]);
            if (name[i]->name)
                builder_take(b, name[i]->name);
        }
        done = equation_alone(b, left, root, indices && root->rank > 0, to);
        for (int i = 0; i < nparam; i++)
            if (name[i]->name)
                builder_release(b, name[i]->name);
    }
    return done;
}
