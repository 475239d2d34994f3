/* run.c: nncc run: call a function, print its results as JSON. */

#include "cli/cli.h"
#include "gradcheck/tensor.h"

#include <stdlib.h>
#include <string.h>

/* One call in the making. */
typedef struct Call {
    const Args *args;
    nncc_model *model;
    const nn_function *f;
    nncc_tensor **leaf;
    int nleaf;
    int64_t *dims; /* -1: follows from the arguments */
} Call;

static bool unknown_name(const Call *c, const char *name)
{
    const nn_function *f = c->f;
    Arena *a = c->args->arena;
    int n = 0;
    const char **known = NEWN(a, const char *, f->nparam + f->ndim + 1);
    Str list = str_new(a);

    for (int i = 0; i < f->nparam; i++)
        known[n++] = f->param[i]->name;
    for (int i = 0; i < f->ndim; i++)
        known[n++] = f->dim[i];
    for (int i = 0; i < n; i++)
        str_printf(&list, "%s%s", i ? ", " : "; it has ", known[i]);
    cli_fail("%s has no parameter '%s'%s%s", f->name, name,
             cli_suggest(a, name, known, n), n ? list.at : "");
    return false;
}

/* Does the size of some parameter or result depend on dimension number i? */
static bool is_size(const Call *c, int i)
{
    const nn_function *f = c->f;
    Arena *scratch = arena_new();
    int64_t *dims = NEWN(scratch, int64_t, f->ndim + 1);
    size_t axes = 0;

    for (int k = 0; k < f->nparam; k++)
        for (int j = 0; j < f->param[k]->nleaf; j++)
            axes += (size_t)f->param[k]->leaf[j]->rank;
    for (int k = 0; k < f->nresult; k++)
        for (int j = 0; j < f->result[k]->nleaf; j++)
            axes += (size_t)f->result[k]->leaf[j]->rank;
    int64_t *one = NEWN(scratch, int64_t, axes + 1);
    int64_t *two = NEWN(scratch, int64_t, axes + 1);
    for (int k = 0; k < f->ndim; k++)
        dims[k] = 101;
    f->sizes(dims, one);
    dims[i] = 211;
    f->sizes(dims, two);
    bool differ = memcmp(one, two, sizeof *one * axes) != 0;
    arena_free(scratch);
    return differ;
}

/* name=value, of a parameter or of a free dimension. */
static bool take_word(Call *c, const char *word)
{
    Arena *a = c->args->arena;
    const char *equals = strchr(word, '=');
    int i;

    if (!equals || equals == word) {
        cli_fail("an argument is written name=value, not '%s'", word);
        return false;
    }
    const char *name = arena_printf(a, "%.*s", (int)(equals - word), word);
    if (nncc_find_param(c->f, name, &i) == NN_OK) {
        nncc_tensor **leaf = c->leaf + nncc_param_leaf(c->f, i);
        if (c->f->param[i]->nleaf && leaf[0]) {
            cli_fail("'%s' is given twice", name);
            return false;
        }
        return value_read(a, c->f->param[i], equals + 1, leaf);
    }
    for (i = 0; i < c->f->ndim; i++) {
        char *end;
        if (strcmp(c->f->dim[i], name))
            continue;
        c->dims[i] = strtoll(equals + 1, &end, 10);
        if (c->dims[i] < 0 && !is_size(c, i))
            c->dims[i] = 0; /* no steps */
        if (*end || end == equals + 1 || c->dims[i] < 0) {
            cli_fail("%s: a dimension is a whole number, not '%s'", name,
                     equals + 1);
            return false;
        }
        return true;
    }
    return unknown_name(c, name);
}

/* Parameters that were not given take their defaults. */
static bool take_defaults(Call *c)
{
    for (int i = 0; i < c->f->nparam; i++) {
        const nn_port *p = c->f->param[i];
        nncc_tensor **leaf = c->leaf + nncc_param_leaf(c->f, i);
        if (p->nleaf == 0 || leaf[0])
            continue;
        if (!p->has_value) {
            cli_fail("%s needs %s, a value of type %s", c->f->name, p->name,
                     p->type);
            return false;
        }
        if (nncc_tensor_new(p->leaf[0]->dtype, 0, NULL, leaf) != NN_OK) {
            cli_fail("%s", nncc_last_error());
            return false;
        }
        tensor_set(leaf[0], 0, p->value);
    }
    return true;
}

static void print_results(const Call *c)
{
    const nn_function *f = c->f;
    Str s = str_new(c->args->arena);

    str_printf(&s, "{");
    for (int i = 0; i < f->nresult; i++) {
        const nn_port *p = f->result[i];
        int at = p->in_place >= 0 ? nncc_param_leaf(f, p->in_place)
                                  : nncc_result_leaf(f, i);
        str_printf(&s, "%s\"%s\": ", i ? ", " : "", p->name);
        value_print(p, c->leaf + at, &s);
    }
    printf("%s}\n", s.at);
}

static bool make_call(Call *c)
{
    const Args *a = c->args;

    for (int i = 2; i < a->word.n; i++)
        if (!take_word(c, a->word.at[i]))
            return false;
    if (!take_defaults(c))
        return false;
    if (nncc_call(c->model, c->f, c->leaf, c->dims, NULL) != NN_OK) {
        cli_fail("%s", nncc_last_error());
        return false;
    }
    print_results(c);
    return true;
}

static bool call_function(const Args *a, const nn_module *m)
{
    Call c = {.args = a, .f = m->function[0]};
    bool done;

    if (nncc_wrap(m, &c.model) != NN_OK) {
        cli_fail("%s", nncc_last_error());
        return false;
    }
    c.nleaf = nncc_param_leaves(c.f) + nncc_result_leaves(c.f);
    c.leaf = NEWN(a->arena, nncc_tensor *, c.nleaf + 1);
    c.dims = NEWN(a->arena, int64_t, c.f->ndim + 1);
    for (int i = 0; i < c.f->ndim; i++)
        c.dims[i] = -1;
    done = make_call(&c);
    for (int i = 0; i < c.nleaf; i++)
        nncc_tensor_free(c.leaf[i]);
    nncc_close(c.model);
    return done;
}

static int run(Args *a)
{
    Load l = {.named = true};

    if (a->word.n < 2)
        return cli_usage(a, "which function of %s?", a->word.at[0]);
    int status = driver_load(a, a->word.at[0], DT_f32, &l);
    if (status)
        return status;
    Function *f = driver_function(&l, a->word.at[1]);
    if (!f)
        return EXIT_FAILURE;
    Jit *j = driver_jit(&l, &f, 1);
    if (!j)
        return EXIT_FAILURE;
    bool done = call_function(a, jit_module(j));
    jit_close(j);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}

static const Option options[] = {
    MODEL_OPTIONS,
    {NULL, 0, NULL, NULL},
};

const Command command_run = {
    .name = "run",
    .usage = "run MODEL.nn FUNCTION [name=value]… [options]",
    .about =
        "Calls a function, or a derivative of one ('grad(f, x)'), and prints "
        "its results\nas one JSON object. A value is a number, a JSON array, "
        "a JSON object for a\nstruct, or @FILE (.json, as printed by this "
        "command too, .csv, .csv.gz).\nDimensions follow from the arrays.",
    .option = options,
    .run = run,
};
