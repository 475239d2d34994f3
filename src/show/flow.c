/* flow.c: what reads what among equations, and where each stands. */
#include "show/flow.h"

#include <string.h>

enum { MOST_INPUTS = 16 };

typedef struct Maker {
    Flow f; /* first: Flow * is Maker * */
    Arena *arena;
    Intern *names;
    Map bound;              /* which box a name is of, the last one */
    LIST(const char *) var; /* indices in use */
    LIST(int) structs;      /* boxes of inputs that are structs */
    Map places;             /* by what they are of */
    const ShowResults *result;
    int nprimal;
} Maker;

/* Names */

/* -1: of none. */
static int find(const Maker *m, const char *name)
{
    return map_of_int(&m->bound, intern(m->names, name));
}

static void bind(Maker *m, const char *name, int box)
{
    map_set_int(m->arena, &m->bound, intern(m->names, name), box);
}

/* What is left of an equation without indices and steps. */
static const Form *defined(const Form *left)
{
    while (left->kind == FORM_at || left->kind == FORM_step)
        left = left->arg[0];
    return left;
}

static bool is_step(const Form *left)
{
    while (left->kind == FORM_at)
        left = left->arg[0];
    return left->kind == FORM_step;
}

/* Boxes */

static bool is_result(const Maker *m, const Form *left, int from, int to)
{
    for (int i = from; i < to; i++) {
        const Form *r = m->result->at[i].left;
        if (r == left || (r->kind == FORM_name && left->kind == FORM_name &&
                          strcmp(r->name, left->name) == 0))
            return true;
    }
    return false;
}

static int box_add(Maker *m, Box b)
{
    list_push(m->arena, &m->f.box, b);
    return m->f.box.n - 1;
}

static void arrow_add(Maker *m, int from, int to, const char *part, bool again)
{
    Arrow a = {from, to, part, again};
    list_push(m->arena, &m->f.arrow, a);
}

/* Is x "net.W" and s "net", or a part of it; what is left of x. */
static const char *part_of(const char *x, const char *s)
{
    size_t n = strlen(s);
    return strncmp(x, s, n) == 0 && x[n] == '.' ? x + n + 1 : NULL;
}

/* The box of a struct that is read as a whole and has this input. */
static int struct_of(const Maker *m, const char *name, const char **part)
{
    for (int i = 0; i < m->structs.n; i++) {
        *part = part_of(name, m->f.box.at[m->structs.at[i]].name);
        if (*part)
            return m->structs.at[i];
    }
    return -1;
}

static void read_name(Maker *m, const char *name, int to)
{
    const char *part = NULL;
    int box = find(m, name);
    for (int i = 0; i < m->var.n; i++)
        if (strcmp(m->var.at[i], name) == 0)
            return;
    if (box < 0)
        return;
    bool input = m->f.box.at[box].role == BOX_input;
    int in = input ? struct_of(m, name, &part) : -1;
    arrow_add(m, in >= 0 ? in : box, to, in >= 0 ? part : NULL, false);
}

/* What f, a part of box `to`, reads. */
static void read_form(Maker *m, const Form *f, int to)
{
    int before = m->var.n;
    bool over = f->kind == FORM_over || f->kind == FORM_each;
    for (int i = 0; over && i < f->nvar; i++)
        list_push(m->arena, &m->var, f->arg[2 * i]->name);
    if (f->kind == FORM_name)
        read_name(m, f->name, to);
    for (int i = 0; i < f->narg; i++)
        read_form(m, f->arg[i], to);
    m->var.n = before;
}

static int equation_box(Maker *m, const Equation *e, int loop, BoxRole role)
{
    const Form *left = defined(e->left);
    int n = m->result->n;
    int to = box_add(m, (Box){.role = role,
                              .e = e,
                              .node = e->node,
                              .loop = loop,
                              .result = is_result(m, left, 0, n),
                              .primal = is_result(m, left, 0, m->nprimal)});
    int before = m->var.n;
    for (int i = 0; i < e->nindex; i++)
        list_push(m->arena, &m->var, e->index[i]->name);
    read_form(m, e->right, to);
    m->var.n = before;
    return to;
}

static void bind_left(Maker *m, const Equation *e, int box)
{
    const Form *left = defined(e->left);
    if (left->kind == FORM_name)
        bind(m, left->name, box);
}

static void loop_boxes(Maker *m, const Equation *e, int outer);

static void boxes(Maker *m, const Equations *all, int loop)
{
    for (int i = 0; i < all->list.n; i++) {
        const Equation *e = &all->list.at[i];
        if (e->loop)
            loop_boxes(m, e, loop);
        else
            bind_left(m, e, equation_box(m, e, loop, BOX_value));
    }
}

/* Before a loop its names are of what it carries into a step, after it of what
 * a step gives. */
static void loop_boxes(Maker *m, const Equation *e, int outer)
{
    Flow *f = &m->f;
    const Recurrence *r = e->loop;
    LIST(int) next = {0};
    int loop = f->loop.n, start;
    list_push(m->arena, &f->loop, ((FlowLoop){e, outer, -1, false}));
    for (int i = 0; i < r->start->list.n; i++) {
        const Equation *q = &r->start->list.at[i];
        bool carried = !q->loop && is_step(q->left);
        if (q->loop)
            loop_boxes(m, q, outer);
        else
            bind_left(m, q,
                      equation_box(m, q, carried ? loop : outer,
                                   carried ? BOX_start : BOX_value));
    }
    for (int i = 0; i < r->step->list.n; i++) {
        const Equation *q = &r->step->list.at[i];
        if (q->loop)
            loop_boxes(m, q, loop);
        else if (is_step(q->left))
            list_push(m->arena, &next, equation_box(m, q, loop, BOX_next));
        else
            bind_left(m, q, equation_box(m, q, loop, BOX_value));
    }
    for (int i = 0; i < next.n; i++) {
        const Equation *q = f->box.at[next.at[i]].e;
        start = find(m, defined(q->left)->name);
        arrow_add(m, next.at[i], start, NULL, true);
        bind_left(m, q, next.at[i]);
    }
}

/* Inputs, and structs of them that are given to calls as a whole. */

static void find_structs(Maker *m, const Form *f, int ninput,
                         Node *const *input)
{
    for (int i = 0; f->kind == FORM_name && i < ninput; i++)
        if (find(m, f->name) < 0 && part_of(input[i]->attr.name, f->name)) {
            int box = box_add(m, (Box){.name = f->name, .loop = -1});
            list_push(m->arena, &m->structs, box);
            bind(m, f->name, box);
        }
    for (int i = 0; i < f->narg; i++)
        find_structs(m, f->arg[i], ninput, input);
}

/* Of many inputs those of one parameter are a box. */
static void whole_params(Maker *m, int ninput, Node *const *input)
{
    for (int i = 0; i < ninput && ninput > MOST_INPUTS; i++) {
        const char *name = input[i]->attr.name, *dot = strchr(name, '.');
        Form whole = {.kind = FORM_name};
        if (!dot)
            continue;
        whole.name = arena_printf(m->arena, "%.*s", (int)(dot - name), name);
        find_structs(m, &whole, ninput, input);
    }
}

static void structs_of(Maker *m, const Equations *all, int ninput,
                       Node *const *input)
{
    for (int i = 0; i < all->list.n; i++) {
        const Equation *e = &all->list.at[i];
        if (!e->loop) {
            find_structs(m, e->right, ninput, input);
            continue;
        }
        structs_of(m, e->loop->start, ninput, input);
        structs_of(m, e->loop->step, ninput, input);
    }
}

/* Sides */

/* What a result of the function is made of is the function. Arrows point from
 * older boxes to newer ones but for those from step to step. */
static void mark_primal(Maker *m)
{
    Flow *f = &m->f;
    for (bool more = true; more;) {
        more = false;
        for (int i = f->arrow.n; i-- > 0;) {
            const Arrow *a = &f->arrow.at[i];
            if (!f->box.at[a->to].primal || f->box.at[a->from].primal)
                continue;
            f->box.at[a->from].primal = true;
            more = more || a->again || a->from > a->to;
        }
    }
    for (int i = 0; i < f->box.n; i++)
        for (int k = f->box.at[i].loop; k >= 0 && f->box.at[i].primal;
             k = f->loop.at[k].outer)
            f->loop.at[k].primal = true;
}

static bool in_primal(const Flow *f, bool primal, int loop)
{
    for (; loop >= 0; loop = f->loop.at[loop].outer)
        primal = f->loop.at[loop].primal;
    return primal;
}

/* Places */

static int place_in(Maker *m, int outer, int call, const Recurrence *loop)
{
    Flow *f = &m->f;
    uint64_t h = hash_mix(hash_mix(HASH_SEED, (uint64_t)outer), (uint64_t)call);
    int i;
    h = hash_pointer(h, loop);
    for (size_t seen = 0; (i = map_next_int(&m->places, h, &seen)) >= 0;) {
        const Place *p = &f->place.at[i];
        if (p->outer == outer && p->call == call && p->loop == loop)
            return i;
    }
    const Place *o = &f->place.at[outer];
    Place p = {outer, o->depth + 1, call, loop, o->derivative};
    map_put_int(m->arena, &m->places, h, f->place.n);
    list_push(m->arena, &f->place, p);
    return f->place.n - 1;
}

/* The place of `call` inside of `outer`, which is made in call `base` (0: in
 * none). The outermost call is that of the function itself. */
static int call_place(Maker *m, int outer, int base, int call)
{
    LIST(int) chain = {0};
    int up = call;
    for (; up && up != base; up = graph_call_outer(m->f.graph, up))
        list_push(m->arena, &chain, up);
    if (base ? up != base : chain.n == 0)
        return outer;
    for (int i = chain.n - (base ? 1 : 2); i >= 0; i--)
        outer = place_in(m, outer, chain.at[i], NULL);
    return outer;
}

static int place_of(Maker *m, const Node *n, int loop, int side);

static int loop_place(Maker *m, int loop, int side)
{
    FlowLoop *l = &m->f.loop.at[loop];
    if (l->place < 0)
        l->place =
            place_in(m, place_of(m, l->e->node, l->outer, side), 0, l->e->loop);
    return l->place;
}

/* Recursion follows the nesting of loops. */
static int place_of(Maker *m, const Node *n, int loop, int side)
{
    if (loop < 0)
        return call_place(m, side, 0, n->call);
    int base = m->f.loop.at[loop].e->node->call;
    return call_place(m, loop_place(m, loop, side), base, n->call);
}

/* What a loop carries stands in it and in no call, a result in none at all. */
static int box_place(Maker *m, const Box *b, int side)
{
    if (b->result)
        return side;
    switch (b->role) {
    case BOX_input:
        return side;
    case BOX_value:
        return place_of(m, b->node, b->loop, side);
    case BOX_start:
    case BOX_next:
        break;
    }
    return loop_place(m, b->loop, side);
}

static void find_places(Maker *m)
{
    Flow *f = &m->f;
    for (int k = 0; k < 2; k++) {
        Place side = {.outer = -1, .derivative = k == SIDE_derivative};
        list_push(m->arena, &f->place, side);
    }
    for (int i = 0; i < f->box.n; i++) {
        Box *b = &f->box.at[i];
        int side =
            in_primal(f, b->primal, b->loop) ? SIDE_primal : SIDE_derivative;
        b->place = box_place(m, b, side);
    }
}

bool flow_in_place(const Flow *f, int box, int place)
{
    int p = f->box.at[box].place;
    while (p > place)
        p = f->place.at[p].outer;
    return p == place;
}

/* A call of one box is not shown as a place. What is inside of a place is newer
 * than it is. */
static void dissolve_places(Maker *m)
{
    Flow *f = &m->f;
    int *count = NEWN(m->arena, int, f->place.n);
    int *one = NEWN(m->arena, int, f->place.n);
    for (int i = 0; i < f->box.n; i++) {
        count[f->box.at[i].place]++;
        one[f->box.at[i].place] = i;
    }
    for (int p = f->place.n - 1; p > SIDE_derivative; p--) {
        int outer = f->place.at[p].outer;
        if (count[p] == 1 && !f->place.at[p].loop)
            f->box.at[one[p]].place = outer;
        count[outer] += count[p];
        one[outer] = count[p] ? one[p] : one[outer];
    }
}

/* Inputs that nobody reads are not shown. */
static void drop_unread(Maker *m)
{
    Flow *f = &m->f;
    int *now = NEWN(m->arena, int, f->box.n + 1), n = 0;
    for (int i = 0; i < f->arrow.n; i++)
        now[f->arrow.at[i].from] = 1;
    for (int i = 0; i < f->box.n; i++) {
        bool kept = now[i] || f->box.at[i].role != BOX_input;
        now[i] = n;
        if (kept)
            f->box.at[n++] = f->box.at[i];
    }
    f->box.n = n;
    for (int i = 0; i < f->arrow.n; i++) {
        f->arrow.at[i].from = now[f->arrow.at[i].from];
        f->arrow.at[i].to = now[f->arrow.at[i].to];
    }
}

Flow *flow_new(const Shows *s, Graph *g, const ShowResults *r, int n,
               int ninput, Node *const *input)
{
    Maker *m = NEW(s->arena, Maker);
    m->arena = s->arena;
    m->names = intern_new(s->arena);
    m->f.graph = g;
    m->result = r;
    m->nprimal = n;
    for (int i = 0; i < ninput; i++)
        bind(m, input[i]->attr.name,
             box_add(m, (Box){.name = input[i]->attr.name,
                              .node = input[i],
                              .loop = -1}));
    whole_params(m, ninput, input);
    structs_of(m, &s->all, ninput, input);
    boxes(m, &s->all, -1);
    mark_primal(m);
    drop_unread(m);
    find_places(m);
    dissolve_places(m);
    return &m->f;
}

int flow_folded(const Flow *f, int i, int depth)
{
    int p = f->box.at[i].place;
    if (f->place.at[p].depth <= depth)
        return -1;
    while (f->place.at[p].depth > depth + 1)
        p = f->place.at[p].outer;
    return p;
}

int flow_count(const Flow *f, int depth)
{
    Arena *scratch = arena_new();
    bool *seen = NEWN(scratch, bool, f->place.n + 1);
    int n = 0;
    for (int i = 0; i < f->box.n; i++) {
        int p = flow_folded(f, i, depth);
        n += p < 0 || !seen[p];
        if (p >= 0)
            seen[p] = true;
    }
    arena_free(scratch);
    return n;
}

int flow_depth(const Flow *f)
{
    int depth = 0;
    for (int i = 0; i < f->place.n; i++)
        if (f->place.at[i].depth > depth)
            depth = f->place.at[i].depth;
    return depth;
}
