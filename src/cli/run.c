/* run.c: nncc run: call a function, print its results as JSON. */

#include "cli/call.h"

#include <stdlib.h>
#include <string.h>

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

/* A name or a derivative's text, and no "name=value". */
static bool is_function(const char *word)
{
    size_t n = strspn(word, "abcdefghijklmnopqrstuvwxyz"
                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");

    return n && !strchr("0123456789.", word[0]) && word[n] != '=';
}

static bool make_call(Call *c, const char **word, int n)
{
    for (int i = 0; i < n; i++)
        if (!call_word(c, word[i]))
            return false;
    if (!call_defaults(c))
        return false;
    if (nncc_call(c->model, c->f, c->leaf, c->dims, NULL) != NN_OK)
        return cli_failed();
    print_results(c);
    return true;
}

/* A function that was named, compiled. */
typedef struct Named {
    const char *name;
    Jit *jit;
} Named;

typedef struct Run {
    const Args *args;
    Load load;
    LIST(Named) named;
} Run;

/* NULL after a message. */
static Jit *compiled(Run *r, const char *name)
{
    for (int i = 0; i < r->named.n; i++)
        if (!strcmp(r->named.at[i].name, name))
            return r->named.at[i].jit;
    Function *f = driver_function(&r->load, name);
    Named one = {name, f ? driver_jit(&r->load, &f, 1) : NULL};
    if (one.jit)
        list_push(r->args->arena, &r->named, one);
    return one.jit;
}

static bool call_function(Run *r, const char *name, const char **word, int n)
{
    Jit *j = compiled(r, name);
    Call c;
    bool done = j && call_begin(&c, r->args, jit_module(j));

    if (done) {
        done = make_call(&c, word, n);
        call_end(&c);
    }
    return done;
}

/* A function and its arguments, another and its own: until one fails. */
static bool call_all(Run *r)
{
    const char **word = r->args->word.at;
    int all = r->args->word.n;

    for (int i = 1, n; i < all; i += 1 + n) {
        for (n = 0; i + 1 + n < all && !is_function(word[i + 1 + n]);)
            n++;
        if (!call_function(r, word[i], word + i + 1, n))
            return false;
    }
    return true;
}

static int run(Args *a)
{
    Run r = {.args = a, .load = {.named = true}};

    int status = driver_load(a, a->word.at[0], DT_f32, &r.load);
    if (status)
        return status;
    bool done = call_all(&r);
    for (int i = 0; i < r.named.n; i++)
        jit_close(r.named.at[i].jit);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}

static const Option options[] = {
    THREADS_OPTION,
    MODEL_OPTIONS,
    {NULL, 0, NULL, NULL},
};

const Command command_run = {
    .name = "run",
    .usage = "run MODEL.nn FUNCTION [name=value]… [FUNCTION [name=value]…]… "
             "[options]",
    .about =
        "Calls a function, or a derivative of one ('grad(f, x)'), and prints "
        "its results\nas one JSON object, each of several on a line. A value "
        "is a number, a JSON array,\na JSON object for a struct, or @FILE "
        "(.json, as printed by this command too, .csv,\n.csv.gz, .npy, .npz, "
        ".safetensors; FILE:NAME for one of several in it).\n"
        "Dimensions follow from the arrays.",
    .option = options,
    .least = 2,
    .run = run,
};
