/* table.c: a trace as a table, in text, TeX or HTML. */
#include "trace/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_COLUMNS = 5,
    MOST_ELEMENTS = 9, /* of a tensor that is printed whole */
    MOST_STEPS = 6,    /* of a loop that are all there; else */
    FIRST_STEPS = 3,   /* so many, and the last one */
};

typedef struct Line {
    int depth;           /* loops around it, and 1 of a part of a sum */
    const char *heading; /* or cells: */
    const char *cell[MOST_COLUMNS];
    bool words; /* they are no formulas */
} Line;

typedef struct Table {
    TraceText *x;
    const TraceTable *o;
    Trace *t;
    Arena *arena;
    LIST(Line) line;
    int columns;
    const TraceStep *step; /* of the line before */
    bool gap;              /* steps were left out since */
    int left_off;
} Table;

/* Values */

typedef struct ValueWords {
    const char *by, *norm, *all_true;
} ValueWords;

static const ValueWords words_text = {"×", ", ‖·‖ = ", " true of "};
static const ValueWords words_tex = {
    " \\times ", ",\\ \\lVert\\cdot\\rVert = ", "\\text{ true of }"};
static const ValueWords words_html = {
    "<mo>×</mo>", "<mo>,</mo><mo>‖</mo><mo>·</mo><mo>‖</mo><mo>=</mo>",
    "<mtext> true of </mtext>"};

static const ValueWords *words_of(const Notation *n)
{
    return n == &notation_tex    ? &words_tex
           : n == &notation_html ? &words_html
                                 : &words_text;
}

static void put_number(const Table *b, double v, DType t, Str *to)
{
    char text[40];
    Form f = {.kind = FORM_number, .number = v};
    if (t == DT_bool) {
        f = (Form){.kind = FORM_name, .name = v != 0 ? "true" : "false"};
    } else if (dtype_is_real(t) && isfinite(v)) {
        snprintf(text, sizeof text, "%.*g", b->o->digits, v);
        f.number = strtod(text, NULL);
    }
    form_write(b->o->notation, &f, to);
}

static void put_elements(const Table *b, const Node *n, const EvalValue *v,
                         int axis, int64_t *next, Str *to)
{
    bool html = b->o->notation == &notation_html;
    if (axis == n->rank) {
        put_number(b, v->x[(*next)++], n->dtype, to);
        return;
    }
    str_printf(to, html ? "<mo>[</mo>" : "[");
    for (int64_t i = 0; i < v->size[axis]; i++) {
        str_printf(to, i == 0 ? "" : html ? "<mo>,</mo>" : ", ");
        put_elements(b, n, v, axis + 1, next, to);
    }
    str_printf(to, html ? "<mo>]</mo>" : "]");
}

static double norm(const EvalValue *v)
{
    double sum = 0;
    for (int64_t i = 0; i < v->count; i++)
        sum += v->x[i] * v->x[i];
    return sqrt(sum);
}

static void put_shape(const Table *b, const Node *n, const EvalValue *v,
                      Str *to)
{
    const ValueWords *w = words_of(b->o->notation);
    for (int i = 0; i < n->rank; i++) {
        str_printf(to, "%s", i ? w->by : "");
        put_number(b, (double)v->size[i], DT_i64, to);
    }
}

/* A small tensor whole, a large one by its shape and norm. */
static const char *value_text(const Table *b, const Node *n, const EvalValue *v)
{
    Str s = str_new(b->arena);
    const ValueWords *w = words_of(b->o->notation);
    int64_t next = 0;
    if (v->count <= MOST_ELEMENTS && v->count > 0) {
        put_elements(b, n, v, 0, &next, &s);
    } else if (n->dtype == DT_bool) {
        double all = 0;
        for (int64_t i = 0; i < v->count; i++)
            all += v->x[i];
        put_number(b, all, DT_i64, &s);
        str_printf(&s, "%s", w->all_true);
        put_shape(b, n, v, &s);
    } else {
        put_shape(b, n, v, &s);
        str_printf(&s, "%s", w->norm);
        put_number(b, norm(v), DT_f64, &s);
    }
    return s.at;
}

/* Formulas */

/* left = right; alone: right where left is no more than the row's number. */
static const char *equation_text(const Table *b, const Equation *e, bool alone)
{
    const Notation *n = b->o->notation;
    const Form *l = e->left;
    Str s = str_new(b->arena);
    if (l == e->right || (alone && l->kind == FORM_name && !l->name)) {
        form_write(n, e->right, &s);
        return s.at;
    }
    form_write(n, l, &s);
    str_printf(&s, "%s", n == &notation_html ? "<mo>=</mo>" : " = ");
    form_write(n, e->right, &s);
    return s.at;
}

static const char *form_text(const Table *b, const Form *f)
{
    Str s = str_new(b->arena);
    form_write(b->o->notation, f, &s);
    return s.at;
}

/* Lines */

static bool is_shown_step(const TraceStep *s)
{
    for (; s; s = s->up) {
        int64_t first = *s->first, last = *s->last;
        int64_t from = first < last ? s->t - first : first - s->t;
        int64_t all = first < last ? last - first : first - last;
        if (all >= MOST_STEPS && from >= FIRST_STEPS && from < all)
            return false;
    }
    return true;
}

/* "t = 2", with those around it. */
static void put_step(const Table *b, const TraceStep *s, Str *to)
{
    bool html = b->o->notation == &notation_html;
    if (s->up) {
        put_step(b, s->up, to);
        str_printf(to, html ? "<mo>,</mo>" : ", ");
    }
    form_write(b->o->notation, &(Form){.kind = FORM_name, .name = s->name}, to);
    str_printf(to, html ? "<mo>=</mo>" : " = ");
    put_number(b, (double)s->t, DT_i64, to);
}

static void add_heading(Table *b, const TraceStep *step)
{
    Str s = str_new(b->arena);
    Line gap = {.heading = b->o->notation == &notation_tex ? "\\dots" : "…",
                .depth = step ? step->depth : 0};
    if (b->gap)
        list_push(b->arena, &b->line, gap);
    b->gap = false;
    if (step && step != b->step) {
        put_step(b, step, &s);
        Line l = {.heading = s.at, .depth = step->depth};
        list_push(b->arena, &b->line, l);
    }
    b->step = step;
}

static bool begin_line(Table *b, const TraceRow *row)
{
    if (!is_shown_step(row->step)) {
        b->gap = true;
        return false;
    }
    add_heading(b, row->step);
    return true;
}

static Line line_of(const Table *b, int k)
{
    const TraceRow *row = &b->t->row.at[k];
    Line l = {.depth = row->step ? row->step->depth + 1 : 0};
    l.cell[0] = form_text(b, trace_number(b->x, k, -1, MARK_none));
    return l;
}

static void add_value(Table *b, int k)
{
    const TraceRow *row = &b->t->row.at[k];
    if (!begin_line(b, row))
        return;
    Line l = line_of(b, k);
    Equation e = trace_formula(b->x, k);
    l.cell[1] = equation_text(b, &e, true);
    l.cell[2] = value_text(b, row->node, &row->value);
    if (b->o->forward && row->tangent_of) {
        e = trace_tangent(b->x, k);
        l.cell[3] = row->input ? NULL : equation_text(b, &e, true);
        l.cell[4] = value_text(b, row->node, &row->tangent);
    } else if (b->o->forward && row->active) {
        l.cell[4] = form_text(b, &(Form){.kind = FORM_number});
    }
    list_push(b->arena, &b->line, l);
}

static void add_adjoint(Table *b, int k)
{
    const TraceRow *row = &b->t->row.at[k];
    if (!row->active || (!row->has_adjoint && !row->input) ||
        !begin_line(b, row))
        return;
    Line l = line_of(b, k);
    Equation e = trace_adjoint(b->x, k);
    l.cell[1] = equation_text(b, &e, false);
    l.cell[2] = row->has_adjoint ? value_text(b, row->node, &row->adjoint)
                                 : form_text(b, &(Form){.kind = FORM_number});
    list_push(b->arena, &b->line, l);
    bool sum = row->partial.n > 1 || (row->seeded && row->partial.n);
    for (int i = row->partial.n - 1; i >= 0 && sum; i--) {
        e = trace_partial(b->x, k, i);
        Line part = {.depth = l.depth + 1};
        part.cell[1] = equation_text(b, &e, false);
        part.cell[2] = value_text(b, row->node, &row->partial.at[i].value);
        list_push(b->arena, &b->line, part);
    }
}

static void add_words(Table *b, const char *first, const char *second,
                      const char *third)
{
    Line l = {.cell = {NULL, first, second, third}, .words = true};
    list_push(b->arena, &b->line, l);
}

/* Where it is not plain which rows the results are. */
static void add_results(Table *b)
{
    const Trace *t = b->t;
    if (t->nresult == 1 && t->result[0] == t->row.n - 1)
        return;
    add_heading(b, NULL);
    for (int i = 0; i < t->nresult; i++) {
        Form name = {.kind = FORM_name, .name = b->o->result[i]};
        Equation e = {.left = &name,
                      .right = trace_name(b->x, t->result[i], MARK_none)};
        Line l = {.cell = {NULL, equation_text(b, &e, false)}};
        list_push(b->arena, &b->line, l);
    }
}

/* Of more lines than are wanted the middle ones are left out. */
static void shorten(Table *b)
{
    int most = b->o->most, first = most * 3 / 4;
    if (!most || b->line.n <= most)
        return;
    int gone = b->line.n - most;
    for (int i = first; i < first + gone; i++)
        b->left_off += b->line.at[i].cell[0] != NULL;
    b->line.at[first] =
        (Line){.heading = b->o->notation == &notation_tex ? "\\dots" : "…"};
    memmove(b->line.at + first + 1, b->line.at + first + 1 + gone,
            sizeof *b->line.at * (size_t)(b->line.n - first - 1 - gone));
    b->line.n -= gone;
}

/* Text */

/* Columns that it takes: letters less those that stand above others. */
static int width(const char *s)
{
    int n = 0;
    for (const unsigned char *c = (const unsigned char *)s; *c; c++) {
        bool above =
            (*c == 0xcc && c[1]) || (*c == 0xcd && c[1] >= 0x80 && c[1] < 0xb0);
        n += (*c & 0xc0) != 0x80 && !above;
    }
    return n;
}

static int indent(const Line *l, int column)
{
    return column == 1 ? 2 * l->depth : 0;
}

static void put_padded(const char *s, int to_width, Str *to)
{
    str_printf(to, "%s%*s", s, to_width - width(s), "");
}

static void put_text_line(const Table *b, const Line *l, const int *widest,
                          Str *to)
{
    int end = b->columns;
    while (end > 0 && !l->cell[end - 1])
        end--;
    for (int c = 0; c < end; c++) {
        const char *cell = l->cell[c] ? l->cell[c] : "";
        str_printf(to, "%*s", indent(l, c), "");
        if (c + 1 < end)
            put_padded(cell, widest[c] - indent(l, c) + 3, to);
        else
            str_printf(to, "%s", cell);
    }
    str_printf(to, "\n");
}

static void put_text(const Table *b, Str *to)
{
    int widest[MOST_COLUMNS] = {0};
    for (int i = 0; i < b->line.n; i++)
        for (int c = 0; c < b->columns; c++) {
            const Line *l = &b->line.at[i];
            int w = l->cell[c] ? width(l->cell[c]) + indent(l, c) : 0;
            widest[c] = w > widest[c] ? w : widest[c];
        }
    for (int i = 0; i < b->line.n; i++) {
        const Line *l = &b->line.at[i];
        if (l->heading)
            str_printf(to, "%*s%s\n", widest[0] + 3 + 2 * l->depth, "",
                       l->heading);
        else
            put_text_line(b, l, widest, to);
    }
}

/* TeX and HTML */

static void put_tex(const Table *b, Str *to)
{
    str_printf(to, "\\begin{longtable}{%.*s}\n", b->columns, "llllll");
    for (int i = 0; i < b->line.n; i++) {
        const Line *l = &b->line.at[i];
        if (l->heading)
            str_printf(to, "& $%s$", l->heading);
        for (int c = 0; c < b->columns && !l->heading; c++) {
            str_printf(to, c ? " & " : "");
            str_printf(to, "%s", indent(l, c) ? "\\quad " : "");
            if (l->cell[c])
                str_printf(to, l->words ? "%s" : "$%s$", l->cell[c]);
        }
        str_printf(to, " \\\\\n");
    }
    str_printf(to, "\\end{longtable}\n");
}

static void put_math(const char *what, Str *to)
{
    str_printf(to, "<math><mrow>%s</mrow></math>", what);
}

static void put_html(const Table *b, Str *to)
{
    str_printf(to, "<table>\n");
    for (int i = 0; i < b->line.n; i++) {
        const Line *l = &b->line.at[i];
        str_printf(to, "<tr>");
        if (l->heading) {
            str_printf(to, "<td></td><td colspan=\"%d\">", b->columns - 1);
            put_math(l->heading, to);
            str_printf(to, "</td>");
        }
        for (int c = 0; c < b->columns && !l->heading; c++) {
            if (indent(l, c))
                str_printf(to, "<td style=\"padding-left: %dem\">", l->depth);
            else
                str_printf(to, "<td>");
            if (l->cell[c] && l->words)
                str_printf(to, "%s", l->cell[c]);
            else if (l->cell[c])
                put_math(l->cell[c], to);
            str_printf(to, "</td>");
        }
        str_printf(to, "</tr>\n");
    }
    str_printf(to, "</table>\n");
}

static void put_table(Table *b, Str *to)
{
    shorten(b);
    if (b->o->notation == &notation_tex)
        put_tex(b, to);
    else if (b->o->notation == &notation_html)
        put_html(b, to);
    else
        put_text(b, to);
    b->line.n = 0;
    b->step = NULL;
    b->gap = false;
}

static const char tex_head[] = "\\documentclass{article}\n"
                               "\\usepackage{amsmath}\n"
                               "\\usepackage{longtable}\n"
                               "\\begin{document}\n";
static const char html_head[] =
    "<!DOCTYPE html>\n<html>\n<head><meta charset=\"utf-8\"/>"
    "<title>trace</title>\n"
    "<style>td { padding: 0.1em 1em 0.1em 0; }</style></head>\n<body>\n";

int trace_write(TraceText *x, const TraceTable *o, Trace *t, Str *to)
{
    Table b = {.x = x, .o = o, .t = t, .arena = t->arena};
    bool tex = o->notation == &notation_tex;
    bool html = o->notation == &notation_html;
    str_printf(to, "%s", tex ? tex_head : html ? html_head : "");
    b.columns = o->forward ? 5 : 3;
    add_words(&b, "formula", "value", o->forward ? "tangent" : NULL);
    for (int k = 0; k < t->row.n; k++)
        if (t->row.at[k].number)
            add_value(&b, k);
    add_results(&b);
    put_table(&b, to);
    if (o->reverse) {
        str_printf(to, tex || html ? "" : "\n");
        b.columns = 3;
        add_words(&b, "adjoint", "value", NULL);
        for (int k = t->row.n - 1; k >= 0; k--)
            if (t->row.at[k].number)
                add_adjoint(&b, k);
        put_table(&b, to);
    }
    str_printf(to, tex    ? "\\end{document}\n"
                   : html ? "</body>\n</html>\n"
                          : "");
    return b.left_off;
}
