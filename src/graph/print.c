/* print.c: nodes as formulas, and graphs as lists of nodes. */
#include "graph/ops/ops.h"

#include <ctype.h>
#include <stdlib.h>

/* A pattern being printed: what it is of and how far it got. */
typedef struct Frame {
    const Node *n;
    const char *pattern;
    int prec;
    bool close; /* a parenthesis is open */
} Frame;

typedef struct Printer {
    Arena *scratch;
    Str *to;
    LIST(Frame) stack;
} Printer;

/* "name($=0, $=1)" */
static const char *call_pattern(Arena *a, const Node *n)
{
    Str s = str_new(a);
    str_printf(&s, "%s(", op_table[n->op]->name);
    for (int i = 0; i < n->narg; i++)
        str_printf(&s, "%s$=%d", i ? ", " : "", i);
    str_printf(&s, ")");
    return s.at;
}

/* The pattern that n prints as, skipping nodes that print as their argument. */
static Frame frame_of(Arena *a, const Node *n)
{
    Frame f = {.n = n};
    for (;; f.n = f.n->arg[0]) {
        const Op *row = op_table[f.n->op];
        Str s = str_new(a);
        f.prec = row->prec;
        f.pattern = row->text ? row->text : NULL;
        if (row->form) {
            f.prec = row->form(f.n, false, &s);
            f.pattern = s.at ? s.at : "";
        }
        if (!f.pattern) {
            f.prec = PREC_atom;
            f.pattern = call_pattern(a, f.n);
        }
        if (f.prec != PREC_same)
            return f;
    }
}

/* Does an argument of precedence `arg` need parentheses at a place marked by
 * `mark` ('=' '+' '*' '/' '!' or none) in a form of precedence `prec`. */
static bool needs_parens(int arg, char mark, int prec)
{
    if (arg == PREC_atom || mark == '=')
        return false;
    if (mark == '*' || mark == '/')
        return mark == '*' ? arg < PREC_mul : arg <= PREC_mul;
    if (mark == '!')
        return arg < PREC_postfix;
    if (prec == PREC_atom)
        return false;
    return mark == '+' ? arg <= prec : arg < prec;
}

static void push(Printer *p, const Node *n, char mark, int prec)
{
    Frame f = frame_of(p->scratch, n);
    f.close = needs_parens(f.prec, mark, prec);
    str_printf(p->to, f.close ? "(" : "");
    list_push(p->scratch, &p->stack, f);
}

/* Prints up to the next argument, which it pushes, or to the end. */
static void advance(Printer *p)
{
    Frame *f = &p->stack.at[p->stack.n - 1];
    const char *c = f->pattern;
    while (*c && *c != '$')
        c++;
    str_add(p->to, f->pattern, (size_t)(c - f->pattern));
    if (!*c) {
        str_printf(p->to, f->close ? ")" : "");
        p->stack.n--;
        return;
    }
    char mark = *++c;
    if (isdigit((unsigned char)mark))
        mark = 0;
    else
        c++;
    char *end;
    long i = strtol(c, &end, 10);
    f->pattern = end;
    push(p, f->n->arg[i], mark, f->prec);
}

void node_print(const Node *n, Str *to)
{
    Printer p = {.scratch = arena_new(), .to = to};
    push(&p, n, '=', PREC_atom);
    while (p.stack.n)
        advance(&p);
    arena_free(p.scratch);
}

/* Dump. */

/* A leaf, or a number repeated, is written where it is used; the rest has a
 * line and a number. */
static bool is_inline(const Node *n)
{
    const Node *x = n->op == OP_broadcast ? n->arg[0] : n;
    return x->op == OP_const || x->op == OP_dim || n->op == OP_param;
}

static void dump_type(const Graph *g, const Node *n, Str *s)
{
    bool real = n->dtype == graph_real(g);
    str_printf(s, "%s", real ? "real" : dtype_name(n->dtype));
    if (n->rank)
        print_dims(n->rank, n->dim, s);
}

static void dump_ref(const Node *n, const int *number, Str *s)
{
    if (is_inline(n))
        node_print(n, s);
    else
        str_printf(s, "%%%d", number[n->id]);
}

static bool has_axis(const Node *n)
{
    return n->op == OP_flip || n->op == OP_concat || n->op == OP_gather ||
           n->op == OP_scatter_add;
}

/* Attributes that the type of the result does not show. */
static void dump_attr(const Node *n, Str *s)
{
    const Attr *a = &n->attr;
    const char *sep = n->narg ? "; " : "";
    bool shape = n->op == OP_broadcast || n->op == OP_reshape;
    bool ints = n->op != OP_broadcast || n->arg[0]->rank;
    if (n->op == OP_data) {
        node_print(n, s);
        return;
    }
    for (int i = 0; i < a->nint && ints; i++)
        str_printf(s, "%s%d", i ? " " : sep, a->ints[i]);
    if (a->nint && ints)
        sep = "; ";
    if (n->op != OP_contract && op_table[n->op]->cls != OPC_leaf &&
        (a->integer || has_axis(n)))
        str_printf(s, "%s%lld", sep, (long long)a->integer);
    for (int i = 0; i < a->ndim && !shape; i++) {
        str_printf(s, "%s", i ? " " : sep);
        dim_print(a->dims[i], s);
    }
}

static void dump_node(const Graph *g, const Node *n, const int *number, Str *s)
{
    str_printf(s, "%%%d = %s(", number[n->id], op_table[n->op]->name);
    for (int i = 0; i < n->narg; i++) {
        str_printf(s, i ? ", " : "");
        dump_ref(n->arg[i], number, s);
    }
    dump_attr(n, s);
    str_printf(s, ") : ");
    dump_type(g, n, s);
}

static void dump_root(const Graph *g, const Node *n, const char *name,
                      const int *number, FILE *to)
{
    Arena *a = arena_new();
    Str s = str_new(a);
    dump_ref(n, number, &s);
    if (is_inline(n) && n->op != OP_param) {
        str_printf(&s, " : ");
        dump_type(g, n, &s);
    }
    fprintf(to, "%s = %s\n", name, s.at);
    arena_free(a);
}

/* The nodes below the roots, arguments before users, first arguments first:
 * an order that does not depend on ids. */
typedef struct Visit {
    Node *node;
    int next;
} Visit;

static void number_from(Arena *a, Node *root, int *number, Node **order,
                        int *count)
{
    LIST(Visit) stack = {0};
    list_push(a, &stack, ((Visit){root, 0}));
    while (stack.n) {
        Visit *v = &stack.at[stack.n - 1];
        if (number[v->node->id] < 0 && v->next < v->node->narg) {
            Node *arg = v->node->arg[v->next++];
            if (number[arg->id] < 0)
                list_push(a, &stack, ((Visit){arg, 0}));
            continue;
        }
        if (number[v->node->id] < 0 && !is_inline(v->node)) {
            number[v->node->id] = *count;
            order[(*count)++] = v->node;
        }
        stack.n--;
    }
}

void graph_dump(const Graph *g, int nroot, Node *const *root,
                const char *const *root_name, FILE *to)
{
    Arena *scratch = arena_new();
    int total = graph_count(g), count = 0;
    int *number = NEWN(scratch, int, total + 1);
    Node **order = NEWN(scratch, Node *, total + 1);
    for (int i = 0; i < total; i++)
        number[i] = -1;
    for (int i = 0; i < nroot; i++)
        number_from(scratch, root[i], number, order, &count);
    Str s = str_new(scratch);
    bool *live = graph_reach(g, scratch, nroot, root);
    for (int i = 0; i < total; i++)
        if (live[i] && graph_node(g, i)->op == OP_param) {
            s.n = 0;
            str_printf(&s, "%s : ", graph_node(g, i)->attr.name);
            dump_type(g, graph_node(g, i), &s);
            fprintf(to, "%s\n", s.at);
        }
    for (int i = 0; i < count; i++) {
        s.n = 0;
        dump_node(g, order[i], number, &s);
        fprintf(to, "%s\n", s.at);
    }
    for (int i = 0; i < nroot; i++)
        dump_root(g, root[i], root_name ? root_name[i] : "result", number, to);
    arena_free(scratch);
}
