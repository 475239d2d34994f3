/* run.c: nncc run: call a function, print its results as JSON. */

#include "cli/call.h"

#include <stdlib.h>

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
        if (!call_word(c, a->word.at[i]))
            return false;
    if (!call_defaults(c))
        return false;
    if (nncc_call(c->model, c->f, c->leaf, c->dims, NULL) != NN_OK)
        return cli_failed();
    print_results(c);
    return true;
}

static bool call_function(const Args *a, const nn_module *m)
{
    Call c;
    bool done = call_begin(&c, a, m);

    if (done) {
        done = make_call(&c);
        call_end(&c);
    }
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
