/* layout.c: the C type that a value of the language has. */

#include "artefact/interface.h"

/* Types laid flat */

/* A struct or tuple being walked through. */
typedef struct Frame {
    const Type *type; /* stacks taken off */
    int next;
    int nlead; /* dimensions of the stacks around it */
    NameSet names;
} Frame;

typedef struct Walk {
    Arena *arena;
    LIST(Step) step;
    LIST(Frame) frame;
    LIST(const Dim *) lead;
} Walk;

static const Dim *const *leaf_dims(Walk *w, const Type *t)
{
    const Dim **dim = NEWN(w->arena, const Dim *, w->lead.n + t->rank + 1);
    for (int i = 0; i < w->lead.n; i++)
        dim[i] = w->lead.at[i];
    for (int i = 0; i < t->rank; i++)
        dim[w->lead.n + i] = t->dim[i];
    return dim;
}

/* The steps up to where t's parts begin. */
static void walk_into(Walk *w, const Type *t, const char *name)
{
    Frame f = {.nlead = w->lead.n, .names = {.arena = w->arena}};
    Step s = {.name = name, .type = t};
    for (f.type = t; f.type->kind == TY_stack; f.type = f.type->part[0])
        list_push(w->arena, &w->lead, f.type->count);
    if (f.type->kind == TY_tensor) {
        s.kind = STEP_leaf;
        s.dtype = f.type->dtype;
        s.rank = w->lead.n + f.type->rank;
        s.dim = leaf_dims(w, f.type);
        w->lead.n = f.nlead;
    } else {
        s.kind = STEP_open;
        s.tuple = f.type->kind == TY_tuple;
        s.empty = f.type->npart == 0;
        list_push(w->arena, &w->frame, f);
    }
    list_push(w->arena, &w->step, s);
}

Step *type_steps(Arena *a, const Type *t, int *n)
{
    Walk w = {.arena = a};
    walk_into(&w, t, "");
    while (w.frame.n > 0) {
        Frame *f = &w.frame.at[w.frame.n - 1];
        bool tuple = f->type->kind == TY_tuple;
        if (f->next == f->type->npart) {
            Step s = {.kind = STEP_close, .tuple = tuple};
            list_push(a, &w.step, s);
            w.lead.n = f->nlead;
            w.frame.n--;
            continue;
        }
        int i = f->next++;
        const char *name =
            tuple ? arena_printf(a, "_%d", i)
                  : name_claim(&f->names, name_of(a, f->type->field[i]));
        walk_into(&w, f->type->part[i], name);
    }
    *n = w.step.n;
    return w.step.at;
}

/* Layout */

/* No object is larger: leaves room to add paddings without overflow. */
#define MAX_BYTES (INT64_MAX / 4)

/* Elements of the array that stands for this leaf: at least 1, as C has no
 * empty arrays. False where a dimension is free or the array too large. */
static bool leaf_elements(const Step *leaf, int64_t *n)
{
    bool empty = false;
    *n = 1;
    for (int i = 0; i < leaf->rank; i++) {
        int64_t v;
        if (!dim_const_value(leaf->dim[i], &v))
            return false;
        empty |= v <= 0;
        if (v > 0 && __builtin_mul_overflow(*n, v, n))
            return false;
    }
    if (empty)
        *n = 1;
    return *n <= MAX_BYTES / dtype_size(leaf->dtype);
}

bool steps_fixed(const Step *step, int n)
{
    int64_t total = 0;
    for (int i = 0; i < n; i++) {
        int64_t k;
        if (step[i].kind != STEP_leaf)
            continue;
        if (!leaf_elements(&step[i], &k))
            return false;
        total += k * dtype_size(step[i].dtype) + ARRAY_ALIGN;
        if (total > MAX_BYTES)
            return false;
    }
    return true;
}

typedef struct Member {
    size_t size, align;
} Member;

static Member leaf_member(const Step *s, bool fixed, int pointer_bytes)
{
    size_t one = (size_t)dtype_size(s->dtype);
    if (s->rank == 0)
        return (Member){one, one};
    if (!fixed)
        return (Member){(size_t)pointer_bytes, (size_t)pointer_bytes};
    int64_t n = 0;
    leaf_elements(s, &n);
    return (Member){(size_t)n * one, ARRAY_ALIGN};
}

/* align[i]: of the struct that step i opens, the largest of its members'. */
static size_t *struct_aligns(Arena *a, const Step *step, int n, bool fixed,
                             int pointer_bytes)
{
    size_t *align = NEWN(a, size_t, n);
    int *open = NEWN(a, int, n);
    int depth = 0;
    for (int i = 0; i < n; i++) {
        size_t here = 1;
        switch (step[i].kind) {
        case STEP_open:
            align[i] = 1;
            open[depth++] = i;
            continue;
        case STEP_close:
            here = align[open[--depth]];
            break;
        case STEP_leaf:
            here = leaf_member(&step[i], fixed, pointer_bytes).align;
            break;
        }
        if (depth > 0 && align[open[depth - 1]] < here)
            align[open[depth - 1]] = here;
    }
    return align;
}

static size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

StructLayout struct_layout(Arena *a, const Step *step, int n, int pointer_bytes)
{
    StructLayout l = {.fixed = steps_fixed(step, n), .align = 1};
    size_t *align = struct_aligns(a, step, n, l.fixed, pointer_bytes);
    int *open = NEWN(a, int, n);
    int depth = 0;
    l.offset = NEWN(a, int64_t, n);
    for (int i = 0; i < n; i++) {
        Member m;
        switch (step[i].kind) {
        case STEP_open:
            l.size = round_up(l.size, align[i]) + step[i].empty;
            open[depth++] = i;
            break;
        case STEP_close:
            l.size = round_up(l.size, align[open[--depth]]);
            break;
        case STEP_leaf:
            m = leaf_member(&step[i], l.fixed, pointer_bytes);
            l.size = round_up(l.size, m.align);
            l.offset[l.nleaf++] = (int64_t)l.size;
            l.size += m.size;
            break;
        }
    }
    l.align = step[0].kind == STEP_open
                  ? align[0]
                  : leaf_member(&step[0], l.fixed, pointer_bytes).align;
    return l;
}

/* A tensor that stands alone is where the caller put it, aligned as it likes;
 * a tuple's parts are as in a struct. */
static Layout tensor_layout(Arena *a, const Step *s)
{
    Layout l = {.align = (size_t)dtype_size(s->dtype), .nleaf = 1};
    int64_t n;
    l.offset = NEWN(a, int64_t, 1);
    if (leaf_elements(s, &n))
        l.size = (size_t)n * l.align;
    return l;
}

Layout type_layout(Arena *a, const Type *t)
{
    int n;
    Step *step = type_steps(a, t, &n);
    if (n == 1)
        return tensor_layout(a, step);
    StructLayout s = struct_layout(a, step, n, (int)sizeof(void *));
    Layout l = {.nleaf = s.nleaf, .offset = s.offset, .align = s.align};
    if (s.fixed)
        l.size = s.size;
    for (int i = 0; !s.fixed && i < l.nleaf; i++)
        l.offset[i] = -1;
    return l;
}
