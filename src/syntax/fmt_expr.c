/* fmt_expr.c: expressions and types laid out. */

#include "syntax/fmt_internal.h"

#include <string.h>

void fmt_text(Fmt *f, const char *s) { layout_text(f->out, s, (int)strlen(s)); }

void fmt_blanks(Fmt *f, int n)
{
    for (; n > 0; n--)
        fmt_text(f, " ");
}

static int kind_at(const Fmt *f, int i) { return f->t.at[i].kind; }

bool fmt_comments(Fmt *f, int i, bool blanks)
{
    Tok *t = &f->t.at[i];
    int n = t->ncomment;

    for (int k = 0; k < n; k++) {
        const Comment *c = &f->t.comment[t->comment + k];
        if (c->own || f->comment)
            layout_line(f->out, blanks && c->blank && !f->fresh, 0);
        layout_comment(f->out, c->s, c->n);
        f->comment = true;
        f->fresh = false;
    }
    t->ncomment = 0;
    return n > 0;
}

void fmt_tok(Fmt *f, int i)
{
    const Tok *t = &f->t.at[i];

    if (fmt_comments(f, i, false))
        layout_line(f->out, false, 0);
    layout_text(f->out, t->s, t->n);
    f->comment = f->fresh = false;
}

void fmt_break(Fmt *f, int i, int space, int offset)
{
    if (fmt_comments(f, i, false))
        layout_line(f->out, false, offset);
    else if (f->whole)
        fmt_blanks(f, space);
    else
        layout_break(f->out, space, offset);
    f->comment = false;
}

void fmt_line(Fmt *f, int i, int offset)
{
    fmt_comments(f, i, true);
    layout_line(f->out, f->t.at[i].blank && !f->fresh && !offset, offset);
    f->comment = f->fresh = false;
}

/* Lists */

/* An index of names, integers and arithmetic is written without blanks. */
static bool is_simple(const Fmt *f, int i, int end)
{
    for (; i < end; i++) {
        int kind = kind_at(f, i);
        if (kind != NAME && kind != TRAIN && kind != DERIVATIVE &&
            kind != INT && (kind > 127 || !strchr(".+-*/%:^", kind)))
            return false;
    }
    return true;
}

/* a, a:b, a:b:c with any of them left out. */
static void subscript(Fmt *f, int i, int end)
{
    if (is_simple(f, i, end)) {
        for (; i < end; i++)
            fmt_tok(f, i);
        return;
    }
    while (i < end) {
        int colon = toks_find(&f->t, i, end, ':');
        if (colon > i)
            fmt_expr(f, i, colon, true);
        if (colon < end)
            fmt_tok(f, colon);
        i = colon + 1;
    }
}

void fmt_value(Fmt *f, int i, int end, int offset)
{
    fmt_text(f, " ");
    fmt_tok(f, i);
    layout_begin(f->out, GR_after, IN_group, offset);
    fmt_break(f, i + 1, 1, 0);
    fmt_expr(f, i + 1, end, true);
    layout_end(f->out);
}

/* name, name: type, name = value, name: type = value */
static void param(Fmt *f, int i, int end)
{
    int equals = toks_find(&f->t, i, end, '=');

    fmt_tok(f, i);
    if (kind_at(f, i + 1) == ':') {
        fmt_tok(f, i + 1);
        fmt_text(f, " ");
        fmt_type(f, i + 2, equals);
    }
    if (equals < end)
        fmt_value(f, equals, end, 2);
}

static void element(Fmt *f, int i, int end, Element kind)
{
    bool named = end > i + 1 && kind_at(f, i + 1) == '=';

    if (kind == EL_type)
        fmt_type(f, i, end);
    else if (kind == EL_param || named)
        param(f, i, end);
    else if (kind == EL_sub)
        subscript(f, i, end);
    else
        fmt_expr(f, i, end, false);
}

static int element_end(const Fmt *f, int i, int close)
{
    return toks_find(&f->t, i, toks_find(&f->t, i, close, ','), ';');
}

/* A matrix of which each row has its line. */
static bool in_rows(const Fmt *f, int open)
{
    int close = f->t.at[open].end;
    bool rows = false;

    if (kind_at(f, open) != '[')
        return false;
    for (int i = open + 1; i < close; i = element_end(f, i, close) + 1) {
        if (kind_at(f, i) != '[')
            return false;
        rows = rows || (i > open + 1 && f->t.at[i].newline);
    }
    return rows;
}

static void elements(Fmt *f, int open, Element kind)
{
    int close = f->t.at[open].end;
    bool rows = kind == EL_value && in_rows(f, open);

    layout_begin(f->out, GR_list, IN_line, 4);
    fmt_break(f, open + 1, 0, 0);
    for (int i = open + 1, end; i < close; i = end + 1) {
        end = element_end(f, i, close);
        element(f, i, end, kind);
        if (end + 1 >= close)
            break; /* a comma before the bracket is dropped */
        fmt_tok(f, end);
        if (rows && fmt_comments(f, end + 1, false))
            f->comment = false;
        if (rows)
            layout_line(f->out, false, 0);
        else
            fmt_break(f, end + 1, 1, 0);
    }
    layout_end(f->out);
}

/* binders | body */
static void over(Fmt *f, int open, int bar)
{
    int close = f->t.at[open].end;

    layout_begin(f->out, GR_fill, IN_column, 0);
    for (int i = open + 1, end; i < bar; i = end + 1) {
        end = toks_find(&f->t, i, bar, ',');
        element(f, i, end, EL_value);
        if (end == bar)
            break;
        fmt_tok(f, end);
        fmt_break(f, end + 1, 1, 0);
    }
    layout_end(f->out);
    fmt_text(f, " ");
    fmt_tok(f, bar);
    layout_begin(f->out, GR_after, IN_line, 2);
    fmt_break(f, bar + 1, 1, 0);
    fmt_expr(f, bar + 1, close, true);
    layout_end(f->out);
}

int fmt_list(Fmt *f, int open, Element kind)
{
    int close = f->t.at[open].end;
    int bar = toks_find(&f->t, open + 1, close, '|');

    fmt_tok(f, open);
    if (bar < close)
        over(f, open, bar);
    else if (close > open + 1)
        elements(f, open, kind);
    fmt_tok(f, close);
    return close + 1;
}

/* Types */

/* [T; n] */
static int stack(Fmt *f, int open)
{
    int close = f->t.at[open].end;
    int semicolon = toks_find(&f->t, open + 1, close, ';');

    fmt_tok(f, open);
    fmt_type(f, open + 1, semicolon);
    fmt_tok(f, semicolon);
    fmt_text(f, " ");
    subscript(f, semicolon + 1, close);
    fmt_tok(f, close);
    return close + 1;
}

static int type_token(Fmt *f, int i, int first)
{
    int kind = kind_at(f, i);

    if (kind == '(')
        return fmt_list(f, i, EL_type);
    if (kind == '[')
        return i > first && kind_at(f, i - 1) != ARROW ? fmt_list(f, i, EL_sub)
                                                       : stack(f, i);
    if (kind == ARROW)
        fmt_text(f, " ");
    fmt_tok(f, i);
    if (kind == ARROW)
        fmt_text(f, " ");
    return i + 1;
}

void fmt_type(Fmt *f, int i, int end)
{
    bool before = f->whole;
    int first = i;

    f->whole = true;
    while (i < end)
        i = type_token(f, i, first);
    f->whole = before;
}

int fmt_result(Fmt *f, int i, int end)
{
    int equals = toks_find(&f->t, i, end, '='), to = i + 1;

    if (kind_at(f, i) != ARROW)
        return i;
    while (to < equals && kind_at(f, to) != '{')
        to = f->t.at[to].end ? f->t.at[to].end + 1 : to + 1;
    fmt_text(f, " ");
    fmt_tok(f, i);
    fmt_text(f, " ");
    fmt_type(f, i + 1, to);
    return to;
}

/* Expressions */

/* fn(params) -> type { … } or = e */
static int lambda(Fmt *f, int i, int end)
{
    fmt_tok(f, i);
    i = fmt_list(f, i + 1, EL_param);
    i = fmt_result(f, i, end);
    if (kind_at(f, i) == '=') {
        int last = toks_expr(&f->t, i + 1);
        fmt_value(f, i, last, 2);
        return last;
    }
    fmt_text(f, " ");
    layout_begin(f->out, GR_all, IN_line, 2);
    fmt_block(f, i, fmt_broken(f, i));
    layout_end(f->out);
    return f->t.at[i].end + 1;
}

/* All its blocks are on a line of their own, or none. */
static bool if_broken(const Fmt *f, int i, int end)
{
    while (i < end) {
        i = kind_at(f, i) == IF ? toks_expr(&f->t, i + 1) : i;
        if (fmt_broken(f, i))
            return true;
        i = f->t.at[i].end + 1;
        i += i < end; /* 'else' */
    }
    return false;
}

static int condition(Fmt *f, int i)
{
    int end = toks_if(&f->t, i);
    bool broken = if_broken(f, i, end);

    layout_begin(f->out, GR_all, IN_line, 2);
    while (i < end) {
        if (kind_at(f, i) == IF) {
            int block = toks_expr(&f->t, i + 1);
            fmt_tok(f, i);
            fmt_text(f, " ");
            fmt_expr(f, i + 1, block, false);
            fmt_text(f, " ");
            i = block;
        }
        fmt_block(f, i, broken);
        i = f->t.at[i].end + 1;
        if (i >= end)
            break;
        fmt_text(f, " ");
        fmt_tok(f, i++);
        fmt_text(f, " ");
    }
    layout_end(f->out);
    return end;
}

/* 1 .x is no number. */
static bool is_number(const Fmt *f, int i)
{
    return (kind_at(f, i) == INT || kind_at(f, i) == REAL) &&
           (i == 0 || kind_at(f, i - 1) != '.');
}

static int operand_token(Fmt *f, int i, int end, bool postfix)
{
    int kind = kind_at(f, i);

    if (kind == '(' || kind == '[')
        return fmt_list(f, i, postfix && kind == '[' ? EL_sub : EL_value);
    if (kind == IF)
        return condition(f, i);
    if (kind == FN)
        return lambda(f, i, end);
    if (kind == '{') {
        layout_begin(f->out, GR_all, IN_line, 2);
        fmt_block(f, i, fmt_broken(f, i));
        layout_end(f->out);
        return f->t.at[i].end + 1;
    }
    if (kind == '.' && i > 0 && is_number(f, i - 1))
        fmt_text(f, " ");
    fmt_tok(f, i);
    return i + 1;
}

static void operand(Fmt *f, int i, int end)
{
    bool postfix = false;

    while (i < end) {
        int kind = kind_at(f, i);
        i = operand_token(f, i, end, postfix);
        postfix = kind != '-' && kind != '!' && kind != '^';
    }
}

/* A chain of pipes in which a line ends somewhere has a line for each. */
static bool ends_lines(const Fmt *f, int i)
{
    return kind_at(f, i) == PIPE &&
           (f->t.at[i].newline || f->t.at[i + 1].newline);
}

/* The loosest level of the operators in [i, end); *lines: ends_lines one of
 * them. */
static int loosest(const Fmt *f, int i, int end, bool *lines)
{
    int level = TIGHTEST + 1;

    *lines = false;
    while ((i = toks_operand(&f->t, i)) < end) {
        int own = tok_level(kind_at(f, i));
        level = own < level ? own : level;
        *lines = *lines || ends_lines(f, i);
        i++;
    }
    return level;
}

void fmt_expr(Fmt *f, int i, int end, bool chained)
{
    bool lines;
    int level = loosest(f, i, end, &lines);

    if (level > TIGHTEST) {
        operand(f, i, end);
        return;
    }
    layout_begin(f->out, level == LOOSEST ? GR_all : GR_fill, IN_group,
                 chained ? 0 : 2);
    for (int from = i; from < end;) {
        int to = toks_operand(&f->t, from);
        while (to < end && tok_level(kind_at(f, to)) != level)
            to = toks_operand(&f->t, to + 1);
        fmt_expr(f, from, to, false);
        from = to + 1;
        if (to == end)
            break;
        if (lines && level == LOOSEST) {
            fmt_comments(f, to, false);
            layout_line(f->out, false, 0);
            f->comment = false;
        } else {
            fmt_break(f, to, 1, 0);
        }
        fmt_tok(f, to);
        fmt_text(f, " ");
    }
    layout_end(f->out);
}
