/* write.c: formulas in a notation: parentheses, signs, what stands beside
 * what. */
#include "show/notation.h"

#include <math.h>

static bool is_condition(const Form *f)
{
    return f->kind == FORM_compare || f->kind == FORM_and ||
           f->kind == FORM_or || f->kind == FORM_not;
}

static int form_precedence(const Notation *n, const Form *f);

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

/* In the notation's signs; a program calls it by a name. */
static void write_around(const Notation *n, const Form *f, const char *name,
                         const Pattern *p, Str *to)
{
    Pattern call = {name, "", ")"};
    pattern(n, n->program ? &call : p, f->arg[0], PREC_all, NULL, 0, to);
}

static void write_root(const Notation *n, const Form *f, Str *to)
{
    write_around(n, f, "sqrt(", &n->root, to);
}

static void write_bars(const Notation *n, const Form *f, Str *to)
{
    write_around(n, f, "abs(", &n->bars, to);
}

static void write_floor(const Notation *n, const Form *f, Str *to)
{
    write_around(n, f, "floor(", &n->floor, to);
}

static void write_ceil(const Notation *n, const Form *f, Str *to)
{
    write_around(n, f, "ceil(", &n->ceil, to);
}

void write_indices(const Notation *n, const Form *f, const char *comma,
                   const char *less, const char *condition, Str *to)
{
    for (int i = 0; i < f->nvar; i++) {
        str_printf(to, "%s", i ? comma : "");
        write_form(n, f->arg[2 * i], PREC_all, to);
        str_printf(to, "%s", less);
        write_form(n, f->arg[2 * i + 1], PREC_all, to);
    }
    if (!f->conditional)
        return;
    str_printf(to, "%s", condition);
    write_form(n, f->arg[f->narg - 2], PREC_all, to);
}

static void write_each(const Notation *n, const Form *f, Str *to)
{
    str_printf(to, "[");
    write_indices(n, f, ", ", n->program ? " < " : n->comma, "", to);
    str_printf(to, " | ");
    write_form(n, f->arg[f->narg - 1], PREC_all, to);
    str_printf(to, "]");
}

static void write_number(const Notation *n, const Form *f, Str *to)
{
    n->number(f, to);
}

static void write_name(const Notation *n, const Form *f, Str *to)
{
    n->name(f, to);
}

static void write_strong(const Notation *n, const Form *f, Str *to)
{
    if (!n->program) {
        write_product(n, f, to);
        return;
    }
    str_printf(to, "chain(");
    write_list(n, 2, f->arg, to);
    str_printf(to, ")");
}

static void write_negative(const Notation *n, const Form *f, Str *to)
{
    str_printf(to, "%s", n->negative);
    write_form(n, f->arg[0], n->program ? PREC_power : PREC_product, to);
}

static void write_remainder(const Notation *n, const Form *f, Str *to)
{
    write_infix(n, f, n->mod, PREC_product, to);
}

static void write_transpose(const Notation *n, const Form *f, Str *to)
{
    pattern(n, &n->transpose, f->arg[0], PREC_postfix, NULL, 0, to);
}

/* Conditions */

static void write_compare(const Notation *n, const Form *f, Str *to)
{
    write_form(n, f->arg[0], PREC_sum, to);
    str_printf(to, " ");
    n->word(f->shown, to);
    str_printf(to, " ");
    write_form(n, f->arg[1], PREC_sum, to);
}

static void write_and(const Notation *n, const Form *f, Str *to)
{
    write_infix(n, f, n->and_, PREC_both, to);
}

static void write_or(const Notation *n, const Form *f, Str *to)
{
    write_infix(n, f, n->or_, PREC_either, to);
}

static void write_not(const Notation *n, const Form *f, Str *to)
{
    str_printf(to, "%s", n->not_);
    write_form(n, f->arg[0], PREC_postfix, to);
}

/* A conversion; elsewhere than in a program only that of a condition is seen,
 * [c]: 1 where c holds. */
static void write_cast(const Notation *n, const Form *f, Str *to)
{
    if (n->program)
        write_call(n, f, to);
    else if (is_condition(f->arg[0]))
        pattern(n, &n->list, f->arg[0], PREC_all, NULL, 0, to);
    else
        write_form(n, f->arg[0], PREC_all, to);
}

/* An `if` has one type; `where` repeats a number. */
static void write_choice(const Notation *n, const Form *f, Str *to)
{
    bool each = f->arg[0]->rank > 0 || f->arg[1]->rank != f->arg[2]->rank;
    str_printf(to, each ? "where(" : "(if ");
    write_form(n, f->arg[0], PREC_all, to);
    str_printf(to, each ? ", " : " { ");
    write_form(n, f->arg[1], PREC_all, to);
    str_printf(to, each ? ", " : " } else { ");
    write_form(n, f->arg[2], PREC_all, to);
    str_printf(to, each ? ")" : " })");
}

static void write_cases(const Notation *n, const Form *f, Str *to)
{
    const CaseWords *w = &n->cases;
    if (n->program) {
        write_choice(n, f, to);
    } else if (form_is_number(f->arg[1], 1) && form_is_number(f->arg[2], 0)) {
        pattern(n, &n->list, f->arg[0], PREC_all, NULL, 0, to);
    } else {
        Pattern first = {w->open, w->holds, w->otherwise};
        Pattern second = {"", "", w->close};
        pattern(n, &first, f->arg[1], PREC_all, f->arg[0], PREC_all, to);
        pattern(n, &second, f->arg[2], PREC_all, NULL, 0, to);
    }
}

/* Elements, derivatives, steps */

static void write_at(const Notation *n, const Form *f, Str *to)
{
    str_printf(to, "%s", n->at.open);
    write_form(n, f->arg[0], PREC_postfix, to);
    if (n->lower && n->lower(f, to))
        return;
    str_printf(to, "%s", n->at.between);
    write_list(n, f->narg - 1, f->arg + 1, to);
    str_printf(to, "%s", n->at.close);
}

static void write_over(const Notation *n, const Form *f, Str *to)
{
    n->over(n, f, to);
}

static void write_tensor(const Notation *n, const Form *f, Str *to)
{
    str_printf(to, "%s", n->list.open);
    write_list(n, f->narg, f->arg, to);
    str_printf(to, "%s", n->list.close);
}

static void write_partial(const Notation *n, const Form *f, Str *to)
{
    const PartialWords *w = &n->partial;
    bool second = f->narg > 2,
         same = second && form_alike(f->arg[1], f->arg[2]);
    str_printf(to, "%s", second ? w->second : w->first);
    write_form(n, f->arg[0], PREC_postfix, to);
    str_printf(to, "%s%s", w->by, same ? w->twice : "");
    write_form(n, f->arg[1], PREC_postfix, to);
    str_printf(to, "%s", same ? w->squared : second ? w->by_next : "");
    if (second && !same)
        write_form(n, f->arg[2], PREC_postfix, to);
    str_printf(to, "%s", w->close);
}

static void write_step(const Notation *n, const Form *f, Str *to)
{
    if (n->program)
        write_form(n, f->arg[0], PREC_postfix, to);
    else if (n->lift)
        n->lift(n, f, to);
    else
        pattern(n, &n->step, f->arg[0], PREC_postfix, f->arg[1], PREC_all, to);
}

static void write_same(const Notation *n, const Form *f, Str *to)
{
    write_form(n, f->arg[0], PREC_all, to);
}

/* All kinds */

typedef struct Kind {
    int precedence, in_program;
    void (*write)(const Notation *n, const Form *f, Str *to);
} Kind;

static const Kind kinds[] = {
    [FORM_call] = {PREC_postfix, PREC_postfix, write_call},
    [FORM_number] = {PREC_whole, PREC_whole, write_number},
    [FORM_name] = {PREC_whole, PREC_whole, write_name},
    [FORM_sum] = {PREC_sum, PREC_sum, write_sum},
    [FORM_difference] = {PREC_sum, PREC_sum, write_sum},
    [FORM_product] = {PREC_product, PREC_product, write_product},
    [FORM_strong] = {PREC_product, PREC_whole, write_strong},
    [FORM_fraction] = {PREC_product, PREC_product, write_fraction},
    [FORM_quotient] = {PREC_whole, PREC_product, write_quotient},
    [FORM_remainder] = {PREC_product, PREC_product, write_remainder},
    [FORM_negative] = {PREC_sum, PREC_sum, write_negative},
    [FORM_power] = {PREC_power, PREC_power, write_power},
    [FORM_root] = {PREC_whole, PREC_whole, write_root},
    [FORM_inverse_root] = {PREC_postfix, PREC_postfix, write_call},
    [FORM_matrix] = {PREC_matrix, PREC_product, write_matrix},
    [FORM_dot] = {PREC_matrix, PREC_product, write_vectors},
    [FORM_outer] = {PREC_matrix, PREC_whole, write_vectors},
    [FORM_transpose] = {PREC_postfix, PREC_postfix, write_transpose},
    [FORM_bars] = {PREC_whole, PREC_whole, write_bars},
    [FORM_floor] = {PREC_whole, PREC_whole, write_floor},
    [FORM_ceil] = {PREC_whole, PREC_whole, write_ceil},
    [FORM_compare] = {PREC_comparison, PREC_comparison, write_compare},
    [FORM_and] = {PREC_both, PREC_both, write_and},
    [FORM_or] = {PREC_either, PREC_either, write_or},
    [FORM_not] = {PREC_power, PREC_power, write_not},
    [FORM_cases] = {PREC_whole, PREC_whole, write_cases},
    [FORM_same] = {PREC_whole, PREC_whole, write_same},
    [FORM_cast] = {PREC_whole, PREC_whole, write_cast},
    [FORM_at] = {PREC_postfix, PREC_postfix, write_at},
    [FORM_over] = {PREC_product, PREC_whole, write_over},
    [FORM_each] = {PREC_whole, PREC_whole, write_each},
    [FORM_list] = {PREC_whole, PREC_whole, write_tensor},
    [FORM_partial] = {PREC_product, PREC_product, write_partial},
    [FORM_step] = {PREC_postfix, PREC_postfix, write_step},
};
_Static_assert(sizeof kinds / sizeof *kinds == NFORMS, "a row for each kind");

/* Is nothing written of f but its argument. */
static bool is_bare(const Notation *n, const Form *f)
{
    return f->kind == FORM_same ||
           (f->kind == FORM_cast && !n->program && !is_condition(f->arg[0]));
}

static int form_precedence(const Notation *n, const Form *f)
{
    while (is_bare(n, f))
        f = f->arg[0];
    if (f->kind == FORM_number && form_has_sign(f))
        return PREC_sum;
    if (n->stacked && (f->kind == FORM_fraction || f->kind == FORM_partial))
        return PREC_power;
    const Kind *k = &kinds[f->kind];
    return n->program ? k->in_program : k->precedence;
}

void write_form(const Notation *n, const Form *f, int least, Str *to)
{
    bool parens = form_precedence(n, f) < least;
    str_printf(to, "%s", parens ? n->paren.open : "");
    kinds[f->kind].write(n, f, to);
    str_printf(to, "%s", parens ? n->paren.close : "");
}

void form_write(const Notation *n, const Form *f, Str *to)
{
    write_form(n, f, PREC_all, to);
}

void write_digits(double v, bool f32, Str *to)
{
    if (v == floor(v) && fabs(v) < 1e15)
        str_printf(to, "%.0f", v);
    else
        str_printf(to, "%s", real_digits(to->arena, v, f32, 1));
}

bool is_short(double v) { return (double)(float)v == v; }

/* Equations */

void recurrence_write(const Notation *n, const Recurrence *r, Str *to)
{
    const StepWords *w = &n->steps;
    str_printf(to, "%s", w->open);
    form_write(n, r->index, to);
    str_printf(to, "%s", r->reverse ? w->from_last : w->from_first);
    form_write(n, r->trips, to);
    str_printf(to, "%s", r->reverse ? w->to_first : w->to_last);
    if (r->until) {
        str_printf(to, "%s", w->until);
        form_write(n, r->until, to);
    }
    str_printf(to, "%s", w->close);
}

void write_equations(const Notation *n, const Equations *e, int depth, Str *to)
{
    for (int i = 0; i < e->list.n; i++) {
        const Equation *q = &e->list.at[i];
        if (q->loop && n->program) {
            write_program_loop(n, q->loop, depth, to);
            continue;
        }
        if (q->loop)
            write_equations(n, q->loop->start, depth, to);
        for (int k = 0; k < depth; k++)
            str_printf(to, "%s", n->indent);
        str_printf(to, "%s", n->begin);
        if (q->loop) {
            recurrence_write(n, q->loop, to);
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
