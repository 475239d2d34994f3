/* sizes.c: what has to hold of the dimensions that a schedule is called with.
 */
#include "emit/emit_internal.h"

/* A size along an axis (bytes 0), or the number of things of so many bytes. */
typedef struct Size {
    const Dim *dim;
    int bytes;
    Span at;
} Size;

/* Those seen, in order, each once. */
typedef struct SizeSet {
    Arena *arena;
    Span own;  /* the function's, where nothing tells more */
    Map known; /* numbers of sizes */
    LIST(Size) size;
} SizeSet;

static void set_add(SizeSet *s, const Dim *d, int bytes, Span at)
{
    Size size = {d, bytes, at.end ? at : s->own};
    int64_t v;
    if (dim_const_value(d, &v) && v >= 0 &&
        v <= INT32_MAX / (bytes > 0 ? bytes : 1))
        return;
    uint64_t h = hash_mix(hash_pointer(HASH_SEED, d), (uint64_t)bytes);
    size_t seen = 0;
    for (int i; (i = map_next_int(&s->known, h, &seen)) >= 0;)
        if (s->size.at[i].dim == d && s->size.at[i].bytes == bytes)
            return;
    map_put_int(s->arena, &s->known, h, s->size.n);
    list_push(s->arena, &s->size, size);
}

static void set_add_node(SizeSet *s, const Node *n, Span at)
{
    for (int i = 0; i < n->rank; i++)
        set_add(s, n->dim[i], 0, at);
}

static void set_add_ports(SizeSet *s, const Port *p, int n)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < p[i].nleaf; j++)
            set_add_node(s, p[i].leaf[j], p[i].span);
}

static void collect_sizes(const Schedule *s, SizeSet *set);

static void collect_loop(const LoopKernel *l, SizeSet *set)
{
    set_add(set, l->trips, 0, set->own);
    collect_sizes(l->body, set);
    if (l->check)
        collect_sizes(l->check, set);
}

/* Sizes along axes; of the caller's tensors and of the workspace, which is the
 * sum of what is in it; of what is nowhere in memory. */
static void collect_sizes(const Schedule *s, SizeSet *set)
{
    set_add_ports(set, s->function->param, s->function->nparam);
    set_add_ports(set, s->function->result, s->function->nresult);
    for (int i = 0; i < s->buffer.n; i++) {
        const Buffer *b = s->buffer.at[i];
        Span at = b->node ? b->node->span : set->own;
        if (b->node)
            set_add_node(set, b->node, at);
        if (b->kind != BUF_WORK)
            set_add(set, b->elements, dtype_size(b->dtype), at);
    }
    if (s->workspace)
        set_add(set, s->workspace, 1, set->own);
    for (int i = 0; i < s->kernel.n; i++)
        if (s->kernel.at[i]->kind == KERNEL_loop)
            collect_loop(s->kernel.at[i]->loop, set);
    for (int i = 0; i < s->function->nsize; i++)
        set_add(set, s->function->size[i].dim, 0, s->function->size[i].at);
}

/* Objects are no larger than pointers can tell apart: PTRDIFF_MAX, and less
 * than that where 2^52 bytes are more than there is anywhere. */
static int64_t most_of(const Emit *e, Size s)
{
    int64_t bytes = has_wide_sizes(e) ? INT64_C(1) << 52 : INT32_MAX;
    return s.bytes ? bytes / s.bytes : INT32_MAX;
}

/* Of a size that grows with one variable alone: most[…] is that variable's. */
static bool is_limit(Emit *e, const Function *fn, Size s, int64_t *most)
{
    int64_t limit;
    const Dim *var = dim_most(e->arena, s.dim, most_of(e, s), &limit);
    for (int i = 0; var && i < fn->nvar; i++)
        if (fn->var[i] == var && limit < most[i])
            most[i] = limit;
    return var;
}

/* Where a variable comes from: the parameter whose dimension it is. */
static Span var_span(const Function *f, const Dim *var)
{
    for (int i = 0; i < f->nparam; i++)
        if (port_uses(&f->param[i], var))
            return f->param[i].span;
    return f->span;
}

void size_checks(Emit *e, const Schedule *s, SizeChecks *to)
{
    const Function *fn = s->function;
    SizeSet set = {.arena = e->arena, .own = fn->span};
    collect_sizes(s, &set);
    int64_t *most = NEWN(e->arena, int64_t, fn->nvar + 1);
    for (int i = 0; i < fn->nvar; i++)
        most[i] =
            fn->var_max && fn->var_max[i] >= 0 && fn->var_max[i] < INT32_MAX
                ? fn->var_max[i]
                : INT32_MAX;
    SizeChecks more = {0};
    for (int i = 0; i < set.size.n; i++) {
        Size size = set.size.at[i];
        SizeCheck c = {size.dim, most_of(e, size), !size.bytes, size.at,
                       size.dim == s->workspace ? "workspace" : NULL};
        if (!is_limit(e, fn, size, most))
            list_push(e->arena, &more, c);
    }
    for (int i = 0; i < fn->nvar; i++) {
        SizeCheck c = {fn->var[i], most[i], false, var_span(fn, fn->var[i]),
                       NULL};
        list_push(e->arena, to, c);
    }
    for (int i = 0; i < more.n; i++)
        list_push(e->arena, to, more.at[i]);
}
