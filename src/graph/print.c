/* print.c: nodes as formulas, and graphs as lists of nodes. */
#include "graph/ops/ops.h"
#include "graph/region.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

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
    const Graph *g; /* for the names of what is too deep; NULL: nothing is */
    int depth;
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

static const char *name_of(const Node *param)
{
    return param->attr.name ? param->attr.name : "_";
}

/* "fold(t < n, h = $=0, x = $=1[t], w = $=2 | ($=3, $=4)).0", where the numbers
 * from narg on are the region's results. */
static const char *loop_pattern(Arena *a, const Node *n, int part)
{
    const Region *r = node_region(n);
    bool carry = part < r->ncarry;
    int many = carry ? r->ncarry : 1, first = n->narg + (carry ? 0 : part);
    Str s = str_new(a);
    str_printf(&s, "%s(%s < ", carry ? "fold" : "scan", name_of(r->index));
    dim_print(r->trips, &s);
    for (int i = 0; i < n->narg; i++) {
        const Node *p = region_param(r, i), *arg = n->arg[i];
        bool input = i >= r->ncarry && i < r->ncarry + r->ninput;
        if (i >= r->ncarry + r->ninput && p && arg->op == OP_param &&
            strcmp(name_of(p), name_of(arg)) == 0)
            continue; /* a name for itself */
        str_printf(&s, ", %s = $%s%d", p ? name_of(p) : "count",
                   input ? "!" : "=", i);
        if (input)
            str_printf(&s, "[%s]", name_of(r->index));
    }
    if (r->until)
        str_printf(&s, ", until = $=%d", n->narg + r->ncarry + r->noutput);
    str_printf(&s, r->reverse ? ", reverse | " : " | ");
    str_printf(&s, many > 1 ? "(" : "");
    for (int i = 0; i < many; i++)
        str_printf(&s, "%s$=%d", i ? ", " : "", first + i);
    str_printf(&s, many > 1 ? ")).%d" : ")", part);
    return s.at;
}

/* As a function in place: "(fn(x = $=0) = $=1)". */
static const char *inline_pattern(Arena *a, const Node *n, int part)
{
    const Region *r = node_region(n);
    Str s = str_new(a);
    str_printf(&s, "(fn(");
    for (int i = 0; i < n->narg; i++)
        str_printf(&s, "%s%s = $=%d", i ? ", " : "", name_of(r->capture[i]), i);
    str_printf(&s, ") = $=%d)", n->narg + part);
    return s.at;
}

/* A part prints as its loop or call. */
static void part_frame(Arena *a, Frame *f)
{
    const Node *of = f->n->arg[0];
    const Region *r = node_region(of);
    int part = (int)f->n->attr.integer;
    f->n = of;
    f->prec = PREC_postfix;
    if (of->op == OP_call)
        f->pattern = inline_pattern(a, of, part);
    else if (part < r->ncarry + r->noutput)
        f->pattern = loop_pattern(a, of, part);
    else
        f->pattern = "steps";
}

/* Argument i, or after those a result of n's region. */
static const Node *operand(const Node *n, long i)
{
    if (i < n->narg)
        return n->arg[i];
    const Region *r = node_region(n);
    i -= n->narg;
    if (i < r->ncarry)
        return r->next[i];
    i -= r->ncarry;
    return i < r->noutput ? r->output[i] : r->until;
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
        if (f.n->op == OP_part) {
            part_frame(a, &f);
            return f;
        }
        if (row->form) {
            f.prec = row->form(f.n, &s);
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
    return mark == '+' ? arg <= prec : arg < prec;
}

/* In place of what is too deep. */
static bool put_name(const Printer *p, const Node *n)
{
    const NodeLabel *let = p->g ? graph_let_label(p->g, n) : NULL;
    if (!p->g || p->stack.n == 0 || op_table[n->op]->cls == OPC_leaf ||
        (!let && p->stack.n <= p->depth))
        return false;
    str_printf(p->to, "%s", let ? let->name : "…");
    return true;
}

static void push(Printer *p, const Node *n, char mark, int prec)
{
    if (put_name(p, n))
        return;
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
    push(p, operand(f->n, i), mark, f->prec);
}

void node_print_top(const Graph *g, const Node *n, int depth, Str *to)
{
    Printer p = {.scratch = arena_new(), .to = to, .g = g, .depth = depth};
    push(&p, n, '=', PREC_atom);
    while (p.stack.n)
        advance(&p);
    arena_free(p.scratch);
}

void node_print(const Node *n, Str *to) { node_print_top(NULL, n, 0, to); }

/* Dump. */

/* A leaf, or a number repeated, is written where it is used; the rest has a
 * line and a number. */
static bool is_inline(const Node *n)
{
    return node_is_size(n) || n->op == OP_param;
}

static void dump_type(const Graph *g, const Node *n, Str *s)
{
    bool real = n->dtype == graph_real(g);
    str_printf(s, "%s", real ? "real" : dtype_name(n->dtype));
    if (n->rank)
        dims_print(n->rank, n->dim, s);
}

/* What the nodes of a list are called: as `let` did, or by number. */
typedef struct Names {
    int *number;       /* by id; -1: none yet */
    const char **name; /* by id */
    Node **order;      /* a line each */
    int count, numbered;
    Intern *texts;
    Map given; /* how often each was, but for the first time */
} Names;

static void dump_name(const Node *n, const Names *names, Str *s)
{
    if (names->name[n->id])
        str_printf(s, "%%%s", names->name[n->id]);
    else
        str_printf(s, "%%%d", names->number[n->id]);
}

static void dump_ref(const Node *n, const Names *names, Str *s)
{
    if (is_inline(n))
        node_print(n, s);
    else
        dump_name(n, names, s);
}

/* Is its integer shown even when it is 0. */
static bool has_number(const Node *n)
{
    return n->op == OP_part || n->op == OP_concat || n->op == OP_gather ||
           n->op == OP_scatter_add;
}

/* The axes where that says it all; else the index that is read or added to. */
static void dump_view(const Node *n, Str *s)
{
    View v = view_of(n);
    bool axes = node_repeats(n) || node_permutes(n);
    if (v.from == 0 || v.rank == 0)
        return;
    str_printf(s, "; ");
    for (int j = 0; axes && j < v.rank; j++)
        str_printf(s, j ? " %d" : "%d", v.axis[j]);
    if (!axes)
        view_print(&v, s);
}

/* Attributes that the type of the result does not show. */
static void dump_attr(const Node *n, Str *s)
{
    const Attr *a = &n->attr;
    const char *sep = n->narg ? "; " : "";
    bool shape = n->op == OP_reshape;
    if (n->op == OP_data) {
        node_print(n, s);
        return;
    }
    if (n->op == OP_view || n->op == OP_view_add) {
        dump_view(n, s);
        return;
    }
    for (int i = 0; i < a->nint; i++)
        str_printf(s, "%s%d", i ? " " : sep, a->ints[i]);
    if (a->nint)
        sep = "; ";
    if (n->op != OP_contract && op_table[n->op]->cls != OPC_leaf &&
        (a->integer || has_number(n)))
        str_printf(s, "%s%lld", sep, (long long)a->integer);
    for (int i = 0; i < a->ndim && !shape; i++) {
        str_printf(s, "%s", i ? " " : sep);
        dim_print(a->dims[i], s);
    }
}

/* What a region's node says beside its arguments. */
static void dump_region_attr(const Region *r, Str *s)
{
    if (r->trips) {
        str_printf(s, "; %s < ", name_of(r->index));
        dim_print(r->trips, s);
    }
    str_printf(s, "%s%s%s%s", r->reverse ? " reverse" : "",
               r->counted ? " counted" : "", r->remat ? " remat" : "",
               r->apart ? " apart" : "");
}

static void dump_node(const Graph *g, const Node *n, const Names *names, Str *s)
{
    dump_name(n, names, s);
    str_printf(s, " = %s(", view_word(n));
    for (int i = 0; i < n->narg; i++) {
        str_printf(s, i ? ", " : "");
        dump_ref(n->arg[i], names, s);
    }
    dump_attr(n, s);
    if (n->attr.region) {
        dump_region_attr(n->attr.region, s);
        str_printf(s, ")");
        return;
    }
    str_printf(s, ") : ");
    dump_type(g, n, s);
}

static void dump_root(const Graph *g, const Node *n, const char *name,
                      const Names *names, int indent, FILE *to)
{
    Arena *a = arena_new();
    Str s = str_new(a);
    dump_ref(n, names, &s);
    if (is_inline(n) && n->op != OP_param) {
        str_printf(&s, " : ");
        dump_type(g, n, &s);
    }
    fprintf(to, "%*s%s = %s\n", indent, "", name, s.at);
    arena_free(a);
}

/* The nodes below the roots, arguments before users, first arguments first:
 * an order that does not depend on ids. */
typedef struct Visit {
    Node *node;
    int next;
} Visit;

/* "h", the second of that name "h.2". */
static const char *let_name(const Graph *g, Arena *a, Names *names,
                            const Node *n)
{
    const NodeLabel *let = graph_let_label(g, n);
    if (!let)
        return NULL;
    const char *name = intern(names->texts, let->name);
    int before = map_of_int(&names->given, name) + 1;
    map_set_int(a, &names->given, name, before);
    return before ? arena_printf(a, "%s.%d", name, before + 1) : name;
}

static void name_node(const Graph *g, Arena *a, Names *names, Node *n)
{
    names->name[n->id] = let_name(g, a, names, n);
    names->number[n->id] = names->name[n->id] ? 0 : names->numbered++;
    names->order[names->count++] = n;
}

static void name_from(const Graph *g, Arena *a, Node *root, Names *names)
{
    LIST(Visit) stack = {0};
    int *number = names->number;
    list_push(a, &stack, ((Visit){root, 0}));
    while (stack.n) {
        Visit *v = &stack.at[stack.n - 1];
        if (number[v->node->id] < 0 && v->next < v->node->narg) {
            Node *arg = v->node->arg[v->next++];
            if (number[arg->id] < 0)
                list_push(a, &stack, ((Visit){arg, 0}));
            continue;
        }
        if (number[v->node->id] < 0 && !is_inline(v->node))
            name_node(g, a, names, v->node);
        stack.n--;
    }
}

/* A list of nodes being written. */
typedef struct Dump {
    const Graph *g;
    Arena *scratch;
    int indent;
    FILE *to;
} Dump;

static void dump_body(const Dump *outer, const Region *r);

static void dump_param(const Dump *d, const Node *p, const char *what)
{
    Str s = str_new(d->scratch);
    str_printf(&s, "%s%s : ", what, name_of(p));
    dump_type(d->g, p, &s);
    fprintf(d->to, "%*s%s\n", d->indent, "", s.at);
}

/* The nodes below the roots, a line each; what they are called. */
static Names dump_nodes(const Dump *d, int nroot, Node *const *root)
{
    int total = graph_count(d->g);
    Names names = {.texts = intern_new(d->scratch),
                   .number = NEWN(d->scratch, int, total + 1),
                   .name = NEWN(d->scratch, const char *, total + 1),
                   .order = NEWN(d->scratch, Node *, total + 1)};
    Str s = str_new(d->scratch);
    for (int i = 0; i < total; i++)
        names.number[i] = -1;
    for (int i = 0; i < nroot; i++)
        name_from(d->g, d->scratch, root[i], &names);
    for (int i = 0; i < names.count; i++) {
        s.n = 0;
        dump_node(d->g, names.order[i], &names, &s);
        fprintf(d->to, "%*s%s\n", d->indent, "", s.at);
        if (names.order[i]->attr.region)
            dump_body(d, names.order[i]->attr.region);
    }
    return names;
}

/* Recursion follows the nesting of regions. */
static void dump_body(const Dump *outer, const Region *r)
{
    Dump d = {outer->g, arena_new(), outer->indent + 4, outer->to};
    int n = region_nresult(r);
    Node **result = NEWN(d.scratch, Node *, n + 1);
    if (r->index)
        dump_param(&d, r->index, "index ");
    for (int i = 0; i < r->ncarry; i++)
        dump_param(&d, r->carry[i], "carry ");
    for (int i = 0; i < r->ninput; i++)
        dump_param(&d, r->input[i], "input ");
    for (int i = 0; i < r->ncapture; i++)
        dump_param(&d, r->capture[i], "capture ");
    region_results(r, result);
    Names names = dump_nodes(&d, n, result);
    for (int i = 0; i < n; i++) {
        const char *name = "until";
        if (i < r->ncarry)
            name = arena_printf(d.scratch, "next %s", name_of(r->carry[i]));
        else if (i < r->ncarry + r->noutput)
            name = "output";
        dump_root(d.g, result[i], name, &names, d.indent, d.to);
    }
    if (r->vjp) {
        fprintf(d.to, "%*sderivative\n", d.indent, "");
        dump_body(&d, r->vjp);
    }
    arena_free(d.scratch);
}

void graph_dump(const Graph *g, int nroot, Node *const *root,
                const char *const *root_name, FILE *to)
{
    Dump d = {g, arena_new(), 0, to};
    bool *live = graph_reach(g, d.scratch, false, nroot, root);
    for (int i = 0; i < graph_count(g); i++)
        if (live[i] && graph_node(g, i)->op == OP_param)
            dump_param(&d, graph_node(g, i), "");
    Names names = dump_nodes(&d, nroot, root);
    for (int i = 0; i < nroot; i++)
        dump_root(g, root[i], root_name ? root_name[i] : "result", &names, 0,
                  to);
    arena_free(d.scratch);
}
