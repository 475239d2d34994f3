/* fmt_tokens.c: from a text to the formatter's tokens, and how far an
 * expression among them reaches. */

#include "syntax/fmt_tokens.h"

#include <string.h>

int tok_level(int kind)
{
    switch (kind) {
    case PIPE:
        return 1;
    case OR:
        return 2;
    case AND:
        return 3;
    case '<':
    case '>':
    case LE:
    case GE:
    case EQ:
    case NE:
        return 4;
    case '+':
    case '-':
        return 5;
    case '*':
    case '/':
    case '%':
    case '@':
        return 6;
    }
    return 0;
}

/* Whether an expression may end with it. */
static bool tok_ends_operand(int kind)
{
    switch (kind) {
    case NAME:
    case TRAIN:
    case DERIVATIVE:
    case INT:
    case REAL:
    case TEXT:
    case TRUE:
    case FALSE:
    case ')':
    case ']':
    case '}':
    case '\'':
        return true;
    }
    return false;
}

/* How far things reach */

int toks_if(const Toks *t, int i)
{
    int first = i;

    if (t->at[i].end)
        return t->at[i].end;
    while (t->at[i].kind == IF) {
        i = t->at[toks_expr(t, i + 1)].end + 1;
        if (t->at[i].kind == ELSE)
            i++;
    }
    if (t->at[i].kind == '{')
        i = t->at[i].end + 1;
    return t->at[first].end = i;
}

/* fn(…) { … } or fn(…) = …, which reaches as far as it can. */
static int whole_fn(const Toks *t, int i)
{
    i = t->at[i + 1].end + 1;
    if (t->at[i].kind == ARROW)
        while (t->at[i].kind != '=' && t->at[i].kind != '{')
            i = t->at[i].end ? t->at[i].end + 1 : i + 1;
    return t->at[i].kind == '{' ? t->at[i].end + 1 : toks_expr(t, i + 1);
}

static int primary(const Toks *t, int i)
{
    while (t->at[i].kind == '-' || t->at[i].kind == '!')
        i++;
    if (t->at[i].kind == IF)
        return toks_if(t, i);
    if (t->at[i].kind == FN)
        return whole_fn(t, i);
    return t->at[i].end ? t->at[i].end + 1 : i + 1;
}

int toks_operand(const Toks *t, int i)
{
    for (;;) {
        i = primary(t, i);
        for (;; i++) {
            int kind = t->at[i].kind;
            if (kind == '.')
                i++;
            else if (kind == '(' || kind == '[')
                i = t->at[i].end;
            else if (kind != '\'')
                break;
        }
        if (t->at[i].kind != '^')
            return i;
        i++;
    }
}

int toks_expr(const Toks *t, int i)
{
    while (tok_level(t->at[i = toks_operand(t, i)].kind))
        i++;
    return i;
}

int toks_find(const Toks *t, int i, int j, int kind)
{
    while (i < j && t->at[i].kind != kind)
        i = t->at[i].end && t->at[i].kind != IF ? t->at[i].end + 1 : i + 1;
    return i < j ? i : j;
}

/* Reading */

static int newlines(const char *s, const char *end)
{
    int n = 0;

    for (; s < end; s++)
        n += *s == '\n';
    return n;
}

static Comment comment_at(const char *s, int n, int lines)
{
    while (n && strchr(" \t\r\v\f", s[n - 1]))
        n--;
    return (Comment){s, n, lines > 0, lines > 1};
}

static void take(const Source *source, const TokenList *list, Toks *to)
{
    const char *before = source->text;
    Tok *next = &to->at[0];
    bool newline = false;

    for (int i = 0; i <= list->n; i++) {
        Span at = i < list->n ? list->at[i].span
                              : (Span){source->base + source->len,
                                       source->base + source->len};
        const char *s = source->text + (at.beg - source->base);
        int lines = newlines(before, s), n = (int)(at.end - at.beg);
        newline = newline || lines;
        before = s + n;
        if (i < list->n && list->at[i].kind == TOKEN_comment) {
            to->comment[to->ncomment++] = comment_at(s, n, lines);
            next->ncomment++;
            continue;
        }
        *next = (Tok){.kind = i < list->n ? list->at[i].kind : YYEOF,
                      .s = s,
                      .n = n,
                      .newline = newline,
                      .blank = lines > 1,
                      .comment = to->ncomment - next->ncomment,
                      .ncomment = next->ncomment};
        next++;
        newline = false;
    }
    to->n = (int)(next - to->at) - 1;
}

/* Brackets nest at most as deep as the parser lets them. */
static void match(Toks *t)
{
    int open[MAX_DEPTH], n = 0;

    for (int i = 0; i < t->n; i++) {
        int kind = t->at[i].kind;
        if (kind == '(' || kind == '[' || kind == '{')
            open[n++] = i;
        else if (kind == ')' || kind == ']' || kind == '}')
            t->at[open[--n]].end = i;
    }
}

static bool is_binary(const Toks *t, int i)
{
    return i > 0 && tok_level(t->at[i].kind) &&
           tok_ends_operand(t->at[i - 1].kind);
}

/* What is said behind a comma or an operator is about what comes before it:
 * commas stand before comments, and operators begin lines. */
static void move_comments(Toks *t)
{
    for (int i = 0; i < t->n; i++) {
        Tok *now = &t->at[i], *next = &t->at[i + 1];
        if (now->kind == ',' || now->kind == ';') {
            next->comment = now->comment;
            next->ncomment += now->ncomment;
            next->newline = next->newline || now->newline;
            now->ncomment = 0;
        } else if (is_binary(t, i)) {
            now->ncomment += next->ncomment;
            next->comment += next->ncomment;
            next->ncomment = 0;
        }
    }
}

bool toks_read(Arena *a, Diags *d, const Source *source, Toks *to)
{
    TokenList list = {0};

    if (!parse_tokens(a, intern_new(a), d, source, &list))
        return false;
    *to = (Toks){NEWN(a, Tok, list.n + 2), 0, NEWN(a, Comment, list.n + 1), 0};
    take(source, &list, to);
    match(to);
    move_comments(to);
    return true;
}

/* Comparing */

/* The first token from i on that is no comma before a bracket. */
static int counting(const Toks *t, int i)
{
    bool comma = t->at[i].kind == ',';
    int next = comma ? t->at[i + 1].kind : 0;

    return next == ')' || next == ']' || next == '}' ? i + 1 : i;
}

bool toks_same(const Toks *x, const Toks *y)
{
    int i = 0, j = 0;

    if (x->ncomment != y->ncomment)
        return false;
    for (int k = 0; k < x->ncomment; k++)
        if (x->comment[k].n != y->comment[k].n ||
            memcmp(x->comment[k].s, y->comment[k].s, (size_t)x->comment[k].n))
            return false;
    for (;; i++, j++) {
        i = counting(x, i);
        j = counting(y, j);
        const Tok *p = &x->at[i], *q = &y->at[j];
        if (p->kind != q->kind || p->n != q->n ||
            memcmp(p->s, q->s, (size_t)p->n))
            return false;
        if (p->kind == YYEOF)
            return true;
    }
}
