/* build.c: from nodes to formulas: which values have a name, and what each is
 * written as. */
#include "graph/op.h"
#include "graph/region.h"
#include "show/builder.h"
#include "show/notation.h"
#include "show/whole.h"

#include <string.h>

/* A formula of so many symbols is written again rather than named; one of so
 * many levels is named. */
enum { SHORT = 5, DEEP = 14, LONG = 60, LONGEST = 30 /* alone */ };

static Builder *builder(FormMaker *m) { return (Builder *)m; }

/* Names */

static bool is_taken(const Builder *b, const char *name)
{
    return map_of_int(&b->taken, intern(b->names, name)) > 0;
}

static void take(Builder *b, const char *name, int more)
{
    const char *own = intern(b->names, name);
    int before = map_of_int(&b->taken, own);

    map_set_int(b->m.arena, &b->taken, own, (before > 0 ? before : 0) + more);
}

void builder_take(Builder *b, const char *name) { take(b, name, 1); }
void builder_release(Builder *b, const char *name) { take(b, name, -1); }

/* v1, v2 … */
static const char *next_number(Builder *b)
{
    char *name;
    do
        name = arena_printf(b->m.arena, "v%d", ++b->next);
    while (is_taken(b, name));
    list_push(b->m.arena, &b->numbered, name);
    return name;
}

/* In their order, so that none becomes longer. */
void builder_number_again(Builder *b)
{
    LIST(char *) kept = {0};
    for (int i = 0; i < b->numbered.n; i++)
        if (is_taken(b, b->numbered.at[i])) {
            list_push(b->m.arena, &kept, b->numbered.at[i]);
            builder_release(b, b->numbered.at[i]);
        }
    b->next = b->numbered.n = 0;
    for (int i = 0; i < kept.n; i++) {
        strcpy(kept.at[i], next_number(b));
        builder_take(b, kept.at[i]);
    }
}

/* That name, or one like it. */
const char *builder_name(Builder *b, const char *name)
{
    Arena *a = b->m.arena;
    const char *own = name ? name : next_number(b);
    for (int k = 2; name && is_taken(b, own); k++)
        own = arena_printf(a, "%s_%d", name, k);
    builder_take(b, own);
    return own;
}

/* The k-th letter, of those that nothing else is called by. */
static const char *index_name(FormMaker *m, int k)
{
    static const char letters[] = "ijklmpqrsuvwz";
    Builder *b = builder(m);
    for (int round = 0;; round++)
        for (int i = 0; letters[i]; i++) {
            const char *name =
                round ? arena_printf(m->arena, "%c%d", letters[i], round)
                      : arena_printf(m->arena, "%c", letters[i]);
            if (!is_taken(b, name) && k-- == 0)
                return name;
        }
}

static bool taken(const FormMaker *m, const char *name)
{
    return is_taken((const Builder *)m, name);
}

static bool is_size(const FormMaker *m, const Dim *d)
{
    const Builder *b = (const Builder *)m;
    for (int i = 0; i < b->ninput; i++)
        for (int k = 0; k < b->input[i]->rank; k++)
            if (b->input[i]->dim[k] == d)
                return true;
    return false;
}

/* Equations */

Equation *builder_equation(Builder *b, const Form *left, const Form *right,
                           const Node *n)
{
    Equation e = {.left = left, .right = right, .node = n};
    static Equation dropped;
    if (b->o.most && b->equations >= b->o.most && !b->last) {
        b->s.left_off++;
        return &dropped;
    }
    if (right)
        map_put_int(b->m.arena, &b->to->right, form_hash(right), b->to->list.n);
    list_push(b->m.arena, &b->to->list, e);
    b->equations++;
    return &b->to->list.at[b->to->list.n - 1];
}

const Form *builder_each(Builder *b, const Node *n, FormElement *element)
{
    FormMaker *m = &b->m;
    int before = m->nindex;
    const Form *at[MAX_RANK];
    for (int i = 0; i < n->rank; i++)
        at[i] = form_index(m);
    const Form *f = element(m, n, at);
    m->nindex = before;
    return f ? form_over(m, NULL, n->rank, at, n->dim, NULL, f) : NULL;
}

/* left = n, whole or by elements. */
void builder_define(Builder *b, const Form *left, const Node *n,
                    const Form *right)
{
    FormMaker *m = &b->m;
    if (!right || (right->spread && b->o.literal))
        right = builder_each(b, n, m->element);
    if (right->kind != FORM_each || b->o.literal) {
        builder_equation(b, left, right, n);
        return;
    }
    const Form **index = NEWN(m->arena, const Form *, right->nvar);
    const Form **bound = NEWN(m->arena, const Form *, right->nvar);
    for (int i = 0; i < right->nvar; i++) {
        index[i] = right->arg[2 * i];
        bound[i] = right->arg[2 * i + 1];
    }
    Equation *e = builder_equation(b, form_at(m, left, right->nvar, index),
                                   right->arg[right->narg - 1], n);
    e->nindex = right->nvar;
    e->index = index;
    e->bound = bound;
}

/* What is called so already, or NULL. */
static const Form *called(const Builder *b, const Form *right)
{
    if (!right || b->o.literal)
        return NULL;
    uint64_t hash = form_hash(right);
    int i;
    for (size_t seen = 0;
         (i = map_next_int(&b->to->right, hash, &seen)) >= 0;) {
        const Equation *e = &b->to->list.at[i];
        if (!e->nindex && e->left->kind == FORM_name &&
            form_alike(e->right, right))
            return e->left;
    }
    return NULL;
}

void builder_name_node(Builder *b, const Node *n)
{
    Known *k = &b->known[n->id];
    const Form *right = k->whole, *there = called(b, right);
    if (there) {
        k->named = true;
        k->depth = 0;
        k->whole = there;
        return;
    }
    const char *name = k->own ? k->name : builder_name(b, k->name);
    const Form *left = form_name(&b->m, name, n->rank);
    builder_define(b, left, n, right);
    k->named = true;
    k->depth = 0;
    k->whole = left;
}

/* What formulas are made of */

static const Form *whole(FormMaker *m, const Node *x)
{
    return builder(m)->known[x->id].whole;
}

static const Form *named(FormMaker *m, const Node *x)
{
    Known *k = &builder(m)->known[x->id];
    if (!k->whole || k->whole->spread)
        builder_name_node(builder(m), x);
    return k->whole;
}

/* An element of what is written with indices already has them all. */
const Form *builder_at(FormMaker *m, const Form *x, int n,
                       const Form *const *at)
{
    LIST(const Form *) all = {0};
    if (x->kind != FORM_at)
        return form_at(m, x, n, at);
    for (int i = 1; i < x->narg; i++)
        list_push(m->arena, &all, x->arg[i]);
    for (int i = 0; i < n; i++)
        list_push(m->arena, &all, at[i]);
    return form_at(m, x->arg[0], all.n, all.at);
}

/* Does the call say no more than the operator that it is. */
static bool is_operator(const NodeLabel *l)
{
    const Node *n = l->node;
    for (int i = 0; i < n->narg; i++) {
        bool given = false;
        for (int k = 0; k < l->narg && !given; k++)
            given = l->arg[k].node == n->arg[i];
        if (!given)
            return false;
    }
    return op_table[n->op]->cls != OPC_region;
}

static bool is_self(const Builder *b, const char *name)
{
    for (int i = 0; i < 2; i++)
        if (b->o.self[i] && strcmp(name, b->o.self[i]) == 0)
            return true;
    return false;
}

static const NodeLabel *call_of(const Builder *b, const Node *n)
{
    const NodeLabel *l = b->o.literal ? NULL : graph_call_label(b->g, n);
    if (!l || is_operator(l) || is_self(b, l->name) || b->known[n->id].open ||
        b->o.calls == SHOW_no_calls ||
        (b->o.calls == SHOW_library_calls &&
         (!l->library || op_table[n->op]->cls == OPC_region)))
        return NULL;
    for (int i = 0; i < l->narg; i++)
        if (l->arg[i].node && l->arg[i].node->id >= n->id)
            return NULL;
    return l;
}

bool form_has_index(const Form *f)
{
    bool has = f->kind == FORM_over || f->kind == FORM_each;
    for (int i = 0; i < f->narg && !has; i++)
        has = form_has_index(f->arg[i]);
    return has;
}

/* A product of matrices, maybe times scalars. */
static bool has_matrix(const Form *f)
{
    bool scaled = f->kind == FORM_negative || f->kind == FORM_product ||
                  f->kind == FORM_fraction;
    int matrices = 0, tensors = 0;
    for (int i = 0; scaled && i < f->narg; i++) {
        matrices += has_matrix(f->arg[i]);
        tensors += f->arg[i]->rank > 0;
    }
    return f->kind == FORM_matrix || (matrices == 1 && tensors == 1);
}

static const Form *element(FormMaker *m, const Node *x, const Form *const *at)
{
    Builder *b = builder(m);
    const Known *k = &b->known[x->id];
    /* Its indices are others than those in use. */
    if (m->nindex && k->whole && !k->bound && !k->whole->spread &&
        form_has_index(k->whole))
        builder_name_node(b, x);
    if (x->rank == 0 && k->whole)
        return k->whole;
    if (k->named || k->bound || call_of(b, x))
        return builder_at(m, k->whole, x->rank, at);
    if (k->whole && has_matrix(k->whole) && !k->whole->spread) {
        if (b->o.literal)
            builder_name_node(b, x);
        return builder_at(m, k->whole, x->rank, at);
    }
    const Form *f = form_of(m, x, at);
    if (f)
        return f;
    if (!k->whole || k->whole->kind != FORM_name)
        builder_name_node(b, x);
    return builder_at(m, k->whole, x->rank, at);
}

/* softmax(h): a call that is there whole. */
static const Form *call_form(Builder *b, const NodeLabel *l)
{
    FormMaker *m = &b->m;
    Shown *s = NEW(m->arena, Shown);
    LIST(const Form *) arg = {0};
    s->kind = FORM_call;
    s->text = l->name;
    for (int i = 0; i < l->narg; i++) {
        Node *x = l->arg[i].node;
        list_push(m->arena, &arg,
                  x ? named(m, x) : form_label_text(m, &l->arg[i]));
    }
    Form *f = arena_copy(m->arena, form_make(m, FORM_call, s, arg.n, arg.at),
                         sizeof *f);
    f->rank = l->node->rank;
    return f;
}

/* The root that n is 1 over, where the program calls it something: norm(x). */
static Node *called_root(const Builder *b, const Node *n)
{
    if (n->op != OP_rsqrt || n->rank || b->o.literal || b->o.steps)
        return NULL;
    Node *root = graph_find(b->g, OP_sqrt, n->arg[0]);
    return root && root->id < n->id && call_of(b, root) ? root : NULL;
}

/* n's formula; its arguments' are there. */
static const Form *formula(Builder *b, const Node *n)
{
    const NodeLabel *call = call_of(b, n);
    const Node *root = called_root(b, n);
    const Form *empty[1] = {NULL};
    if (call)
        return call_form(b, call);
    if (root && b->known[root->id].whole)
        return form2(&b->m, FORM_fraction, form_number(&b->m, 1, false),
                     b->known[root->id].whole);
    const Form *f = form_of(&b->m, n, NULL);
    if (!f && n->rank == 0)
        f = form_of(&b->m, n, empty);
    if (f && f->kind == FORM_sum && !f->spread) {
        const Form *there = called(b, form_opposite(&b->m, f));
        f = there ? form_opposite(&b->m, there) : f;
    }
    if (!f || f->spread || f->rank == n->rank)
        return f;
    Form *own = arena_copy(b->m.arena, f, sizeof *f);
    own->rank = n->rank;
    return own;
}

/* All nodes */

/* What n's formula is made of is wanted, and is used once more. */
static void mark_live(Builder *b, const Node *n)
{
    const NodeLabel *l = call_of(b, n);
    Node *root = called_root(b, n);
    int count = l ? l->narg : n->narg;
    for (int i = 0; i < count; i++) {
        Node *x = l ? l->arg[i].node : root ? root : n->arg[i];
        if (!x)
            continue;
        b->known[x->id].live = true;
        b->known[x->id].uses++;
    }
}

static int depth_of(const Builder *b, const Node *n)
{
    int depth = 0;
    for (int i = 0; i < n->narg; i++)
        if (b->known[n->arg[i]->id].depth > depth)
            depth = b->known[n->arg[i]->id].depth;
    return depth + 1;
}

/* Of n's formula. */
static int symbols(Builder *b, const Node *n)
{
    const Form *f = b->known[n->id].whole;
    if (f)
        return form_size(f);
    if (op_table[n->op]->cls == OPC_region)
        return 0;
    f = builder_each(b, n, b->m.element);
    return form_size(f->arg[f->narg - 1]);
}

/* What moves or repeats elements is seen from the formulas that read it. */
static bool is_step(const Builder *b, const Node *n)
{
    const Known *k = &b->known[n->id];
    bool shown = k->result && k->uses == 1;
    OpClass cls = op_table[n->op]->cls;
    return !shown && cls != OPC_leaf && cls != OPC_view &&
           !(k->whole && k->whole->spread);
}

/* Does its formula say no more than a name would. */
static bool is_plain(const Form *f)
{
    return f && (f->kind == FORM_name || f->kind == FORM_at ||
                 f->kind == FORM_step || f->kind == FORM_number);
}

/* Is it better defined once than written wherever it is used. */
static bool wants_name(Builder *b, const Node *n)
{
    const Known *k = &b->known[n->id];
    const NodeLabel *let = graph_let_label(b->g, n);
    if (is_plain(k->whole))
        return false;
    if (b->o.steps && is_step(b, n))
        return true;
    int size = symbols(b, n);
    if (b->o.alone)
        return size > LONGEST;
    if (k->whole && size <= 2)
        return false;
    if (let && !b->o.literal)
        return true;
    if (b->o.steps)
        return false;
    if (k->whole && k->whole->spread)
        return k->uses > 1 && size > SHORT && op_table[n->op]->cls == OPC_ewise;
    return (k->uses > 1 && size > SHORT) || k->depth > DEEP || size > LONG;
}

static void node_build(Builder *b, const Node *n)
{
    Known *k = &b->known[n->id];
    const NodeLabel *let = graph_let_label(b->g, n);
    k->done = true;
    if (op_table[n->op]->cls == OPC_region && !call_of(b, n)) {
        builder_region(b, n);
        return;
    }
    k->whole = formula(b, n);
    k->depth = call_of(b, n) ? 1 : depth_of(b, n);
    if (let && !b->o.literal && !k->name)
        k->name = let->name;
    if (wants_name(b, n))
        builder_name_node(b, n);
}

static const NodeLabel *whole_call(void *u, const Node *n)
{
    const Builder *b = u;
    return b->known[n->id].done ? NULL : call_of(b, n);
}

static void open_call(void *u, const Node *n)
{
    ((Builder *)u)->known[n->id].open = true;
}

static bool is_due(const Builder *b, const Node *n)
{
    return b->known[n->id].live && !b->known[n->id].done;
}

/* Formulas of what the roots are made of. */
void builder_build(Builder *b, int n, Node *const *root)
{
    Arena *scratch = arena_new();
    Nodes below = nodes_below(b->g, scratch, n, root);
    if (b->o.calls == SHOW_library_calls)
        whole_calls(b->g, n, root, whole_call, open_call, b);
    for (int i = 0; i < n; i++) {
        b->known[root[i]->id].live = true;
        b->known[root[i]->id].uses++;
    }
    /* Calls are of values that may be none of these. */
    int last = below.n ? below.at[below.n - 1]->id : -1;
    bool listed = b->o.alone && b->o.calls == SHOW_no_calls;
    int all = listed ? below.n : last + 1;
    for (int i = all - 1; i >= 0; i--) {
        Node *x = listed ? below.at[i] : graph_node(b->g, i);
        if (is_due(b, x))
            mark_live(b, x);
    }
    for (int i = 0; i < all; i++) {
        Node *x = listed ? below.at[i] : graph_node(b->g, i);
        if (is_due(b, x))
            node_build(b, x);
    }
    arena_free(scratch);
}

Shows *show_new(Arena *a, Graph *g, const ShowOptions *o, int ninput,
                Node *const *input)
{
    Builder *b = NEW(a, Builder);
    b->m = (FormMaker){.arena = a,
                       .graph = g,
                       .literal = o->literal,
                       .whole = whole,
                       .named = named,
                       .element = element,
                       .is_size = is_size,
                       .taken = taken,
                       .index_name = index_name};
    b->g = g;
    b->names = intern_new(a);
    b->o = *o;
    b->input = arena_copy(a, input, sizeof *input * (size_t)ninput);
    b->ninput = ninput;
    b->nknown = graph_count(g);
    b->known = NEWN(a, Known, b->nknown + 1);
    for (int i = 0; i < ninput; i++) {
        const Node *p = input[i];
        builder_bind(b, p, form_name(&b->m, p->attr.name, p->rank));
        builder_take(b, p->attr.name);
        for (int k = 0; k < p->rank; k++)
            if (dim_is_var(p->dim[k]) && !is_taken(b, dim_var_name(p->dim[k])))
                builder_take(b, dim_var_name(p->dim[k]));
    }
    b->to = &b->s.all;
    b->s.arena = a;
    b->s.maker = &b->m;
    return &b->s;
}

/* What the result is called, where nobody has said how it is written. */
static void claim(Builder *b, ShowResult *r)
{
    Known *k = &b->known[r->node->id];
    bool first = !k->name && !k->bound;
    if (!r->left) {
        r->name = builder_name(b, r->name);
        r->left = form_name(&b->m, r->name, r->node->rank);
        k->own = first;
    }
    if (first)
        k->name = r->name;
}

/* Has the value been defined, as others read it, under the result's name. */
static bool is_there(const Builder *b, const ShowResult *r)
{
    const Known *k = &b->known[r->node->id];
    return k->named && k->whole->kind == FORM_name && r->name &&
           strcmp(k->whole->name, r->name) == 0;
}

void show_results(Shows *s, int n, ShowResult *result)
{
    Builder *b = (Builder *)s->maker;
    Node **root = NEWN(s->arena, Node *, n + 1);
    for (int i = 0; i < n; i++) {
        root[i] = result[i].node;
        b->known[root[i]->id].result = true;
        claim(b, &result[i]);
    }
    builder_build(b, n, root);
    b->last = true;
    for (int i = 0; i < n; i++)
        if (!is_there(b, &result[i]))
            builder_define(b, result[i].left, root[i],
                           b->known[root[i]->id].whole);
    if (!b->o.literal && !s->left_off)
        drop_unread(b, &s->all, n, result);
}
