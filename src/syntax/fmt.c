/* fmt.c: items, statements and blocks laid out; format_source(). */

#include "syntax/fmt.h"
#include "syntax/fmt_internal.h"

#include <string.h>

static int kind_at(const Fmt *f, int i) { return f->t.at[i].kind; }

static bool is_name(int kind)
{
    return kind == NAME || kind == TRAIN || kind == DERIVATIVE;
}

/* Blocks */

static bool is_statement(const Fmt *f, int i)
{
    return kind_at(f, i) == LET ||
           (kind_at(f, i) == FN && is_name(kind_at(f, i + 1)));
}

bool fmt_broken(const Fmt *f, int open)
{
    const Tok *first = &f->t.at[open + 1];

    return first->newline || first->ncomment || is_statement(f, open + 1);
}

/* The body of a function that begins at i, before 'end' or up to a ';'. */
static int function(Fmt *f, int i)
{
    layout_begin(f->out, GR_all, IN_line, 2);
    fmt_tok(f, i);
    fmt_text(f, " ");
    fmt_tok(f, i + 1);
    i += 2;
    if (kind_at(f, i) == '[')
        i = fmt_list(f, i, EL_param);
    i = fmt_list(f, i, EL_param);
    i = fmt_result(f, i, f->t.n);
    if (kind_at(f, i) == '=') {
        int end = toks_expr(&f->t, i + 1);
        fmt_value(f, i, end, 0);
        fmt_tok(f, end);
        i = end + 1;
    } else {
        fmt_text(f, " ");
        fmt_block(f, i, fmt_broken(f, i));
        i = f->t.at[i].end + 1;
    }
    layout_end(f->out);
    return i;
}

/* let x: type = e;  const x: type = e; */
static int definition(Fmt *f, int i)
{
    fmt_tok(f, i);
    fmt_text(f, " ");
    if (kind_at(f, i + 1) == '(') {
        i = fmt_list(f, i + 1, EL_value);
    } else {
        fmt_tok(f, i + 1);
        i += 2;
    }
    int equals = toks_find(&f->t, i, f->t.n, '=');
    if (kind_at(f, i) == ':') {
        fmt_tok(f, i);
        fmt_text(f, " ");
        fmt_type(f, i + 1, equals);
    }
    int end = toks_expr(&f->t, equals + 1);
    fmt_value(f, equals, end, 2);
    fmt_tok(f, end);
    return end + 1;
}

static int statement(Fmt *f, int i, int end)
{
    if (kind_at(f, i) == LET)
        return definition(f, i);
    if (is_statement(f, i))
        return function(f, i);
    fmt_expr(f, i, end, false);
    return end;
}

void fmt_block(Fmt *f, int open, bool broken)
{
    int close = f->t.at[open].end;

    fmt_tok(f, open);
    if (!broken) {
        fmt_break(f, open + 1, 1, 0);
        fmt_expr(f, open + 1, close, false);
        fmt_break(f, close, 1, -2);
        fmt_tok(f, close);
        return;
    }
    f->fresh = true;
    for (int i = open + 1; i < close;) {
        fmt_line(f, i, 0);
        i = statement(f, i, close);
    }
    fmt_line(f, close, -2);
    fmt_tok(f, close);
}

/* Structs and settings: name: type = value, one a line, in columns */

typedef struct Column {
    int name, type; /* widths */
} Column;

static bool has_comments(const Fmt *f, int i, int end)
{
    for (; i < end; i++)
        if (f->t.at[i].ncomment)
            return true;
    return false;
}

/* Where '=' or '~' is; or end. */
static int initial(const Fmt *f, int i, int end)
{
    int equals = toks_find(&f->t, i, end, '=');

    return toks_find(&f->t, i, equals, '~');
}

static int type_width(Fmt *f, int i, int end)
{
    int mark = layout_mark(f->out);

    if (has_comments(f, i, end))
        return 0;
    fmt_type(f, i, end);
    int width = layout_width(f->out, mark);
    layout_cut(f->out, mark);
    return width;
}

/* The columns of the fields from i on up to an empty line; *until: where that
 * is. A type counts where something comes after it. */
static Column columns(Fmt *f, int i, int close, int separator, int *until)
{
    Column c = {0, 0};
    int first = i;

    while (i < close && (i == first || !f->t.at[i].blank)) {
        int end = toks_find(&f->t, i, close, separator);
        int value = initial(f, i, end);
        c.name = f->t.at[i].n > c.name ? f->t.at[i].n : c.name;
        if (separator == ',' && value < end) {
            int width = type_width(f, i + 2, value);
            c.type = width > c.type ? width : c.type;
        }
        i = end + 1;
    }
    *until = i;
    return c;
}

/* name: type = e, the comma aside */
static void field(Fmt *f, int i, int end, Column c)
{
    int value = initial(f, i, end);

    fmt_tok(f, i);
    fmt_tok(f, i + 1);
    fmt_blanks(f, 1 + (c.name ? c.name - f->t.at[i].n : 0));
    int width = c.type && value < end ? type_width(f, i + 2, value) : 0;
    fmt_type(f, i + 2, value);
    if (value == end)
        return;
    fmt_blanks(f, width ? c.type - width : 0);
    fmt_value(f, value, end, 2);
}

/* name = e; */
static void setting(Fmt *f, int i, int end, Column c)
{
    fmt_tok(f, i);
    fmt_blanks(f, c.name - f->t.at[i].n);
    fmt_value(f, i + 1, end, 2);
    fmt_tok(f, end);
}

/* { … } with a field or a setting, by what separates them, on each line. */
static void in_lines(Fmt *f, int open, int separator)
{
    int close = f->t.at[open].end, until = 0;
    bool of_fields = separator == ',';
    Column c = {0, 0};

    fmt_tok(f, open);
    layout_begin(f->out, GR_all, IN_line, 2);
    f->fresh = true;
    for (int i = open + 1, end; i < close; i = end + 1) {
        end = toks_find(&f->t, i, close, separator);
        if (i >= until)
            c = columns(f, i, close, separator, &until);
        fmt_line(f, i, 0);
        (of_fields ? field : setting)(f, i, end, c);
        fmt_text(f, of_fields ? "," : "");
    }
    if (of_fields || close > open + 1 || f->t.at[close].ncomment)
        fmt_line(f, close, -2);
    layout_end(f->out);
    fmt_tok(f, close);
}

/* { a: T = e, b: U } */
static void fields_in_line(Fmt *f, int open)
{
    int close = f->t.at[open].end;

    fmt_tok(f, open);
    for (int i = open + 1, end; i < close; i = end + 1) {
        end = toks_find(&f->t, i, close, ',');
        fmt_text(f, i > open + 1 ? ", " : " ");
        field(f, i, end, (Column){0, 0});
    }
    if (close > open + 1)
        fmt_text(f, " ");
    fmt_tok(f, close);
}

/* Items */

static int structure(Fmt *f, int i)
{
    int mark = layout_mark(f->out);

    fmt_tok(f, i);
    fmt_text(f, " ");
    fmt_tok(f, i + 1);
    i += 2;
    if (kind_at(f, i) == '[')
        i = fmt_list(f, i, EL_value);
    fmt_text(f, " ");
    int close = f->t.at[i].end, head = layout_mark(f->out);
    bool broken = f->t.at[i + 1].newline || has_comments(f, i + 1, close + 1);
    if (!broken) {
        fields_in_line(f, i);
        broken = layout_width(f->out, mark) > LAYOUT_WIDTH;
    }
    if (broken) {
        layout_cut(f->out, head);
        in_lines(f, i, ',');
    }
    return close + 1;
}

/* train loss(net; frozen = body) as name { … } */
static int train(Fmt *f, int i)
{
    fmt_tok(f, i);
    fmt_text(f, " ");
    fmt_tok(f, i + 1);
    i = fmt_list(f, i + 2, EL_value);
    fmt_text(f, " ");
    if (kind_at(f, i) == AS) {
        fmt_tok(f, i);
        fmt_text(f, " ");
        fmt_tok(f, i + 1);
        fmt_text(f, " ");
        i += 2;
    }
    in_lines(f, i, ';');
    return f->t.at[i].end + 1;
}

/* export f, grad(f, x) as g; */
static int export(Fmt *f, int i)
{
    fmt_tok(f, i);
    fmt_text(f, " ");
    layout_begin(f->out, GR_fill, IN_group, 2);
    for (;;) {
        int end = toks_expr(&f->t, i + 1);
        fmt_expr(f, i + 1, end, true);
        if (kind_at(f, end) == AS) {
            fmt_text(f, " ");
            fmt_tok(f, end);
            fmt_text(f, " ");
            fmt_tok(f, end + 1);
            end += 2;
        }
        fmt_tok(f, end);
        i = end;
        if (kind_at(f, i) == ';')
            break;
        fmt_break(f, i + 1, 1, 0);
    }
    layout_end(f->out);
    return i + 1;
}

/* use name as n; */
static int use(Fmt *f, int i)
{
    for (; kind_at(f, i + 1) != ';'; i++) {
        fmt_tok(f, i);
        fmt_text(f, " ");
    }
    fmt_tok(f, i);
    fmt_tok(f, i + 1);
    return i + 2;
}

static int item(Fmt *f, int i)
{
    switch (kind_at(f, i)) {
    case USE:
        return use(f, i);
    case CONST:
        return definition(f, i);
    case STRUCT:
        return structure(f, i);
    case EXPORT:
        return export(f, i);
    case TRAIN:
        return train(f, i);
    }
    return function(f, i); /* fn, derivative */
}

static void program(Fmt *f)
{
    f->fresh = true;
    for (int i = 0; i < f->t.n;) {
        fmt_line(f, i, 0);
        i = item(f, i);
    }
    fmt_comments(f, f->t.n, true);
}

static void lay_out(Arena *a, const Toks *t, Str *to)
{
    Fmt f = {.t = *t, .out = layout_new(a)};

    program(&f);
    layout_print(f.out, to);
}

/* What did not fit once has a line end the next time, and a block or matrix in
 * which a line ends keeps it: so it is done until nothing changes. */
enum { MAX_TIMES = 8 };

bool format_source(Arena *a, Diags *d, const Source *source, Str *to)
{
    Toks first, now;

    if (!toks_read(a, d, source, &first))
        return false;
    now = first;
    now.at = arena_copy(a, first.at, sizeof *now.at * (size_t)(now.n + 1));
    for (int i = 0; i < MAX_TIMES; i++) {
        Str next = str_new(a);
        lay_out(a, &now, &next);
        bool stable =
            i > 0 && next.n == to->n && !memcmp(next.at, to->at, to->n);
        *to = next;
        if (stable)
            break;
        const Source *s = diags_source(d, source->path, to->at, to->n);
        if (!toks_read(a, d, s, &now) || !toks_same(&first, &now))
            die("%s: laid out, this would be another program", source->path);
    }
    return true;
}
