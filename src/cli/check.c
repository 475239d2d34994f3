/* check.c: nncc check: what gradcheck/ finds, told. */

#include "cli/cli.h"
#include "gradcheck/gradcheck.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --at NAME=VALUE */
typedef struct GivenValue {
    const char *name, *text;
    bool used;
} GivenValue;

typedef struct Check {
    const Args *args;
    Load load;
    LIST(GivenValue) at;
    LIST(GradcheckRange) range; /* --range */
    int done, failed;
} Check;

/* Options */

static bool read_range(const Args *a, const char *text, GradcheckRange *r)
{
    char *end;

    *r = (GradcheckRange){.name = cli_name(a->arena, text, &text)};
    r->from = strtod(text, &end);
    if (end == text || *end != ':')
        return false;
    return cli_is_real(end + 1, &r->to) && isfinite(r->from) &&
           isfinite(r->to) && r->from <= r->to;
}

static int read_one(const Args *a, const Given *g, Check *to)
{
    GradcheckRange r;

    if (!strcmp(g->name, "range")) {
        if (!read_range(a, g->value, &r))
            return cli_usage(a,
                             "'--range' is NAME=FROM:TO, or FROM:TO for all "
                             "reals, not '%s'",
                             g->value);
        list_push(a->arena, &to->range, r);
    }
    if (!strcmp(g->name, "at")) {
        GivenValue v = {.used = false};
        v.name = cli_name(a->arena, g->value, &v.text);
        if (!v.name)
            return cli_usage(a, "'--at' is NAME=VALUE, not '%s'", g->value);
        list_push(a->arena, &to->at, v);
    }
    return EXIT_SUCCESS;
}

static int read_options(const Args *a, Check *to)
{
    int status = EXIT_SUCCESS;

    for (int i = 0; i < a->given.n && !status; i++)
        status = read_one(a, &a->given.at[i], to);
    return status;
}

/* A name that no function has had: a message. */
static bool tell_unused(const Check *c)
{
    const char *name = NULL;

    for (int i = 0; i < c->range.n; i++)
        if (c->range.at[i].name && !c->range.at[i].used)
            name = c->range.at[i].name;
    for (int i = 0; i < c->at.n; i++)
        if (!c->at.at[i].used)
            name = c->at.at[i].name;
    if (name)
        cli_fail("no function that is checked has a parameter '%s'", name);
    return name != NULL;
}

/* What the library asks */

static bool given(void *user, const nn_port *p, nncc_tensor **leaf)
{
    Check *c = user;

    for (int i = 0; i < c->at.n; i++)
        if (!strcmp(c->at.at[i].name, p->name)) {
            c->at.at[i].used = true;
            return value_read(c->args->arena, p, c->at.at[i].text, leaf);
        }
    return true;
}

static Jit *compile(void *user, Function *const *f, int n)
{
    return driver_jit(&((Check *)user)->load, f, n);
}

static void tell_error(const GradcheckResult *r)
{
    bool colour = cli_colour(stdout), good = r->outcome == GRADCHECK_right;

    printf("%-20s  %-16s  %s%s%s  %.1e%s%s\n", r->function, r->what,
           !colour ? ""
           : good  ? "\033[32m"
                   : "\033[31;1m",
           good ? "ok " : "OFF", colour ? "\033[0m" : "", r->error,
           r->note ? "  " : "", r->note ? r->note : "");
}

static void found(void *user, const GradcheckResult *r)
{
    Check *c = user;

    switch (r->outcome) {
    case GRADCHECK_right:
    case GRADCHECK_off:
        c->done++;
        c->failed += r->outcome == GRADCHECK_off;
        tell_error(r);
        return;
    case GRADCHECK_unjudged:
        printf(
            "%-20s  %-16s  ?    differences disagree wherever it was tried\n",
            r->function, r->what);
        return;
    case GRADCHECK_untried:
        c->done++;
        c->failed++;
        printf("%-20s  not checked: %s\n", r->function, r->note);
        return;
    case GRADCHECK_untyped:
        printf("%-20s  not looked into: %s\n", r->function, r->note);
        return;
    }
}

static int check_model(Check *c, int64_t seed)
{
    const char *error;
    GradcheckOptions o = {.seed = (uint64_t)seed,
                          .edges = option_value(c->args, "edges") != NULL,
                          .range = c->range.at,
                          .nrange = c->range.n,
                          .user = c,
                          .given = given,
                          .compile = compile,
                          .found = found};

    if (!gradcheck(c->args->arena, c->load.program, &o, &error))
        return error ? cli_fail("%s", error) : EXIT_FAILURE;
    if (tell_unused(c))
        return EXIT_FAILURE;
    if (c->failed)
        return cli_fail("%d of %d checks failed", c->failed, c->done);
    return EXIT_SUCCESS;
}

static int check(Args *a)
{
    Check c = {.args = a};
    int64_t seed = 1;

    if (!option_int(a, "seed", 0, &seed))
        return EXIT_USAGE;
    int status = read_options(a, &c);
    if (!status)
        status = driver_load(a, a->word.at[0], DT_f64, &c.load);
    return status ? status : check_model(&c, seed);
}

static const Option options[] = {
    {"dim", 0, "NAME=SIZE", "fix a dimension of the model"},
    {"at", 0, "NAME=VALUE", "this argument instead of random ones"},
    {"range", 0, "[NAME=]FROM:TO", "draw arguments from there"},
    {"edges", 0, NULL, "at zeros, ties, infinities, NaN and no rows as well"},
    {"seed", 0, "N", "of the arguments and directions drawn (1)"},
    {NULL, 0, NULL, NULL},
};

const Command command_check = {
    .name = "check",
    .usage = "check MODEL.nn [options]",
    .about = "Holds every exported derivative against central differences, in "
             "float64, and\nevery exported function against the reference "
             "evaluator. Fails where the\nrelative error is above 1e-6.",
    .option = options,
    .most = 1,
    .run = check,
};
