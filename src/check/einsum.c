/* einsum.c: einsum("bik,bkj->bij", A, B): sums of products, by names of axes.
 *
 * It is rewritten into [b, i, j | sum(k | A[b, i, k] * B[b, k, j])]. Operands
 * are multiplied from the left; an axis is summed as soon as no operand that is
 * still to come, nor the result, has it. */
#include "check/export.h"
#include "check/scope.h"

#include <ctype.h>
#include <string.h>

/* Axes are letters, in a string; those that '...' stands for are digits (or
 * what follows them), counted from the last. */
typedef struct Einsum {
    Check *c;
    const Expr *text;
    const Call *call; /* the operands are its arguments */
    Node **node;
    const char **axes, *out;
    int rest; /* how many '...' stands for; -1: none is written */
} Einsum;

static bool bad_text(const Einsum *e, const char *why)
{
    return check_refuse(e->c, e->text->span, "einsum",
                        "%s\n"
                        "einsum(\"ij,jk->ik\", A, B) is A @ B",
                        why);
}

/* '...' among so many letters of an operand of this rank. */
static bool take_rest(Einsum *e, int letters, int rank)
{
    int n = letters < rank ? rank - letters : 0;

    if (e->rest >= 0 && n != e->rest)
        return bad_text(e, "'...' stands for as many axes in each operand");
    e->rest = n;
    return true;
}

/* Reads axes up to ',', '-' or the end; rank: of the operand, or -1. */
static bool read_axes(Einsum *e, const char **text, int rank, const char **axes)
{
    Str s = str_new(e->c->arena);
    const char *t = *text;
    bool dots = false;
    int letters = 0;

    *text += strcspn(t, ",-");
    for (const char *l = t; l < *text; l++)
        letters += isalpha((unsigned char)*l) != 0;
    for (; t < *text; t++) {
        if (isalpha((unsigned char)*t)) {
            str_printf(&s, "%c", *t);
        } else if (strncmp(t, "...", 3) == 0 && !dots &&
                   (rank >= 0 || e->rest >= 0)) {
            dots = true;
            t += 2;
            if (rank >= 0 && !take_rest(e, letters, rank))
                return false;
            for (int i = e->rest - 1; i >= 0; i--)
                str_printf(&s, "%c", '0' + i);
        } else if (*t != ' ') {
            return bad_text(e, "axes are letters, and '...' at most once for "
                               "those without a name");
        }
    }
    *axes = s.at;
    return true;
}

static const char *axis_text(Check *c, char axis)
{
    return isalpha((unsigned char)axis)
               ? arena_printf(c->arena, "the axis '%c'", axis)
               : "an axis of '...'";
}

/* The extent of an axis in operands 0 … k, and the first that has it. */
static const Dim *extent(const Einsum *e, char axis, int k, Span *at)
{
    for (int i = 0; i <= k; i++) {
        const char *found = strchr(e->axes[i], axis);

        *at = e->call->arg[i].span;
        if (found)
            return e->node[i]->dim[found - e->axes[i]];
    }
    return NULL;
}

static bool extents_agree(const Einsum *e, int k)
{
    Check *c = e->c;
    const CallArg *a = &e->call->arg[k];
    Span before;

    for (int i = 0; i < e->node[k]->rank; i++) {
        char axis = e->axes[k][i];
        const Dim *d = e->node[k]->dim[i], *first = extent(e, axis, k, &before);

        if (first == d)
            continue;
        check_fail(c, a->span, "shape-mismatch", "%s is %s here, but %s before",
                   axis_text(c, axis), dim_text(c->graph, d),
                   dim_text(c->graph, first));
        check_label(c, e->call->scope, a->expr, a->value);
        check_note(c, before, "it is %s here", dim_text(c->graph, first));
        return false;
    }
    return true;
}

static bool read_operand(Einsum *e, int k, const char **text)
{
    const CallArg *a = &e->call->arg[k];
    bool last = k + 1 == e->call->narg;
    int rank = e->node[k]->rank;

    if (!read_axes(e, text, rank, &e->axes[k]))
        return false;
    if (strlen(e->axes[k]) != (size_t)rank) {
        check_fail(e->c, e->text->span, "einsum",
                   "%d axes are named for this operand",
                   (int)strlen(e->axes[k]));
        check_label(e->c, e->call->scope, a->expr, a->value);
        return false;
    }
    if (!extents_agree(e, k))
        return false;
    if (last == (**text == ','))
        return bad_text(e, last
                               ? "the text names more operands than there are"
                               : "there are more operands than the text names");
    *text += !last;
    return true;
}

/* Without '->': '...' first, then what occurs once, in alphabetical order. */
static void implicit_result(Einsum *e)
{
    Str s = str_new(e->c->arena);
    int count[128] = {0};

    for (int k = 0; k < e->call->narg; k++)
        for (const char *a = e->axes[k]; *a; a++)
            count[(unsigned char)*a]++;
    for (int i = e->rest - 1; i >= 0; i--)
        str_printf(&s, "%c", '0' + i);
    for (int i = 'A'; i <= 'z'; i++)
        if (count[i] == 1)
            str_printf(&s, "%c", i);
    e->out = s.at;
}

static bool read_result(Einsum *e, const char *s)
{
    Span at;

    if (*s == '\0') {
        implicit_result(e);
        return true;
    }
    if (s[0] != '-' || s[1] != '>')
        return bad_text(e, "after the operands stands '->' and the result");
    s += 2;
    if (!read_axes(e, &s, -1, &e->out))
        return false;
    if (*s)
        return bad_text(e, "there is one result");
    for (s = e->out; *s; s++) {
        if (strchr(s + 1, *s))
            return bad_text(e, "the result names an axis twice");
        if (!extent(e, *s, e->call->narg - 1, &at))
            return bad_text(e, "the result names an axis that no operand has");
    }
    return true;
}

/* a and those of b that it lacks; or, of a, those that b has or has not. */

static const char *joined(Check *c, const char *a, const char *b)
{
    Str s = str_new(c->arena);

    str_printf(&s, "%s", a);
    for (; *b; b++)
        if (!strchr(s.at, *b))
            str_printf(&s, "%c", *b);
    return s.at;
}

static const char *among(Check *c, const char *a, const char *b, bool has)
{
    Str s = str_new(c->arena);

    for (; *a; a++)
        if ((strchr(b, *a) != NULL) == has)
            str_printf(&s, "%c", *a);
    return s.at;
}

/* Indices of these names between `before` and `after`; nothing without axes. */
static void put_axes(Str *to, const char *before, const char *axes,
                     const char *after)
{
    for (const char *s = axes; *s; s++)
        str_printf(to, "%s i%d%s", s == axes ? before : ",", *s,
                   s[1] ? "" : after);
}

/* x · y summed to the axes `to`. x may be NULL. */
static const Value *product(const Einsum *e, const Value *x, const char *x_axes,
                            Node *y, const char *y_axes, const char *to)
{
    Check *c = e->c;
    Scope *s = scope_new(c, NULL, 0, c->prelude);
    Str text = str_new(c->arena);
    const char *summed = among(c, joined(c, x_axes, y_axes), to, false);

    put_axes(&text, "[", to, " |");
    put_axes(&text, " sum(", summed, " |");
    if (x) {
        scope_bind(c, s, intern(c->names, "x"), e->call->at, x);
        str_printf(&text, " x");
        put_axes(&text, "[", x_axes, "]");
        str_printf(&text, " *");
    }
    scope_bind(c, s, intern(c->names, "y"), e->call->at, value_tensor(c, y));
    str_printf(&text, " y");
    put_axes(&text, "[", y_axes, "]");
    str_printf(&text, "%s%s", *summed ? ")" : "", *to ? "]" : "");
    frame_library(c, call_user_span(c, e->call->scope, e->call->at));
    x = eval(c, s, program_read(c, text.at));
    frame_leave(c);
    return x;
}

static const Value *multiply(const Einsum *e)
{
    Check *c = e->c;
    int n = e->call->narg;
    const char **later = NEWN(c->arena, const char *, n), *left = "", *to;
    const Value *x = NULL;

    later[n - 1] = e->out;
    for (int k = n - 1; k > 0; k--)
        later[k - 1] = joined(c, e->axes[k], later[k]);
    if (strlen(joined(c, e->axes[0], later[0])) > MAX_RANK) {
        bad_text(e, "these are too many axes");
        return c->error;
    }
    for (int k = 0; k < n; k++, left = to) {
        to = among(c, joined(c, left, e->axes[k]), later[k], true);
        to = k + 1 < n ? to : e->out;
        x = product(e, x, left, e->node[k], e->axes[k], to);
    }
    return x;
}

static bool operands(Einsum *e)
{
    Check *c = e->c;
    int n = e->call->narg;
    Operand *x = NEWN(c->arena, Operand, n + 1);

    for (int i = 0; i < n; i++) {
        const CallArg *a = &e->call->arg[i];

        if (a->name)
            return check_refuse(
                c, a->name_span, "argument-name",
                "'einsum' takes a text, then tensors; there is no '%s'",
                a->name);
        x[i] = (Operand){a->value, a->span, a->expr};
    }
    e->node = NEWN(c->arena, Node *, n + 1);
    e->axes = NEWN(c->arena, const char *, n + 1);
    return arith_unify(
        c, &(Operation){e->call->scope, "einsum", e->call->at, n, x}, ON_real,
        e->node);
}

const Value *run_einsum(Check *c, const Expr *text, const Call *call)
{
    Einsum e = {.c = c, .text = text, .call = call, .rest = -1};
    const char *s;
    bool good;

    if (!text || text->kind != EX_text || call->narg == 0)
        return check_fail(
            c, call->at, "einsum",
            "'einsum' takes a text that names axes, then tensors\n"
            "einsum(\"ij,jk->ik\", A, B) is A @ B");
    s = text->name;
    good = operands(&e);
    for (int k = 0; k < call->narg && good; k++)
        good = read_operand(&e, k, &s);
    return good && read_result(&e, s) ? multiply(&e) : c->error;
}
