/* prepare.c: which products get kernels of their own, and copies for them. */
#include "kernel/sched.h"

/* Factors that are no plain view of a buffer are copied; where the summed axes
 * still are not one loop, both factors are copied with these together. */
static void prepare_product(Sched *s, Node *n)
{
    Note *note = note_of(s, n);
    note->product = true;
    Product p = product_of(s, n);
    for (int i = 0; i < 2; i++)
        if (!p.plain[i])
            note_of(s, n->arg[i])->fixed = true;
    if (!p.plain[0] || !p.plain[1])
        p = product_of(s, n);
    note->copies = !p.fits;
    note->turned = !p.ends_well;
}

void prepare(Sched *s)
{
    for (int id = 0; id < s->nnote; id++)
        if (s->note[id].live && is_product(graph_node(s->g, id)))
            prepare_product(s, graph_node(s->g, id));
}
