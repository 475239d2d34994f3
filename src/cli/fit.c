/* fit.c: nncc fit: parameters that make residuals, or a function, least. */

#include "cli/call.h"
#include "cli/derivative.h"
#include "cli/sets.h"
#include "gradcheck/tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Fit {
    Args *args;
    Load load;
    Function *f;  /* what the command line names */
    bool squares; /* it gives residuals, not one number */
    int nsolve;   /* functions of it; then those that give initial values */
    bool newton;  /* --method */
    int *by;      /* parameters that are fitted */
    int nby;
    Jit *jit;
    Call call;
    nncc_data *data; /* or NULL */
    nncc_solve_options o;
    nncc_solve_result result;
    nncc_covariance covariance;
} Fit;

/* The command line */

static int read_options(Fit *t)
{
    const Args *a = t->args;
    static const char *const methods[] = {"lbfgs", "newton"};
    const char *tolerance = option_value(a, "tolerance");

    if (!option_int(a, "iterations", 1, &t->o.iterations))
        return EXIT_USAGE;
    if (tolerance && (!cli_is_real(tolerance, &t->o.tolerance) ||
                      !(t->o.tolerance > 0 && t->o.tolerance < 1)))
        return cli_usage(a,
                         "'--tolerance' is a number between 0 and 1, not '%s'",
                         tolerance);
    int method = 0, status = cli_choice(a, "method", option_value(a, "method"),
                                        methods, 2, &method);
    t->newton = method == 1;
    return status;
}

/* Those that have a value to begin with. */
static int find_fitted(Fit *t)
{
    const Args *a = t->args;

    t->by = NEWN(a->arena, int, a->word.n + 1);
    for (int i = 2; i < a->word.n; i++) {
        const char *start, *given = cli_name(a->arena, a->word.at[i], &start);
        const char *name = given ? given : a->word.at[i];
        int k = ports_named(t->f->param, t->f->nparam, name);
        if (k < 0)
            return unknown_port(a->arena, t->f->name, "parameter", name,
                                t->f->param, t->f->nparam);
        if (!given && t->f->param[k].type->kind != TY_struct)
            return cli_usage(a, "where does '%s' begin? %s=START", name, name);
        t->by[t->nby++] = k;
    }
    return t->nby ? EXIT_SUCCESS
                  : cli_usage(a,
                              "what is to be fitted? NAME=START for a "
                              "parameter of %s and where to begin",
                              t->f->name);
}

static bool gives_residuals(const Function *f)
{
    return f->nresult == 1 && f->result[0].nleaf == 1 &&
           f->result[0].leaf[0]->rank > 0;
}

/* "jacobian(residuals, a, b)" */
static Function *derivative(const Fit *t, const char *mode)
{
    const char *of = driver_expression(&t->load, t->args->word.at[1]);

    return driver_function(
        &t->load, deriv_text(t->args->arena, mode, of, t->f, t->nby, t->by));
}

/* For each word that is a name alone: what makes a value of that type by the
 * initialisers of its fields. How many. */
static int initial_values(const Fit *t, Function **to)
{
    const Args *a = t->args;
    int n = 0;

    for (int i = 2; i < a->word.n; i++)
        if (!strchr(a->word.at[i], '='))
            to[n++] = driver_function(
                &t->load, arena_printf(a->arena, "fn() = %s()",
                                       t->f->param[t->by[i - 2]].type->text));
    return n;
}

/* What is called, the first with the arguments; false after messages. */
static bool compile(Fit *t)
{
    Function **f = NEWN(t->args->arena, Function *, t->nby + 2);
    int n = 1;

    f[0] = t->f;
    if (t->squares)
        f[n++] = derivative(t, "jacobian");
    else
        f[0] = derivative(t, "value_and_grad");
    if (t->newton)
        f[n++] = derivative(t, "hvp");
    t->nsolve = n;
    n += initial_values(t, f + n);
    for (int i = 0; i < n; i++)
        if (!f[i])
            return false;
    if (!t->squares)
        f[0]->name = t->f->name; /* what messages call it */
    t->jit = driver_jit(&t->load, f, n);
    return t->jit != NULL;
}

/* Data */

static const nncc_array *find_field(const Fit *t, const char *name)
{
    for (int64_t k = 0; t->data && k < t->data->nfield; k++)
        if (!strcmp(t->data->field[k].name, name))
            return &t->data->field[k];
    return NULL;
}

static bool has_column(const nncc_data *d, const char *name)
{
    for (int64_t k = 0; d->feature_name && k < d->nfeature; k++)
        if (!strcmp(d->feature_name[k], name))
            return true;
    return false;
}

static bool is_given(const Args *a, const char *name)
{
    for (int i = 2; i < a->word.n; i++)
        if (!strcmp(a->word.at[i], name) || cli_value_of(a->word.at[i], name))
            return true;
    for (int i = 0; i < a->given.n; i++)
        if ((!strcmp(a->given.at[i].name, "set") ||
             !strcmp(a->given.at[i].name, "columns")) &&
            cli_value_of(a->given.at[i].value, name))
            return true;
    return false;
}

/* Columns by --columns, and those named as parameters. */
static bool take_columns(Fit *t)
{
    const Args *a = t->args;
    LIST(const char *) text = {0};

    const char *columns;
    for (int i = 0; (columns = option_next(a, "columns", &i));)
        list_push(a->arena, &text, columns);
    for (int i = 0; i < t->f->nparam; i++) {
        const Port *p = &t->f->param[i];
        if (p->nleaf == 1 && p->leaf[0]->rank > 0 && !is_given(a, p->name) &&
            has_column(t->data, p->name))
            list_push(a->arena, &text,
                      arena_printf(a->arena, "%s=%s", p->name, p->name));
    }
    return nncc_data_columns(t->data, text.n, text.at) == NN_OK || cli_failed();
}

static bool read_data(Fit *t)
{
    const char *path = option_value(t->args, "data");
    nncc_csv_options o = NNCC_CSV_DEFAULTS;

    o.no_label = 1;
    if (!path)
        return true;
    return nncc_csv_read(path, &o, &t->data) == NN_OK ? take_columns(t)
                                                      : cli_failed();
}

static bool give_field(const Fit *t, const nn_port *p, const nncc_array *from,
                       nncc_tensor **leaf)
{
    int64_t size[] = {t->data->n, from->width};

    if (p->nleaf != 1 || p->leaf[0]->rank > 2 ||
        (p->leaf[0]->rank == 1 && from->width != 1)) {
        cli_fail("'%s' is %s: a table has no such columns", p->name, p->type);
        return false;
    }
    if (nncc_tensor_new(p->leaf[0]->dtype, p->leaf[0]->rank, size, leaf) !=
        NN_OK)
        return cli_failed();
    for (int64_t i = 0; i < t->data->n * from->width; i++)
        tensor_set(
            *leaf, i,
            field_number(t->data, from, i / from->width, i % from->width));
    return true;
}

static bool give_fields(Fit *t)
{
    Call *c = &t->call;

    for (int i = 0; i < c->f->nparam; i++) {
        const nn_port *p = c->f->param[i];
        const nncc_array *from = find_field(t, p->name);
        nncc_tensor **leaf = c->leaf + nncc_param_leaf(c->f, i);
        if (from && !*leaf && !give_field(t, p, from, leaf))
            return false;
    }
    return true;
}

/* The parameter's value is what function number `from` gives. */
static bool give_initial(Fit *t, const char *name, int from)
{
    Call *c = &t->call;
    int i;

    return (nncc_find_param(c->f, name, &i) == NN_OK &&
            nncc_call(c->model, jit_module(t->jit)->function[from],
                      c->leaf + nncc_param_leaf(c->f, i), NULL,
                      NULL) == NN_OK) ||
           cli_failed();
}

static bool give_words(Fit *t)
{
    const Args *a = t->args;
    int from = t->nsolve;

    for (int i = 2; i < a->word.n; i++) {
        const char *word = a->word.at[i];
        if (!(strchr(word, '=') ? call_word(&t->call, word)
                                : give_initial(t, word, from++)))
            return false;
    }
    const char *set;
    for (int i = 0; (set = option_next(a, "set", &i));)
        if (!call_word(&t->call, set))
            return false;
    return true;
}

/* What came out */

/* Calls each with every number that was fitted: where it is, what it is called.
 */
typedef void Visit(void *context, const nn_port *p, int leaf,
                   const nncc_tensor *t, int64_t element, int64_t number);

static void each_number(const Fit *t, Visit *visit, void *context)
{
    const nn_function *f = t->call.f;
    int64_t number = 0;

    for (int k = 0; k < t->nby; k++) {
        int i = t->by[k];
        for (int l = 0; l < f->param[i]->nleaf; l++) {
            nncc_tensor *leaf = t->call.leaf[nncc_param_leaf(f, i) + l];
            if (!tensor_is_real(leaf))
                continue;
            for (int64_t e = 0; e < tensor_elements(leaf); e++)
                visit(context, f->param[i], l, leaf, e, number++);
        }
    }
}

/* "b.w[0, 1]" */
static const char *number_name(Arena *a, const nn_port *p, int leaf,
                               const nncc_tensor *t, int64_t element)
{
    Str s = str_new(a);

    str_printf(&s, "%s", leaf_name(a, p->name, p->leaf[leaf]->path));
    str_element(&s, t->rank, t->size, element);
    return s.at;
}

static double error_of(const Fit *t, int64_t number)
{
    return sqrt(t->covariance.matrix[number * (t->result.unknowns + 1)]);
}

typedef struct Table {
    const Fit *fit;
    Str *to;
    int width;
} Table;

static void measure(void *context, const nn_port *p, int leaf,
                    const nncc_tensor *t, int64_t element, int64_t number)
{
    Table *table = context;
    int n =
        (int)strlen(number_name(table->fit->args->arena, p, leaf, t, element));

    (void)number;
    table->width = n > table->width ? n : table->width;
}

static void print_number(void *context, const nn_port *p, int leaf,
                         const nncc_tensor *t, int64_t element, int64_t number)
{
    Table *table = context;
    const Fit *fit = table->fit;

    str_printf(table->to, "%-*s  %17.10g", table->width,
               number_name(fit->args->arena, p, leaf, t, element),
               tensor_get(t, element));
    if (fit->squares)
        str_printf(table->to, "  %14.8g", error_of(fit, number));
    str_printf(table->to, "\n");
}

static void print_covariance(const Fit *t, bool json, Str *to)
{
    int64_t n = t->result.unknowns;

    for (int64_t i = 0; i < n; i++) {
        str_printf(to, json ? (i ? ", [" : "[") : " ");
        for (int64_t k = 0; k < n; k++) {
            double v = t->covariance.matrix[i * n + k];
            if (json)
                str_printf(to, isfinite(v) ? "%s%.17g" : "%snull",
                           k ? ", " : "", v);
            else
                str_printf(to, " %13.6g", v);
        }
        str_printf(to, json ? "]" : "\n");
    }
}

static const char *end_text(const Fit *t)
{
    switch ((enum nncc_solve_end)t->result.end) {
    case NNCC_SOLVE_CONVERGED:
        return "converged";
    case NNCC_SOLVE_ITERATIONS:
        return "not converged";
    case NNCC_SOLVE_STUCK:
        return "stopped where no step is better";
    case NNCC_SOLVE_STOPPED:
        break;
    }
    return "stopped";
}

static void print_text(const Fit *t, Str *to)
{
    enum { MOST = 8 }; /* of a matrix in a window */
    Table table = {t, to, 0};
    const nncc_covariance *c = &t->covariance;

    each_number(t, measure, &table);
    str_printf(to, "%-*s  %17s%s\n", table.width, "", "value",
               t->squares ? "  standard error" : "");
    each_number(t, print_number, &table);
    if (!t->squares)
        str_printf(to, "value: %.10g\n", t->result.value);
    else
        str_printf(to,
                   "residuals: %lld, sum of squares %.10g, standard deviation "
                   "%.8g\n",
                   (long long)c->residuals, t->result.value,
                   sqrt(t->result.value /
                        (double)(c->residuals - t->result.unknowns)));
    if (t->squares && t->result.unknowns <= MOST) {
        str_printf(to, "covariance:\n");
        print_covariance(t, false, to);
    }
    str_printf(to, "%s: %lld iterations, %lld calls\n", end_text(t),
               (long long)t->result.iterations, (long long)t->result.calls);
}

static void print_name(void *context, const nn_port *p, int leaf,
                       const nncc_tensor *t, int64_t element, int64_t number)
{
    Table *table = context;

    str_printf(table->to, "%s\"%s\"", number ? ", " : "",
               number_name(table->fit->args->arena, p, leaf, t, element));
}

static void print_error(void *context, const nn_port *p, int leaf,
                        const nncc_tensor *t, int64_t element, int64_t number)
{
    Table *table = context;
    double v = error_of(table->fit, number);

    (void)p;
    (void)leaf;
    (void)t;
    (void)element;
    str_printf(table->to, isfinite(v) ? "%s%.17g" : "%snull",
               number ? ", " : "", v);
}

static void print_json(const Fit *t, Str *to)
{
    const nn_function *f = t->call.f;
    Table table = {t, to, 0};

    str_printf(to, "{");
    for (int k = 0; k < t->nby; k++) {
        int i = t->by[k];
        str_printf(to, "\"%s\": ", f->param[i]->name);
        value_print(f->param[i], t->call.leaf + nncc_param_leaf(f, i), to);
        str_printf(to, ", ");
    }
    str_printf(to, "\"numbers\": [");
    each_number(t, print_name, &table);
    if (t->squares) {
        str_printf(to, "], \"standard_errors\": [");
        each_number(t, print_error, &table);
        str_printf(to, "], \"covariance\": [");
        print_covariance(t, true, to);
        str_printf(to, "], \"residuals\": %lld, \"sum_of_squares\": %.17g",
                   (long long)t->covariance.residuals, t->result.value);
    } else {
        str_printf(to, "], \"value\": %.17g", t->result.value);
    }
    str_printf(to, ", \"iterations\": %lld, \"end\": \"%s\"}\n",
               (long long)t->result.iterations, end_text(t));
}

/* Parameters that only differ together. */
static void find_undetermined(void *context, const nn_port *p, int leaf,
                              const nncc_tensor *t, int64_t element,
                              int64_t number)
{
    const Fit *fit = context;

    if (number == fit->covariance.undetermined)
        cli_fail("the data does not determine '%s' beside the others: errors "
                 "are infinite",
                 number_name(fit->args->arena, p, leaf, t, element));
}

static bool print(Fit *t)
{
    Str s = str_new(t->args->arena);

    if (option_value(t->args, "json"))
        print_json(t, &s);
    else
        print_text(t, &s);
    fputs(s.at, stdout);
    if (t->squares)
        each_number(t, find_undetermined, t);
    if (t->result.end == NNCC_SOLVE_ITERATIONS)
        cli_fail("not converged after %lld iterations (--iterations)",
                 (long long)t->result.iterations);
    return t->result.end != NNCC_SOLVE_ITERATIONS;
}

static bool solve(Fit *t)
{
    const nn_module *m = jit_module(t->jit);
    const nn_function *second = t->nsolve > 1 ? m->function[1] : NULL;
    Call *c = &t->call;
    int status =
        t->squares
            ? nncc_least_squares(c->model, c->f, second, c->leaf, c->dims,
                                 option_value(t->args, "absolute") != NULL,
                                 &t->o, &t->result, &t->covariance)
            : nncc_minimise(c->model, c->f, second, c->leaf, c->dims, &t->o,
                            &t->result);

    return status == NN_OK ? print(t) : cli_failed();
}

static bool fit_compiled(Fit *t)
{
    if (!call_begin(&t->call, t->args, jit_module(t->jit)))
        return false;
    bool done = give_words(t) && read_data(t) && give_fields(t) &&
                call_defaults(&t->call) && solve(t);
    call_end(&t->call);
    nncc_data_free(t->data);
    free(t->covariance.matrix);
    return done;
}

static int fit(Args *a)
{
    Fit t = {.args = a, .load = {.named = true}};

    int status = read_options(&t);
    if (!status)
        status = driver_load(a, a->word.at[0], DT_f64, &t.load);
    if (status)
        return status;
    t.f = driver_function(&t.load, a->word.at[1]);
    if (!t.f)
        return EXIT_FAILURE;
    t.squares = gives_residuals(t.f);
    if (t.squares && option_value(a, "method"))
        return cli_usage(a,
                         "'--method' is for functions that give one number; "
                         "%s gives residuals",
                         t.f->name);
    status = find_fitted(&t);
    if (status)
        return status;
    if (!compile(&t))
        return EXIT_FAILURE;
    bool done = fit_compiled(&t);
    jit_close(t.jit);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}

static const Option options[] = {
    {"data", 0, "FILE", "CSV: columns named as parameters are theirs"},
    {"columns", 0, "NAME=COLUMNS",
     "those for a parameter, by name or number: x=0, y=2:4"},
    {"set", 0, "NAME=VALUE", "a parameter that is not fitted"},
    {"absolute", 0, NULL,
     "residuals are in units of their standard deviations"},
    {"method", 0, "lbfgs|newton", "how one number is made least"},
    {"iterations", 0, "N", "at most (1000)"},
    {"tolerance", 0, "X",
     "when it is good enough: of residuals 1e-10, of one\nnumber 1e-8, in f32 "
     "1e-4"},
    THREADS_OPTION,
    {"json", 0, NULL, "print all as one JSON object"},
    MODEL_OPTIONS,
    {NULL, 0, NULL, NULL},
};

const Command command_fit = {
    .name = "fit",
    .usage = "fit MODEL.nn FUNCTION NAME[=START]… [--data=FILE] [options]",
    .about = "Finds the parameters for which the squares of the residuals that "
             "FUNCTION gives\nhave the least sum, with their standard errors "
             "and covariance; or those for which\na function that gives one "
             "number is least. NAME alone begins with the initialisers of its "
             "type's fields.\n'real' is f64.",
    .option = options,
    .least = 2,
    .run = fit,
};
