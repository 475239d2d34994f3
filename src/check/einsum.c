/* einsum.c: einsum("bik,bkj->bij", A, B): sums of products, by names of axes.
 *
 * Operands are multiplied from the left; an axis is summed as soon as no
 * operand that is still to come, nor the result, has it. */
#include "check/check_internal.h"

#include <ctype.h>
#include <string.h>

/* Labels: letters, and numbers above them for the axes that '...' stands for,
 * counted from the last. */
enum { LETTERS = 128, LABELS = LETTERS + MAX_RANK };

typedef struct Labels {
    int at[MAX_RANK];
    int n;
} Labels;

typedef struct Einsum {
    Check *c;
    const Expr *text;
    const Scope *scope;
    int n; /* operands */
    Node **node;
    Labels *labels;
    const Dim *dim[LABELS];
    Span span[LABELS]; /* the operand that told dim */
    Labels out;
} Einsum;

static bool bad_text(const Einsum *e, const char *why)
{
    check_fail(e->c, e->text->span, "einsum", "%s", why);
    check_detail(e->c, "einsum(\"ij,jk->ik\", A, B) is A @ B");
    return false;
}

/* Reads labels up to ',', '-' or the end; '...' stands for `rest` axes. */
static bool read_labels(Einsum *e, const char **text, int rest, Labels *to)
{
    const char *s = *text;
    bool dots = false;

    to->n = 0;
    for (; *s && *s != ',' && *s != '-'; s++) {
        int from = isalpha((unsigned char)*s) ? *s : -1;

        if (*s == ' ')
            continue;
        if (strncmp(s, "...", 3) == 0 && !dots && rest >= 0) {
            dots = true;
            s += 2;
            for (int i = 0; i < rest; i++)
                to->at[to->n++] = LETTERS + rest - 1 - i;
            continue;
        }
        if (from < 0)
            return bad_text(e, "axes are letters, and '...' at most once for "
                               "those without a name");
        if (to->n == MAX_RANK)
            return bad_text(e, "these are too many axes");
        to->at[to->n++] = from;
    }
    *text = s;
    return true;
}

/* Letters before the next ',' or '->'; *dots: are there '...'. */
static int count_letters(const char *s, bool *dots)
{
    int n = 0;

    *dots = false;
    for (; *s && *s != ',' && *s != '-'; s++) {
        n += isalpha((unsigned char)*s) != 0;
        *dots = *dots || *s == '.';
    }
    return n;
}

static bool wrong_rank(const Einsum *e, const CallArg *a, int letters)
{
    Check *c = e->c;

    check_fail(c, e->text->span, "einsum", "%d axes are named for this operand",
               letters);
    check_label(c, e->scope, a->expr, a->value);
    return false;
}

static bool take_dims(Einsum *e, int k, const CallArg *a)
{
    Check *c = e->c;
    const Labels *l = &e->labels[k];

    for (int i = 0; i < l->n; i++) {
        int label = l->at[i];
        const Dim *d = e->node[k]->dim[i];

        if (!e->dim[label]) {
            e->dim[label] = d;
            e->span[label] = a->span;
        }
        if (e->dim[label] == d)
            continue;
        check_fail(c, a->span, "shape-mismatch", "%s is %s here, but %s before",
                   label < LETTERS
                       ? arena_printf(c->arena, "the axis '%c'", label)
                       : "an axis of '...'",
                   dim_text(c->graph, d), dim_text(c->graph, e->dim[label]));
        check_label(c, e->scope, a->expr, a->value);
        check_note(c, e->span[label], "it is %s here",
                   dim_text(c->graph, e->dim[label]));
        return false;
    }
    return true;
}

/* a with its axis j put behind i and both made one: the diagonal, which is
 * every (n + 1)th of the n·n elements. */
static Node *diagonal(Graph *g, Node *a, int i, int j)
{
    const Dim *n = a->dim[i], *one = dim_const(g, 1), *dim[MAX_RANK];
    const Dim *step = dim_add(g, n, one);
    int perm[MAX_RANK], k = 0, rank = a->rank - 1;

    for (int x = 0; x < a->rank; x++) {
        if (x != j)
            perm[k++] = x;
        if (x == i)
            perm[k++] = j;
    }
    a = g_permute(g, a, perm);
    for (int x = 0; x < rank; x++)
        dim[x] = x == i ? dim_mul(g, n, n) : a->dim[x > i ? x + 1 : x];
    a = g_reshape(g, a, rank, dim);
    return g_strided(g, a, i, dim_const(g, 0), 1, &n, &step);
}

/* An axis that is named twice becomes one. */
static void take_diagonals(Einsum *e, int k)
{
    Labels *l = &e->labels[k];

    for (int i = 0; i < l->n; i++) {
        for (int j = i + 1; j < l->n;) {
            if (l->at[i] != l->at[j]) {
                j++;
                continue;
            }
            e->node[k] = diagonal(e->c->graph, e->node[k], i, j);
            l->n--;
            memmove(&l->at[j], &l->at[j + 1],
                    sizeof *l->at * (size_t)(l->n - j));
        }
    }
}

static bool has_label(const Labels *l, int label)
{
    for (int i = 0; i < l->n; i++)
        if (l->at[i] == label)
            return true;
    return false;
}

/* Without '->': '...' first, then what occurs once, in alphabetical order. */
static void implicit_result(Einsum *e, int rest)
{
    int count[LETTERS] = {0};

    for (int k = 0; k < e->n; k++)
        for (int i = 0; i < e->labels[k].n; i++)
            if (e->labels[k].at[i] < LETTERS)
                count[e->labels[k].at[i]]++;
    e->out.n = 0;
    for (int i = 0; i < rest; i++)
        e->out.at[e->out.n++] = LETTERS + rest - 1 - i;
    for (int i = 0; i < LETTERS && e->out.n < MAX_RANK; i++)
        if (count[i] == 1)
            e->out.at[e->out.n++] = i;
}

static bool result_labels(Einsum *e, const char *s, int rest)
{
    if (*s == '\0') {
        implicit_result(e, rest);
        return true;
    }
    if (s[0] != '-' || s[1] != '>')
        return bad_text(e, "after the operands stands '->' and the result");
    s += 2;
    if (!read_labels(e, &s, rest, &e->out))
        return false;
    if (*s)
        return bad_text(e, "there is one result");
    for (int i = 0; i < e->out.n; i++) {
        Labels before = e->out;

        before.n = i;
        if (has_label(&before, e->out.at[i]))
            return bad_text(e, "the result names an axis twice");
        if (!e->dim[e->out.at[i]])
            return bad_text(e, "the result names an axis that no operand has");
    }
    return true;
}

/* Is the label wanted after operand k. */
static bool wanted(const Einsum *e, int k, int label)
{
    if (has_label(&e->out, label))
        return true;
    for (int i = k + 1; i < e->n; i++)
        if (has_label(&e->labels[i], label))
            return true;
    return false;
}

/* a with what nobody wants summed away. */
static Node *sum_unwanted(Einsum *e, int k, Node *a, Labels *l)
{
    int axis[MAX_RANK], n = 0, kept = 0;

    for (int i = 0; i < l->n; i++) {
        if (wanted(e, k, l->at[i]))
            l->at[kept++] = l->at[i];
        else
            axis[n++] = i;
    }
    l->n = kept;
    return n ? g_reduce(e->c->graph, OP_sum, a, n, axis) : a;
}

/* The product of a and operand k, over the labels wanted after it. */
static Node *times(Einsum *e, int k, Node *a, Labels *l)
{
    Labels to = {.n = 0};
    const Labels *from[2] = {l, &e->labels[k]};

    for (int side = 0; side < 2; side++)
        for (int i = 0; i < from[side]->n; i++) {
            int label = from[side]->at[i];

            if (wanted(e, k, label) && !has_label(&to, label))
                to.at[to.n++] = label;
        }
    a = g_contract(e->c->graph, a, l->at, e->node[k], e->labels[k].at, to.n,
                   to.at);
    *l = to;
    return a;
}

static Node *in_order(Einsum *e, Node *a, const Labels *l)
{
    int perm[MAX_RANK];

    for (int i = 0; i < e->out.n; i++)
        for (int j = 0; j < l->n; j++)
            if (l->at[j] == e->out.at[i])
                perm[i] = j;
    return l->n ? g_permute(e->c->graph, a, perm) : a;
}

static const Value *contract_all(Einsum *e)
{
    Labels l = e->labels[0];
    Node *a = e->node[0];
    bool seen[LABELS] = {false};
    int many = 0;

    for (int k = 0; k < e->n; k++)
        for (int i = 0; i < e->labels[k].n; i++) {
            many += !seen[e->labels[k].at[i]];
            seen[e->labels[k].at[i]] = true;
        }
    if (many > MAX_RANK) {
        bad_text(e, "these are too many axes");
        return e->c->error;
    }
    a = sum_unwanted(e, 0, a, &l);
    for (int k = 1; k < e->n; k++)
        a = times(e, k, a, &l);
    return value_tensor(e->c, in_order(e, a, &l));
}

/* The axes that '...' stands for: as many in each operand that has it. */
static bool count_rest(Einsum *e, const char *s, int *rest)
{
    for (int k = 0; k < e->n; k++) {
        bool dots;
        int n = e->node[k]->rank - count_letters(s, &dots);

        if (dots && *rest >= 0 && n != *rest && n >= 0)
            return bad_text(e, "'...' stands for as many axes in each operand");
        *rest = dots ? n : *rest;
        s += strcspn(s, ",-");
        s += *s == ',';
    }
    return true;
}

static bool read_operands(Einsum *e, const CallArg *arg, const char **text,
                          int rest)
{
    const char *s = *text;

    for (int k = 0; k < e->n; k++) {
        if (!read_labels(e, &s, rest, &e->labels[k]))
            return false;
        if (e->labels[k].n != e->node[k]->rank)
            return wrong_rank(e, &arg[k], e->labels[k].n);
        if (!take_dims(e, k, &arg[k]))
            return false;
        if (k + 1 < e->n && *s != ',')
            return bad_text(e, "there are more operands than the text names");
        if (k + 1 == e->n && *s == ',')
            return bad_text(e, "the text names more operands than there are");
        s += *s == ',';
    }
    *text = s;
    return true;
}

static bool operands(Einsum *e, const Call *call, const CallArg *arg)
{
    Check *c = e->c;
    Operand *x = NEWN(c->arena, Operand, e->n + 1);

    for (int i = 0; i < e->n; i++) {
        if (arg[i].name) {
            check_fail(c, arg[i].name_span, "argument-name",
                       "'einsum' takes a text, then tensors; there is no '%s'",
                       arg[i].name);
            return false;
        }
        x[i] = (Operand){arg[i].value, arg[i].span, arg[i].expr};
    }
    e->node = NEWN(c->arena, Node *, e->n + 1);
    e->labels = NEWN(c->arena, Labels, e->n + 1);
    return arith_unify(c, e->scope, "einsum", call->at, e->n, x, ON_real,
                       e->node);
}

const Value *run_einsum(Check *c, const Expr *text, const Call *call)
{
    Einsum e = {.c = c, .text = text, .scope = call->scope, .n = call->narg};
    const char *s;
    int rest = -1;

    if (!text || text->kind != EX_text || call->narg == 0) {
        check_fail(c, call->at, "einsum",
                   "'einsum' takes a text that names axes, then tensors");
        check_detail(c, "einsum(\"ij,jk->ik\", A, B) is A @ B");
        return c->error;
    }
    s = text->name;
    if (!operands(&e, call, call->arg) || !count_rest(&e, s, &rest) ||
        !read_operands(&e, call->arg, &s, rest) || !result_labels(&e, s, rest))
        return c->error;
    for (int k = 0; k < e.n; k++)
        take_diagonals(&e, k);
    return contract_all(&e);
}
