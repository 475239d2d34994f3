/* write.c: formulas in a notation: parentheses, signs, what stands beside
 * what. */
#include "show/notation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_condition(const Form *f)
{
    return f->kind == FORM_compare || f->kind == FORM_and ||
           f->kind == FORM_or || f->kind == FORM_not;
}

int form_precedence(const Notation *n, const Form *f)
{
    switch (f->kind) {
    case FORM_number:
        return form_has_sign(f) ? PREC_sum : PREC_whole;
    case FORM_call:
    case FORM_inverse_root:
        return PREC_postfix;
    case FORM_name:
    case FORM_bars:
    case FORM_floor:
    case FORM_ceil:
    case FORM_each:
    case FORM_list:
        return PREC_whole;
    case FORM_sum:
    case FORM_difference:
    case FORM_negative:
        return PREC_sum;
    case FORM_product:
        return PREC_product;
    case FORM_strong:
        return n->program ? PREC_whole : PREC_product;
    case FORM_fraction:
    case FORM_partial:
        return n->stacked ? PREC_power : PREC_product;
    case FORM_quotient:
        return n->program ? PREC_product : PREC_whole;
    case FORM_remainder:
        return PREC_product;
    case FORM_power:
        return PREC_power;
    case FORM_root:
    case FORM_cases:
        return PREC_whole;
    case FORM_matrix:
    case FORM_dot:
        return n->program ? PREC_product : PREC_matrix;
    case FORM_outer:
        return n->program ? PREC_whole : PREC_matrix;
    case FORM_transpose:
    case FORM_at:
    case FORM_step:
        return PREC_postfix;
    case FORM_compare:
        return PREC_comparison;
    case FORM_and:
        return PREC_both;
    case FORM_or:
        return PREC_either;
    case FORM_not:
        return PREC_power;
    case FORM_cast:
        return n->program || is_condition(f->arg[0])
                   ? PREC_whole
                   : form_precedence(n, f->arg[0]);
    case FORM_over:
        return n->program ? PREC_whole : PREC_product;
    case FORM_same:
        return form_precedence(n, f->arg[0]);
    }
    return PREC_all;
}

static void pattern(const Notation *n, const Pattern *p, const Form *a,
                    int least_a, const Form *b, int least_b, Str *to)
{
    str_printf(to, "%s", p->open);
    write_form(n, a, least_a, to);
    if (b) {
        str_printf(to, "%s", p->between);
        write_form(n, b, least_b, to);
    }
    str_printf(to, "%s", p->close);
}

static void write_list(const Notation *n, int count, const Form *const *arg,
                       Str *to)
{
    for (int i = 0; i < count; i++) {
        str_printf(to, "%s", i ? n->comma : "");
        write_form(n, arg[i], PREC_all, to);
    }
}

static void write_sum(const Notation *n, const Form *f, Str *to)
{
    for (int i = 0; i < f->narg; i++) {
        const Form *t = f->arg[i];
        bool less = f->kind == FORM_difference && i;
        if (i && !less && form_has_sign(t)) {
            str_printf(to, "%s", n->minus);
            Form plus = *t;
            plus.number = -t->number;
            write_form(n, t->kind == FORM_number ? &plus : t->arg[0],
                       PREC_product, to);
            continue;
        }
        str_printf(to, "%s", i == 0 ? "" : less ? n->minus : n->plus);
        write_form(n, t, i ? PREC_product : PREC_sum, to);
    }
}

/* What stands between two factors. */
static const char *joint(const Notation *n, const Form *a, const Form *b)
{
    return a->rank > 0 && b->rank > 0 ? n->elementwise : n->times;
}

static int count_tensors(const Form *f)
{
    int tensors = 0;
    for (int i = 0; i < f->narg; i++)
        tensors += f->arg[i]->rank > 0;
    return tensors;
}

static void write_product(const Notation *n, const Form *f, Str *to)
{
    bool tensors = count_tensors(f) > 1;
    for (int i = 0; i < f->narg; i++) {
        const Form *x = f->arg[i];
        int least = n->program               ? PREC_product + (i > 0)
                    : tensors && x->rank > 0 ? PREC_power
                                             : PREC_matrix;
        if (x->kind == FORM_over && i + 1 == f->narg && !tensors)
            least = PREC_product;
        str_printf(to, "%s", i ? joint(n, f->arg[i - 1], x) : "");
        write_form(n, x, least, to);
    }
}

static void write_fraction(const Notation *n, const Form *f, Str *to)
{
    const Form *a = f->arg[0], *b = f->arg[1];
    if (n->stacked) {
        pattern(n, &n->fraction, a, PREC_all, b, PREC_all, to);
        return;
    }
    bool tight = !n->program && form_precedence(n, a) >= PREC_power &&
                 form_precedence(n, b) >= PREC_power &&
                 form_size(a) + form_size(b) < 6;
    write_form(n, a, PREC_product, to);
    str_printf(to, "%s", tight ? "/" : " / ");
    write_form(n, b, n->program ? PREC_matrix : PREC_power, to);
}

static void write_call(const Notation *n, const Form *f, Str *to)
{
    n->word(f->shown, to);
    str_printf(to, "%s", n->paren.open);
    write_list(n, f->narg, f->arg, to);
    str_printf(to, "%s", n->paren.close);
}

static void write_infix(const Notation *n, const Form *f, const char *word,
                        int least, Str *to)
{
    write_form(n, f->arg[0], least, to);
    str_printf(to, "%s", word);
    write_form(n, f->arg[1], least + 1, to);
}

static void write_matrix(const Notation *n, const Form *f, Str *to)
{
    int least = n->program ? PREC_product : PREC_matrix;
    write_form(n, f->arg[0], least, to);
    str_printf(to, "%s", n->juxtaposed);
    write_form(n, f->arg[1], PREC_matrix, to);
}

static void write_vectors(const Notation *n, const Form *f, Str *to)
{
    const Form *x = f->arg[0], *y = f->arg[1];
    Form turned = {.kind = FORM_transpose, .narg = 1, .rank = 1};
    const Form *of[1] = {f->kind == FORM_dot ? x : y};
    turned.arg = of;
    if (n->program && f->kind == FORM_outer) {
        str_printf(to, "outer(");
        write_list(n, 2, f->arg, to);
        str_printf(to, ")");
    } else if (n->program) {
        write_matrix(n, f, to);
    } else {
        write_form(n, f->kind == FORM_dot ? &turned : x, PREC_matrix, to);
        str_printf(to, "%s", n->juxtaposed);
        write_form(n, f->kind == FORM_dot ? y : &turned, PREC_matrix, to);
    }
}

/* (x * x): of sizes, for which there is no power. */
static void write_repeated(const Notation *n, const Form *x, int times, Str *to)
{
    str_printf(to, "%s", n->paren.open);
    for (int i = 0; i < times; i++) {
        str_printf(to, "%s", i ? n->times : "");
        write_form(n, x, PREC_matrix, to);
    }
    str_printf(to, "%s", n->paren.close);
}

static void write_power(const Notation *n, const Form *f, Str *to)
{
    if (n->program && f->arg[1]->integer)
        write_repeated(n, f->arg[0], (int)f->arg[1]->number, to);
    else if (n->raise)
        n->raise(n, f, to);
    else
        pattern(n, &n->power, f->arg[0], PREC_postfix, f->arg[1],
                n->stacked ? PREC_all : PREC_whole, to);
}

static void write_quotient(const Notation *n, const Form *f, Str *to)
{
    if (!n->program)
        str_printf(to, "%s", n->floor.open);
    write_fraction(n, f, to);
    if (!n->program)
        str_printf(to, "%s", n->floor.close);
}

/* Names by which a program calls what has its own signs elsewhere. */
static void write_called(const Notation *n, const Form *f, const char *name,
                         const Pattern *p, Str *to)
{
    Pattern call = {name, "", ")"};
    pattern(n, n->program ? &call : p, f->arg[0], PREC_all, NULL, 0, to);
}

static void write_each(const Notation *n, const Form *f, Str *to)
{
    str_printf(to, "[");
    for (int i = 0; i < f->nvar; i++) {
        str_printf(to, i ? ", " : "");
        write_form(n, f->arg[2 * i], PREC_all, to);
        str_printf(to, n->program ? " < " : "%s", n->comma);
        write_form(n, f->arg[2 * i + 1], PREC_all, to);
    }
    str_printf(to, " | ");
    write_form(n, f->arg[f->narg - 1], PREC_all, to);
    str_printf(to, "]");
}

/* A condition as a number. */
static void write_counted(const Notation *n, const Form *f, Str *to)
{
    bool condition = is_condition(f);
    str_printf(to, "%s", condition ? n->list.open : "");
    write_form(n, f, PREC_all, to);
    str_printf(to, "%s", condition ? n->list.close : "");
}

static void write_inner(const Notation *n, const Form *f, Str *to)
{
    switch (f->kind) {
    case FORM_number:
        n->number(f, to);
        return;
    case FORM_name:
        n->name(f->name, to);
        return;
    case FORM_call:
    case FORM_inverse_root:
        write_call(n, f, to);
        return;
    case FORM_sum:
    case FORM_difference:
        write_sum(n, f, to);
        return;
    case FORM_strong:
        if (n->program) {
            str_printf(to, "chain(");
            write_list(n, 2, f->arg, to);
            str_printf(to, ")");
            return;
        }
        write_product(n, f, to);
        return;
    case FORM_product:
        write_product(n, f, to);
        return;
    case FORM_negative:
        str_printf(to, "%s", n->negative);
        write_form(n, f->arg[0], n->program ? PREC_power : PREC_product, to);
        return;
    case FORM_fraction:
        write_fraction(n, f, to);
        return;
    case FORM_quotient:
        write_quotient(n, f, to);
        return;
    case FORM_remainder:
        write_infix(n, f, n->mod, PREC_product, to);
        return;
    case FORM_power:
        write_power(n, f, to);
        return;
    case FORM_root:
        write_called(n, f, "sqrt(", &n->root, to);
        return;
    case FORM_bars:
        write_called(n, f, "abs(", &n->bars, to);
        return;
    case FORM_floor:
        write_called(n, f, "floor(", &n->floor, to);
        return;
    case FORM_ceil:
        write_called(n, f, "ceil(", &n->ceil, to);
        return;
    case FORM_matrix:
        write_matrix(n, f, to);
        return;
    case FORM_dot:
    case FORM_outer:
        write_vectors(n, f, to);
        return;
    case FORM_transpose:
        pattern(n, &n->transpose, f->arg[0], PREC_postfix, NULL, 0, to);
        return;
    case FORM_compare:
        write_form(n, f->arg[0], PREC_sum, to);
        str_printf(to, " ");
        n->word(f->shown, to);
        str_printf(to, " ");
        write_form(n, f->arg[1], PREC_sum, to);
        return;
    case FORM_and:
        write_infix(n, f, n->and_, PREC_both, to);
        return;
    case FORM_or:
        write_infix(n, f, n->or_, PREC_either, to);
        return;
    case FORM_not:
        str_printf(to, "%s", n->not_);
        write_form(n, f->arg[0], PREC_postfix, to);
        return;
    case FORM_cases:
        n->cases(n, f, to);
        return;
    case FORM_cast:
        if (n->program)
            write_call(n, f, to);
        else
            write_counted(n, f->arg[0], to);
        return;
    case FORM_at:
        n->at(n, f, to);
        return;
    case FORM_over:
        n->over(n, f, to);
        return;
    case FORM_each:
        write_each(n, f, to);
        return;
    case FORM_list:
        str_printf(to, "%s", n->list.open);
        write_list(n, f->narg, f->arg, to);
        str_printf(to, "%s", n->list.close);
        return;
    case FORM_partial:
        n->partial(n, f, to);
        return;
    case FORM_step:
        n->step(n, f, to);
        return;
    case FORM_same:
        write_form(n, f->arg[0], PREC_all, to);
        return;
    }
}

void write_form(const Notation *n, const Form *f, int least, Str *to)
{
    bool parens = form_precedence(n, f) < least;
    str_printf(to, "%s", parens ? n->paren.open : "");
    write_inner(n, f, to);
    str_printf(to, "%s", parens ? n->paren.close : "");
}

void form_write(const Notation *n, const Form *f, Str *to)
{
    write_form(n, f, PREC_all, to);
}

void write_digits(double v, Str *to)
{
    char digits[40];
    if (v == floor(v) && fabs(v) < 1e15) {
        str_printf(to, "%.0f", v);
        return;
    }
    for (int k = 1; k <= 17; k++) {
        snprintf(digits, sizeof digits, "%.*g", k, v);
        double back = strtod(digits, NULL);
        if (back == v || ((double)(float)v == v && (double)(float)back == v))
            break;
    }
    str_printf(to, "%s", digits);
}

/* Equations */

static void write_equations(const Notation *n, const Equations *e, int depth,
                            Str *to)
{
    for (int i = 0; i < e->list.n; i++) {
        const Equation *q = &e->list.at[i];
        if (q->loop)
            write_equations(n, q->loop->start, depth, to);
        for (int k = 0; k < depth; k++)
            str_printf(to, "%s", n->indent);
        str_printf(to, "%s", n->begin);
        if (q->loop) {
            n->steps(n, q->loop, to);
        } else {
            form_write(n, q->left, to);
            str_printf(to, "%s", n->between);
            form_write(n, q->right, to);
        }
        str_printf(to, "%s", n->end);
        if (q->loop)
            write_equations(n, q->loop->step, depth + 1, to);
    }
}

void equations_write(const Notation *n, const Equations *e, Str *to)
{
    write_equations(n, e, 0, to);
}

/* Words */

static const char *wordless(const Form *f)
{
    bool word = f->kind == FORM_call || f->kind == FORM_over;
    if (word && !f->shown->nn)
        return f->shown->text;
    if (f->kind == FORM_partial)
        return "a derivative";
    for (int i = 0; i < f->narg; i++) {
        const char *w = wordless(f->arg[i]);
        if (w)
            return w;
    }
    return NULL;
}

const char *equations_wordless(const Equations *e)
{
    for (int i = 0; i < e->list.n; i++) {
        const Equation *q = &e->list.at[i];
        const char *w = q->loop ? "a loop" : wordless(q->right);
        if (w)
            return w;
    }
    return NULL;
}
