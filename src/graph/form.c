/* form.c: formulas put together: sums and products in the order in which one
 * writes them. */
#include "graph/form_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

FormSort form_sort(FormKind kind)
{
    static const FormSort sort[NFORMS] = {
        [FORM_sum] = SORT_add,         [FORM_difference] = SORT_add,
        [FORM_negative] = SORT_add,    [FORM_product] = SORT_multiply,
        [FORM_strong] = SORT_multiply, [FORM_fraction] = SORT_divide,
        [FORM_quotient] = SORT_divide, [FORM_remainder] = SORT_divide,
        [FORM_root] = SORT_root,       [FORM_inverse_root] = SORT_root,
        [FORM_call] = SORT_function,   [FORM_power] = SORT_function,
        [FORM_matrix] = SORT_contract, [FORM_dot] = SORT_contract,
        [FORM_outer] = SORT_contract,  [FORM_over] = SORT_reduce,
    };
    return sort[kind];
}

static Form *form_new(FormMaker *m, FormKind kind, int n)
{
    Form *f = NEW(m->arena, Form);
    f->kind = kind;
    f->narg = n;
    return f;
}

const Form *form_name(FormMaker *m, const char *name, int rank)
{
    Form *f = form_new(m, FORM_name, 0);
    f->name = name;
    f->rank = rank;
    return f;
}

const Form *form_marked(FormMaker *m, const Form *name, FormMark mark)
{
    Form *f = arena_copy(m->arena, name, sizeof *f);
    f->mark = mark;
    return f;
}

const Form *form_row(FormMaker *m, int row, int through, FormMark mark,
                     int rank)
{
    Form *f = form_new(m, FORM_name, 0);
    f->row = row;
    f->through = through;
    f->mark = mark;
    f->rank = rank;
    return f;
}

const Form *form_number(FormMaker *m, double v, bool integer)
{
    Form *f = form_new(m, FORM_number, 0);
    f->number = v;
    f->integer = integer;
    f->f32 = graph_real(m->graph) == DT_f32;
    return f;
}

bool form_is_number(const Form *f, double v)
{
    return f->kind == FORM_number && f->number == v;
}

bool form_has_sign(const Form *f)
{
    return f->kind == FORM_negative ||
           (f->kind == FORM_number && signbit(f->number) && !isnan(f->number));
}

/* Functions of a program may be others of the same name; types are not. */
static bool named_alike(const Shown *a, const Shown *b)
{
    return a == b || (a && b && a->kind == FORM_cast && b->kind == FORM_cast &&
                      strcmp(a->nn, b->nn) == 0);
}

static bool same_name(const Form *a, const Form *b)
{
    bool names =
        a->name && b->name ? strcmp(a->name, b->name) == 0 : a->name == b->name;
    return names && a->row == b->row && a->through == b->through &&
           a->mark == b->mark;
}

bool form_alike(const Form *a, const Form *b)
{
    if (a == b)
        return true;
    if (a->kind != b->kind || a->narg != b->narg ||
        !named_alike(a->shown, b->shown) || a->nvar != b->nvar ||
        a->rank != b->rank)
        return false;
    if (a->kind == FORM_number)
        return a->number == b->number && a->integer == b->integer;
    if (a->kind == FORM_name)
        return same_name(a, b);
    for (int i = 0; i < a->narg; i++)
        if (!form_alike(a->arg[i], b->arg[i]))
            return false;
    return true;
}

uint64_t form_hash(const Form *f)
{
    uint64_t h = hash_mix(HASH_SEED, (uint64_t)f->kind);
    double number = f->number + 0.0; /* -0 is 0 */

    if (f->kind == FORM_number)
        return hash_bytes(h, &number, sizeof number);
    if (f->kind == FORM_name && f->name)
        return hash_bytes(h, f->name, strlen(f->name));
    for (int i = 0; i < f->narg; i++)
        h = hash_mix(h, form_hash(f->arg[i]));
    return h;
}

/* A call that makes a number of a tensor goes over its elements. */
int form_size(const Form *f)
{
    bool over = f->kind == FORM_call && f->rank == 0 && f->narg > 0 &&
                f->arg[0]->rank > 0;
    int n = over ? 3 : 1;
    for (int i = 0; i < f->narg; i++)
        n += form_size(f->arg[i]);
    return n;
}

/* Sums and products. */

const Form *form_list(FormMaker *m, FormKind kind, const Shown *shown,
                      const Forms *of)
{
    Form *f = form_new(m, kind, of->n);
    f->arg = arena_copy(m->arena, of->at, sizeof *of->at * (size_t)of->n);
    f->shown = shown;
    for (int i = 0; i < of->n; i++) {
        int order = of->at[i]->order;
        if (of->at[i]->rank > f->rank)
            f->rank = of->at[i]->rank;
        if (order && (!f->order || order < f->order))
            f->order = order;
    }
    return f;
}

const Form *form1(FormMaker *m, FormKind kind, const Form *x)
{
    return form_make(m, kind, NULL, 1, &x);
}

const Form *form2(FormMaker *m, FormKind kind, const Form *x, const Form *y)
{
    return form_make(m, kind, NULL, 2, (const Form *[]){x, y});
}

static const Form *negative(FormMaker *m, const Form *x)
{
    Forms one = {0};
    if (x->kind == FORM_negative)
        return x->arg[0];
    if (x->kind == FORM_number && !signbit(x->number))
        return form_number(m, -x->number, x->integer);
    list_push(m->arena, &one, x);
    return form_list(m, FORM_negative, NULL, &one);
}

static void add_terms(FormMaker *m, Forms *to, const Form *x, bool less)
{
    if (x->kind == FORM_negative && x->arg[0]->kind == FORM_sum)
        add_terms(m, to, x->arg[0], !less);
    else if (x->kind == FORM_sum)
        for (int i = 0; i < x->narg; i++)
            add_terms(m, to, x->arg[i], less);
    else
        list_push(m->arena, to, less ? negative(m, x) : x);
}

/* By the inputs that come first in them, those without the last; of equal ones
 * none is moved. */
static void in_order(Forms *f)
{
    for (int i = 1; i < f->n; i++) {
        const Form *x = f->at[i];
        unsigned order = (unsigned)x->order - 1;
        int k = i;
        for (; k > 0 && order < (unsigned)f->at[k - 1]->order - 1; k--)
            f->at[k] = f->at[k - 1];
        f->at[k] = x;
    }
}

static const Form *doubled(FormMaker *m, const Form *x)
{
    return form2(m, FORM_product, form_number(m, 2, true), x);
}

static void drop(Forms *f, int k)
{
    f->n--;
    for (; k < f->n; k++)
        f->at[k] = f->at[k + 1];
}

/* x + x is 2 x. */
static void gather_terms(FormMaker *m, Forms *f)
{
    for (int i = 0; i < f->n; i++)
        for (int k = i + 1; k < f->n; k++) {
            if (f->at[i]->kind == FORM_number ||
                !form_alike(f->at[i], f->at[k]))
                continue;
            f->at[i] = doubled(m, f->at[i]);
            drop(f, k);
            break;
        }
}

/* Terms with a sign stand behind those without, so that a sum begins with none
 * if it can. */
static const Form *sum_of(FormMaker *m, Forms *all)
{
    Forms to = {0};
    in_order(all);
    for (int less = 0; less < 2; less++)
        for (int i = 0; i < all->n; i++)
            if (form_has_sign(all->at[i]) == (less != 0))
                list_push(m->arena, &to, all->at[i]);
    gather_terms(m, &to);
    return to.n == 1 ? to.at[0] : form_list(m, FORM_sum, NULL, &to);
}

const Form *form_opposite(FormMaker *m, const Form *x)
{
    Forms all = {0};
    add_terms(m, &all, x, true);
    return sum_of(m, &all);
}

/* The factors over and under the line. */
typedef struct Factors {
    Forms over, under;
    bool less;
} Factors;

static void add_factors(FormMaker *m, Factors *to, const Form *x, bool under)
{
    if (x->kind == FORM_negative) {
        to->less = !to->less;
        add_factors(m, to, x->arg[0], under);
    } else if (x->kind == FORM_product || x->kind == FORM_strong) {
        for (int i = 0; i < x->narg; i++)
            add_factors(m, to, x->arg[i], under);
    } else if (x->kind == FORM_fraction) {
        add_factors(m, to, x->arg[0], under);
        add_factors(m, to, x->arg[1], !under);
    } else if (x->kind == FORM_number && x->number < 0) {
        to->less = !to->less;
        add_factors(m, to, form_number(m, -x->number, x->integer), under);
    } else if (x->kind == FORM_cast && x->rank == 0 &&
               (x->arg[0]->kind == FORM_product ||
                x->arg[0]->kind == FORM_name)) {
        add_factors(m, to, x->arg[0], under);
    } else if (!form_is_number(x, 1)) {
        list_push(m->arena, under ? &to->under : &to->over, x);
    }
}

/* Where it stands in a product: numbers, names, roots and powers, the rest. */
static int factor_class(const Form *x)
{
    if (x->kind == FORM_power)
        x = x->arg[0];
    return x->kind == FORM_number                          ? 0
           : x->kind == FORM_name || x->kind == FORM_at    ? 1
           : x->kind == FORM_sum || x->kind == FORM_matrix ? 2
           : x->kind == FORM_over || x->kind == FORM_cases ? 4
                                                           : 3;
}

static double exponent_of(const Form *x, const Form **base)
{
    bool power = x->kind == FORM_power && x->arg[1]->kind == FORM_number;
    bool root = x->kind == FORM_root;
    *base = power || root ? x->arg[0] : x;
    return power ? x->arg[1]->number : root ? 0.5 : 1;
}

bool form_same_base(const Form *x, const Form *y)
{
    const Form *a, *b;
    exponent_of(x, &a);
    exponent_of(y, &b);
    return form_alike(a, b);
}

static const Form *powered(FormMaker *m, const Form *x, double e)
{
    if (e == 1)
        return x;
    return e == 0.5 ? form1(m, FORM_root, x)
                    : form2(m, FORM_power, x, form_number(m, e, true));
}

/* Equal factors are a power. */
static void gather_powers(FormMaker *m, Forms *f)
{
    for (int i = 0; i < f->n; i++)
        for (int k = i + 1; k < f->n; k++) {
            const Form *a, *b;
            double e = exponent_of(f->at[i], &a) + exponent_of(f->at[k], &b);
            if (a->kind == FORM_number || !form_alike(a, b))
                continue;
            f->at[i] = powered(m, a, e);
            drop(f, k--);
        }
}

/* One number, and it is the first. */
static void gather_numbers(FormMaker *m, Forms *f)
{
    double all = 1;
    bool integer = true, any = false;
    int kept = 0;
    for (int i = 0; i < f->n; i++)
        if (f->at[i]->kind == FORM_number) {
            all *= f->at[i]->number;
            integer = integer && f->at[i]->integer;
            any = true;
        }
    for (int i = 0; i < f->n; i++)
        if (f->at[i]->kind != FORM_number)
            f->at[kept++] = f->at[i];
    f->n = kept;
    if (any && all != 1)
        list_push(m->arena, f, form_number(m, all, integer));
}

/* Of one class numbers stand before tensors. */
static const Form *product_of(FormMaker *m, Forms *f)
{
    Forms to = {0};
    gather_powers(m, f);
    gather_numbers(m, f);
    in_order(f);
    for (int c = 0; c < 2 * 4 + 2; c++)
        for (int i = 0; i < f->n; i++) {
            int class = factor_class(f->at[i]), tensor = f->at[i]->rank > 0;
            if (c == (class == 4 ? 8 + tensor : class + 4 * tensor))
                list_push(m->arena, &to, f->at[i]);
        }
    if (to.n == 0)
        return form_number(m, 1, false);
    return to.n == 1 ? to.at[0] : form_list(m, FORM_product, NULL, &to);
}

/* What is above the line and below it, as the lesser of two powers. */
static void cancel_powers(FormMaker *m, Factors *f)
{
    for (int i = 0; i < f->over.n; i++)
        for (int k = 0; k < f->under.n; k++) {
            const Form *a, *b;
            double e = exponent_of(f->over.at[i], &a) -
                       exponent_of(f->under.at[k], &b);
            if (a->kind == FORM_number || !form_alike(a, b))
                continue;
            if (e < 0)
                f->under.at[k] = powered(m, a, -e);
            else
                drop(&f->under, k);
            if (e > 0)
                f->over.at[i] = powered(m, a, e);
            else
                drop(&f->over, i);
            i--;
            break;
        }
}

/* The number among the factors, which is taken from them, or 1. */
static double take_number(FormMaker *m, Forms *f)
{
    double c = 1;
    gather_numbers(m, f);
    if (f->n && f->at[f->n - 1]->kind == FORM_number)
        c = f->at[--f->n]->number;
    return c;
}

static void put_number(FormMaker *m, Forms *f, double c)
{
    if (c != 1)
        list_push(m->arena, f, form_number(m, c, c == rint(c)));
}

static void cancel_numbers(FormMaker *m, Factors *f)
{
    double above = take_number(m, &f->over), under = take_number(m, &f->under);
    double c = above / under;
    char digits[32];
    snprintf(digits, sizeof digits, "%.4g", c);
    bool upper = c == rint(c) || strtod(digits, NULL) == c;
    bool lower = c != rint(c) && 1 / c == rint(1 / c);
    put_number(m, &f->over, lower ? 1 : upper ? c : above);
    put_number(m, &f->under, lower ? 1 / c : upper ? 1 : under);
}

static const Form *product(FormMaker *m, const Form *x, const Form *y,
                           bool divided)
{
    Factors f = {0};
    add_factors(m, &f, x, false);
    add_factors(m, &f, y, divided);
    form_average(m, &f.over, &f.under);
    if (m->derived && f.under.n) {
        gather_powers(m, &f.over);
        gather_powers(m, &f.under);
        cancel_powers(m, &f);
        cancel_numbers(m, &f);
    }
    const Form *to = product_of(m, &f.over);
    if (f.under.n) {
        Forms both = {0};
        list_push(m->arena, &both, to);
        list_push(m->arena, &both, product_of(m, &f.under));
        to = form_list(m, FORM_fraction, NULL, &both);
    }
    return f.less ? negative(m, to) : to;
}

/* x without what numbers and scalars it is multiplied by, which go to `out`. */
static const Form *tensor_of(FormMaker *m, const Form *x, Factors *out)
{
    Factors f = {0};
    Forms tensor = {0};
    if (x->kind == FORM_transpose) {
        const Form *inner = tensor_of(m, x->arg[0], out);
        return inner == x->arg[0] ? x : form1(m, FORM_transpose, inner);
    }
    if (x->kind != FORM_negative && x->kind != FORM_product &&
        x->kind != FORM_strong && x->kind != FORM_fraction)
        return x;
    add_factors(m, &f, x, false);
    for (int i = 0; i < f.under.n; i++)
        if (f.under.at[i]->rank > 0)
            return x;
    for (int i = 0; i < f.over.n; i++)
        if (f.over.at[i]->rank > 0)
            list_push(m->arena, &tensor, f.over.at[i]);
    if (!tensor.n)
        return x;
    for (int i = 0; i < f.over.n; i++)
        if (f.over.at[i]->rank == 0)
            list_push(m->arena, &out->over, f.over.at[i]);
    for (int i = 0; i < f.under.n; i++)
        list_push(m->arena, &out->under, f.under.at[i]);
    out->less ^= f.less;
    return product_of(m, &tensor);
}

/* A product of matrices and vectors, scalars before it. */
static const Form *tensor_product(FormMaker *m, FormKind kind, const Form *x,
                                  const Form *y)
{
    Factors f = {0};
    Forms two = {0};
    list_push(m->arena, &two, tensor_of(m, x, &f));
    list_push(m->arena, &two, tensor_of(m, y, &f));
    Form *own =
        arena_copy(m->arena, form_list(m, kind, NULL, &two), sizeof *own);
    own->rank = kind == FORM_dot ? 0 : kind == FORM_outer ? 2 : two.at[1]->rank;
    if (!f.less && !f.over.n && !f.under.n)
        return own;
    list_push(m->arena, &f.over, own);
    const Form *over = product_of(m, &f.over);
    const Form *to =
        f.under.n ? product(m, over, product_of(m, &f.under), true) : over;
    return f.less ? negative(m, to) : to;
}

/* What is 0 or 1 in an index says nothing. */
static const Form *trivial(FormKind kind, const Form *x, const Form *y)
{
    bool ints = x->kind != FORM_number || x->integer;
    if (y->kind == FORM_number)
        ints = ints && y->integer;
    if (!ints)
        return NULL;
    if (kind == FORM_sum && form_is_number(x, 0))
        return y;
    if (kind == FORM_sum || kind == FORM_difference)
        return form_is_number(y, 0) ? x : NULL;
    if (kind == FORM_product && form_is_number(x, 0))
        return x;
    return NULL;
}

static const Form *arithmetic(FormMaker *m, FormKind kind,
                              const Form *const *arg)
{
    const Form *x = arg[0], *y = arg[1], *same = trivial(kind, x, y);
    if (same)
        return same;
    if (kind == FORM_difference)
        y = negative(m, y);
    if (kind == FORM_sum || kind == FORM_difference) {
        Forms all = {0};
        add_terms(m, &all, x, false);
        add_terms(m, &all, y, false);
        return sum_of(m, &all);
    }
    return product(m, x, y, kind == FORM_fraction);
}

const Form *form_make(FormMaker *m, FormKind kind, const Shown *shown, int n,
                      const Form *const *arg)
{
    Forms of = {0};
    bool arithmetical = kind == FORM_sum || kind == FORM_difference ||
                        kind == FORM_product || kind == FORM_fraction ||
                        kind == FORM_strong;
    if (kind == FORM_same)
        return arg[0];
    if (kind == FORM_compare && !m->literal)
        return form_comparison(m, shown, arg[0], arg[1]);
    if ((kind == FORM_matrix || kind == FORM_dot || kind == FORM_outer) &&
        !m->literal)
        return tensor_product(m, kind, arg[0], arg[1]);
    if (kind == FORM_inverse_root && !m->literal)
        return form2(m, FORM_fraction, form_number(m, 1, false),
                     form1(m, FORM_root, arg[0]));
    kind = kind == FORM_inverse_root ? FORM_call : kind;
    if (arithmetical && !m->literal)
        return arithmetic(m, kind, arg);
    if (kind == FORM_negative && !m->literal)
        return arg[0]->kind == FORM_fraction || arg[0]->kind == FORM_product
                   ? product(m, form_number(m, -1, true), arg[0], false)
                   : negative(m, arg[0]);
    if (kind == FORM_cases && !m->literal && form_alike(arg[1], arg[2]))
        return arg[1];
    for (int i = 0; i < n; i++)
        list_push(m->arena, &of, arg[i]);
    return form_list(m, kind, shown, &of);
}

/* A copy: of what is changed, and a visitor gives no constants. */
static void *owned(FormMaker *m, const Form *f)
{
    return arena_copy(m->arena, f, sizeof *f);
}

/* Indices. */

static const Shown shown_less = {FORM_compare, "<", "<", "<"};
static const Shown shown_most = {FORM_compare, "<=", "≤", "\\le"};
static const Shown shown_equal = {FORM_compare, "==", "=", "="};

const Form *form_less(FormMaker *m, const Form *x, const Form *y)
{
    return form_make(m, FORM_compare, &shown_less, 2, (const Form *[]){x, y});
}

const Form *form_at_most(FormMaker *m, const Form *x, const Form *y)
{
    return form_make(m, FORM_compare, &shown_most, 2, (const Form *[]){x, y});
}

const Form *form_equal(FormMaker *m, const Form *x, const Form *y)
{
    return form_make(m, FORM_compare, &shown_equal, 2, (const Form *[]){x, y});
}

const Form *form_label_text(FormMaker *m, const NodeLabelArg *a)
{
    const Form *name = form_name(m, a->text, 0);
    return a->setting ? form_equal(m, name, form_of(m, a->setting, NULL))
                      : name;
}

const Form *form_at(FormMaker *m, const Form *x, int n, const Form *const *at)
{
    Forms of = {0};
    if (n == 0)
        return x;
    list_push(m->arena, &of, x);
    for (int i = 0; i < n; i++)
        list_push(m->arena, &of, at[i]);
    Form *f = form_new(m, FORM_at, of.n);
    f->arg = of.at;
    f->order = x->order;
    return f;
}

const Form *form_index(FormMaker *m)
{
    return form_name(m, m->index_name(m, m->nindex++), 0);
}

const Form *form_over(FormMaker *m, const Shown *shown, int nvar,
                      const Form *const *var, const Dim *const *bound,
                      const Form *cond, const Form *body)
{
    Forms of = {0};
    if (nvar == 0)
        return body;
    for (int i = 0; i < nvar; i++) {
        list_push(m->arena, &of, var[i]);
        Form *to = owned(m, form_dim(m, bound[i]));
        to->implied = m->is_size(m, bound[i]);
        list_push(m->arena, &of, to);
    }
    if (cond)
        list_push(m->arena, &of, cond);
    list_push(m->arena, &of, body);
    Form *f = form_new(m, shown ? FORM_over : FORM_each, of.n);
    f->shown = shown;
    f->arg = of.at;
    f->nvar = nvar;
    f->conditional = cond != NULL;
    f->rank = shown ? 0 : nvar;
    return f;
}

/* Dimensions: polynomials of names. */

static void *dim_constant(void *u, int64_t v)
{
    Form *f = form_new(u, FORM_number, 0);
    f->number = (double)v;
    f->integer = true;
    return f;
}

static void *dim_variable(void *u, const Dim *var)
{
    Form *f = form_new(u, FORM_name, 0);
    f->name = dim_var_name(var);
    return f;
}

const Form *form_of_sizes(FormMaker *m, FormKind kind, const Form *x,
                          const Form *y)
{
    bool literal = m->literal;
    m->literal = false;
    const Form *f = form2(m, kind, x, y);
    m->literal = literal;
    return f;
}

static void *dim_plus(void *u, void *a, void *b)
{
    return owned(u, form_of_sizes(u, FORM_sum, a, b));
}

static void *dim_times(void *u, void *a, void *b)
{
    return owned(u, form_is_number(a, -1)
                        ? negative(u, b)
                        : form_of_sizes(u, FORM_product, a, b));
}

static void *dim_floor(void *u, void *a, void *b)
{
    return owned(u, form_of_sizes(u, FORM_quotient, a, b));
}

static void *dim_at_least_0(void *u, void *a)
{
    static const Shown max = {FORM_call, "max", "max", "\\max"};
    const Form *arg[] = {a, form_number(u, 0, true)};
    return owned(u, form_make(u, FORM_call, &max, 2, arg));
}

const Form *form_dim(FormMaker *m, const Dim *d)
{
    DimVisitor v = {m,         dim_constant, dim_variable,  dim_plus,
                    dim_times, dim_floor,    dim_at_least_0};
    return dim_visit(d, &v);
}
