/* dot.c: a graph of equations as a program for Graphviz. */
#include "show/flow.h"

#include <string.h>

enum { WIDE = 48 /* letters of a formula at most */ };

/* Looks: of a box by what it does. */
typedef struct Look {
    const char *fill, *line;
} Look;

static const Look look_input = {"#dfeafc", "#4a76b8"};
static const Look look_call = {"#fbe3df", "#bf5f50"};

static const Look *look_of(const Form *f)
{
    static const Look arithmetic = {"#f4f4f2", "#8b8b85"};
    static const Look function = {"#fdf1d0", "#c39a2b"};
    static const Look product = {"#dff2df", "#4c9650"};
    static const Look sum = {"#efe4fa", "#8a60b8"};
    static const Look *const look[NSORTS] = {
        [SORT_other] = &arithmetic,    [SORT_add] = &arithmetic,
        [SORT_multiply] = &arithmetic, [SORT_divide] = &arithmetic,
        [SORT_root] = &function,       [SORT_function] = &function,
        [SORT_contract] = &product,    [SORT_reduce] = &sum,
    };

    return look[form_sort(f->kind)];
}

/* Texts */

typedef struct Drawing {
    const Flow *f;
    const DotOptions *o;
    Str *to;
    Arena *scratch;
    int indent;
} Drawing;

static void line(const Drawing *d)
{
    str_printf(d->to, "%*s", 2 * d->indent, "");
}

static void put_quoted(const char *text, Str *to)
{
    str_printf(to, "\"");
    for (const char *c = text; *c; c++)
        str_printf(to, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
    str_printf(to, "\"");
}

/* The first letters of a text that is too long. */
static const char *cut(Arena *a, const char *text)
{
    int n = 0;
    for (const char *c = text; *c; c++) {
        n += (*c & 0xc0) != 0x80;
        if (n == WIDE)
            return arena_printf(a, "%.*s…", (int)(c - text), text);
    }
    return text;
}

static const char *text_of(Arena *a, const Form *f)
{
    Str s = str_new(a);
    form_write(&notation_text, f, &s);
    return s.at;
}

static const char *box_text(Arena *a, const Box *b)
{
    if (b->role == BOX_input)
        return b->name;
    return arena_printf(a, "%s = %s", text_of(a, b->e->left),
                        text_of(a, b->e->right));
}

/* "for t = 0 … n − 1" */
static const char *loop_text(Arena *a, const Recurrence *r)
{
    Str s = str_new(a);
    recurrence_write(&notation_text, r, &s);
    size_t n = strlen(s.at);
    if (n && s.at[n - 1] == ':')
        s.at[n - 1] = 0;
    return s.at;
}

static const char *place_text(const Drawing *d, int i)
{
    const Place *p = &d->f->place.at[i];
    if (p->outer < 0)
        return d->o->name[p->derivative];
    if (p->loop)
        return loop_text(d->scratch, p->loop);
    return arena_printf(d->scratch, "%s%s", p->derivative ? "∂" : "",
                        graph_call_name(d->f->graph, p->call));
}

/* "b×10"; of a real number nothing. */
static const char *shape_text(Arena *a, Graph *g, const Node *n)
{
    Str s = str_new(a);
    str_printf(&s, "%s", n->dtype == graph_real(g) ? "" : dtype_word(n->dtype));
    for (int i = 0; i < n->rank; i++) {
        const char *text = dim_text(g, n->dim[i]);
        bool sum = strpbrk(text, " +-") != NULL;
        str_printf(&s, i ? "×" : s.n ? " " : "");
        str_printf(&s, sum ? "(%s)" : "%s", text);
    }
    return s.at;
}

/* Boxes */

static void put_attributes(const Drawing *d, const char *text, const Look *l)
{
    const char *shown = cut(d->scratch, text);
    str_printf(d->to, " [label=");
    put_quoted(shown, d->to);
    str_printf(d->to, ", tooltip=");
    put_quoted(text, d->to);
    str_printf(d->to, ", fillcolor=\"%s\", color=\"%s\"", l->fill, l->line);
}

static void put_box(const Drawing *d, int i)
{
    const Box *b = &d->f->box.at[i];
    bool input = b->role == BOX_input;
    line(d);
    str_printf(d->to, "b%d", i);
    put_attributes(d, box_text(d->scratch, b),
                   input ? &look_input : look_of(b->e->right));
    str_printf(d->to, "%s%s];\n", input ? ", shape=ellipse" : "",
               b->result ? ", penwidth=2.4" : "");
}

/* A place as one box: its name, what it carries, how many there are in it. */
static void put_folded(const Drawing *d, int place)
{
    const Flow *f = d->f;
    Str s = str_new(d->scratch);
    int n = 0, carried = 0;
    str_printf(&s, "%s", place_text(d, place));
    for (int i = 0; i < f->box.n; i++) {
        const Box *b = &f->box.at[i];
        if (!flow_in_place(f, i, place))
            continue;
        n++;
        if (b->role == BOX_next && b->place == place)
            str_printf(&s, "%s%s", carried++ ? ", " : ": ",
                       text_of(d->scratch, b->e->left));
    }
    str_printf(&s, " (%d)", n);
    line(d);
    str_printf(d->to, "p%d", place);
    put_attributes(d, s.at, &look_call);
    str_printf(d->to, ", peripheries=2];\n");
}

static void put_places(Drawing *d, int outer);

static void put_place(Drawing *d, int place)
{
    const Place *p = &d->f->place.at[place];
    line(d);
    str_printf(d->to, "subgraph cluster_p%d {\n", place);
    d->indent++;
    line(d);
    str_printf(d->to, "label=");
    put_quoted(place_text(d, place), d->to);
    str_printf(d->to, "; style=\"rounded%s\"; color=\"%s\"; fontsize=%d;\n",
               p->loop ? ",dashed" : "", p->outer < 0 ? "#9aa4b2" : "#c4c9d1",
               p->outer < 0 ? 14 : 11);
    for (int i = 0; i < d->f->box.n; i++)
        if (d->f->box.at[i].place == place)
            put_box(d, i);
    put_places(d, place);
    d->indent--;
    line(d);
    str_printf(d->to, "}\n");
}

static bool has_boxes(const Flow *f, int place)
{
    for (int i = 0; i < f->box.n; i++)
        if (flow_in_place(f, i, place))
            return true;
    return false;
}

static void put_places(Drawing *d, int outer)
{
    for (int i = 0; i < d->f->place.n; i++) {
        const Place *p = &d->f->place.at[i];
        if (p->outer != outer || !has_boxes(d->f, i))
            continue;
        if (p->depth > d->o->depth)
            put_folded(d, i);
        else
            put_place(d, i);
    }
}

/* Arrows */

static const char *end_of(const Drawing *d, int box)
{
    int p = flow_folded(d->f, box, d->o->depth);
    return arena_printf(d->scratch, p < 0 ? "b%d" : "p%d", p < 0 ? box : p);
}

/* The function is read downwards, its derivative beside it upwards: its arrows
 * are drawn the other way round. */
static const char *arrow_text(const Drawing *d, const Arrow *a)
{
    const Flow *f = d->f;
    const Box *from = &f->box.at[a->from], *to = &f->box.at[a->to];
    bool side[2] = {f->place.at[from->place].derivative,
                    f->place.at[to->place].derivative};
    bool up = side[0] && side[1];
    const char *x = end_of(d, a->from), *y = end_of(d, a->to);
    Str label = str_new(d->scratch), s = str_new(d->scratch);
    if (strcmp(x, y) == 0)
        return NULL;
    if (a->part)
        str_printf(&label, ".%s", a->part);
    if (from->node) {
        const char *shape = shape_text(d->scratch, f->graph, from->node);
        str_printf(&label, "%s%s", label.n && *shape ? " " : "", shape);
    }
    str_printf(&s, "%s -> %s [label=", up ? y : x, up ? x : y);
    put_quoted(label.n ? label.at : "", &s);
    str_printf(&s, "%s%s%s];\n", up ? ", dir=back" : "",
               side[0] != side[1] ? ", constraint=false, color=\"#b9b2a6\""
                                  : "",
               a->again ? ", constraint=false, style=dashed" : "");
    return s.at;
}

static void put_arrows(const Drawing *d)
{
    Intern *texts = intern_new(d->scratch);
    Map there = {0};
    for (int i = 0; i < d->f->arrow.n; i++) {
        const char *text = arrow_text(d, &d->f->arrow.at[i]);
        text = text ? intern(texts, text) : NULL;
        if (!text || map_of_int(&there, text) >= 0)
            continue;
        map_set_int(d->scratch, &there, text, i);
        line(d);
        str_printf(d->to, "%s", text);
    }
}

void flow_write(const Flow *f, const DotOptions *o, Str *to)
{
    Drawing d = {f, o, to, arena_new(), 1};
    str_printf(to, "digraph ");
    put_quoted(o->name[SIDE_primal], to);
    str_printf(to, " {\n"
                   "  graph [rankdir=TB, nodesep=0.3, ranksep=0.45, pad=0.2,"
                   " fontname=\"DejaVu Sans\", fontcolor=\"#4a5568\"];\n"
                   "  node [shape=box, style=\"rounded,filled\", height=0.36,"
                   " margin=\"0.12,0.05\", fontname=\"DejaVu Sans\","
                   " fontsize=12];\n"
                   "  edge [fontname=\"DejaVu Sans\", fontsize=9, color="
                   "\"#6b7280\", fontcolor=\"#6b7280\", arrowsize=0.7];\n");
    put_places(&d, -1);
    put_arrows(&d);
    str_printf(to, "}\n");
    arena_free(d.scratch);
}
