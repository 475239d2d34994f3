/* driver.c: the passes, one after another: check, simplify, expand, schedule;
 * each is verified, and printed if asked for. */

#include "cli/cli.h"
#include "simplify/simplify.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SOURCE = 16 << 20, MOST_DEPTH = 5 /* of a formula explained */ };

/* Loading */

void driver_diags(const Load *l)
{
    diags_print(l->diags, stderr, cli_colour(stderr));
}

/* Sizes given as --dim name=size, --max name=size. */
typedef struct Sizes {
    const char **name;
    int64_t *value;
    int n;
} Sizes;

static bool read_sizes(const Args *a, const char *option, Sizes *to)
{
    to->name = NEWN(a->arena, const char *, a->given.n + 1);
    to->value = NEWN(a->arena, int64_t, a->given.n + 1);
    const char *text;
    for (int i = 0; (text = option_next(a, option, &i));) {
        const char *size, *name = cli_name(a->arena, text, &size);
        int64_t v;
        if (!name || !cli_is_int(size, &v) || v < 0 || v > INT32_MAX) {
            cli_usage(a, "'--%s' needs a name and a size, like b=64, not '%s'",
                      option, text);
            return false;
        }
        to->name[to->n] = name;
        to->value[to->n++] = v;
    }
    return true;
}

/* Gives f's variables their bounds and marks those that were used. */
static void bound_function(Arena *a, Function *f, const Sizes *max, bool *used)
{
    int64_t *bound = NEWN(a, int64_t, f->nvar + 1);

    for (int i = 0; i < f->nvar; i++) {
        bound[i] = -1;
        for (int k = 0; k < max->n; k++)
            if (!strcmp(dim_var_name(f->var[i]), max->name[k])) {
                bound[i] = max->value[k];
                used[k] = true;
            }
    }
    f->var_max = bound;
}

static int bound_dims(const Args *a, Module *m)
{
    Sizes max = {0};

    if (!read_sizes(a, "max", &max))
        return EXIT_USAGE;
    bool *used = NEWN(a->arena, bool, max.n + 1);
    for (int i = 0; max.n && i < m->function.n; i++)
        bound_function(a->arena, m->function.at[i], &max, used);
    for (int k = 0; k < max.n; k++)
        if (!used[k])
            return cli_usage(a,
                             "no exported function has a free dimension "
                             "'%s' to bound",
                             max.name[k]);
    return EXIT_SUCCESS;
}

static bool read_real(const Args *a, DType *real)
{
    static const char *const word[] = {"f32", "f64"};
    static const DType type[] = {DT_f32, DT_f64};
    int k = *real == DT_f64;

    if (cli_choice(a, "real", option_value(a, "real"), word, 2, &k))
        return false;
    *real = type[k];
    return true;
}

/* What begins all names in C. */
static bool read_name(const Args *a, const char **name)
{
    const char *text = option_value(a, "name");

    for (const char *p = text; p && (*p || p == text); p++)
        if (!isalpha((unsigned char)*p) && *p != '_' &&
            (p == text || !isdigit((unsigned char)*p))) {
            cli_usage(a,
                      "'--name' is an identifier of C, letters, digits and _, "
                      "not '%s'",
                      text);
            return false;
        }
    *name = text;
    return true;
}

static int dump_ast(Load *l, const char *text, size_t n)
{
    const Source *s = diags_source(l->diags, l->path, text, n);
    Ast *ast = parse(l->arena, intern_new(l->arena), l->diags, s);

    if (diags_errors(l->diags)) {
        driver_diags(l);
        return EXIT_FAILURE;
    }
    ast_dump(ast, stdout);
    return EXIT_SUCCESS;
}

/* The program's text; NULL after a message. */
static char *program_text(Args *a, const char *path, size_t *n)
{
    bool is_input = !strcmp(path, "-");

    if (!is_input || !a->input) {
        char *text = file_read(a->arena, path, MAX_SOURCE, n);
        if (is_input && text) {
            a->input = text;
            a->ninput = *n;
        }
        return text;
    }
    *n = a->ninput;
    return a->input;
}

int driver_load(Args *a, const char *path, DType real, Load *to)
{
    CheckOptions o = {.real = real};
    Sizes dim = {0};
    size_t n;

    to->arena = a->arena;
    to->diags = diags_new(a->arena);
    to->path = strcmp(path, "-") ? path : "<stdin>";
    if (!read_sizes(a, "dim", &dim) || !read_real(a, &o.real) ||
        !read_name(a, &o.name))
        return EXIT_USAGE;
    o.dim_name = dim.name;
    o.dim_value = dim.value;
    o.ndim = dim.n;
    o.labels = to->labels || to->explain || to->dump;
    o.plain = option_value(a, "no-simplify") != NULL;
    o.named = to->named;
    o.accumulates = to->accumulates;
    o.written = to->written;
    char *text = program_text(a, path, &n);
    if (!text)
        return EXIT_FAILURE;
    if (to->dump && !strcmp(to->dump, "ast"))
        return dump_ast(to, text, n);
    to->program = check_program(a->arena, to->diags, to->path, text, n, &o);
    if (!to->program) {
        driver_diags(to);
        return EXIT_FAILURE;
    }
    to->module = program_module(to->program);
    return bound_dims(a, to->module);
}

static const char *derivative_text(Arena *a, const Function *f)
{
    if (f->deriv == DERIV_none)
        return f->name;
    return deriv_text(a, deriv_modes[f->deriv].name,
                      derivative_text(a, f->primal), f->primal, f->nby, f->by);
}

const char *driver_expression(const Load *l, const char *text)
{
    const Function *f = module_function(l->module, text);

    return f && f->deriv != DERIV_none ? derivative_text(l->arena, f) : text;
}

static Function *find_function(const Load *l, const char *text)
{
    Function *f = module_function(l->module, text);

    return f ? f : program_function(l->program, text);
}

Function *driver_function(const Load *l, const char *text)
{
    Function *f = find_function(l, text);

    if (f && program_dims_used(l->program))
        return f;
    driver_diags(l);
    return NULL;
}

Function **driver_functions(const Load *l, const char *const *name, int n,
                            int *count)
{
    const Module *m = l->module;
    Function **f = NEWN(l->arena, Function *, m->function.n + n + 1);
    bool good = true;

    *count = n ? n : m->function.n;
    for (int i = 0; i < m->function.n && !n; i++)
        f[i] = m->function.at[i];
    for (int i = 0; i < n && good; i++)
        good = (f[i] = find_function(l, name[i])) != NULL;
    if (!*count) {
        cli_fail("%s exports nothing; name a function", l->path);
        return NULL;
    }
    if (good && program_dims_used(l->program))
        return f;
    driver_diags(l);
    return NULL;
}

/* Passes */

static void dump_function(const Load *l, Function *f)
{
    Nodes r = functions_roots(l->arena, &f, 1);
    const char **name = NEWN(l->arena, const char *, r.n + 1);
    int at = 0;

    for (int k = 0; k < f->nresult; k++) {
        const Port *p = &f->result[k];
        int n;
        Leaf *leaf = type_leaves(l->module->graph, p->type, &n);
        for (int j = 0; j < p->nleaf; j++)
            name[at++] =
                j < n && *leaf[j].path
                    ? arena_printf(l->arena, "%s.%s", p->name, leaf[j].path)
                    : p->name;
    }
    printf("# %s\n", f->name);
    graph_dump(l->module->graph, r.n, r.at, name, stdout);
}

/* The graph after a pass: as it should be, and printed if asked for. True where
 * that was all. */
static bool after(const Load *l, const char *stage, Function *const *f, int n)
{
    Nodes r = functions_roots(l->arena, f, n);

    graph_verify(l->module->graph, r.n, r.at);
    if (!l->dump || strcmp(l->dump, stage))
        return false;
    for (int i = 0; i < n; i++)
        dump_function(l, f[i]);
    return l->dump_only;
}

/* "m.nn:2:7: "; false where no place is known. */
static bool print_place(const Load *l, Span span, Str *to)
{
    const char *place = diags_place(l->diags, l->arena, span, true);

    if (place)
        str_printf(to, "%s: ", place);
    return place != NULL;
}

/* "m.nn:2:7: rule: before -> after"; nothing where no place is known. */
static const char *rewrite_text(const Load *l, const Rewrite *r)
{
    const Graph *g = l->module->graph;
    Str text = str_new(l->arena);

    if (!print_place(l, r->from->span, &text))
        return NULL;
    str_printf(&text, "%s: ", r->rule);
    node_print_top(g, r->from, MOST_DEPTH, &text);
    str_printf(&text, " -> ");
    node_print_top(g, r->to, MOST_DEPTH, &text);
    return text.at;
}

typedef struct Explained {
    unsigned at;
    const char *text;
} Explained;

static int by_place(const void *a, const void *b)
{
    const Explained *x = a, *y = b;

    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return strcmp(x->text, y->text);
}

typedef LIST(Explained) Explanations;

/* In the order of places, each once. */
static void print_explained(Explanations *all)
{
    if (all->n)
        qsort(all->at, (size_t)all->n, sizeof *all->at, by_place);
    for (int i = 0; i < all->n; i++)
        if (i == 0 || strcmp(all->at[i].text, all->at[i - 1].text))
            printf("%s\n", all->at[i].text);
}

/* --explain: what was rewritten, while differentiating and after. */
static void explain(const Load *l)
{
    int n;
    const Rewrite *log = graph_logged(l->module->graph, &n);
    Explanations all = {0};

    for (int i = 0; i < n; i++) {
        Explained e = {log[i].from->span.beg, rewrite_text(l, &log[i])};
        if (e.text)
            list_push(l->arena, &all, e);
    }
    print_explained(&all);
}

typedef struct SlowParts {
    const Load *l;
    Explanations all;
} SlowParts;

static void add_slow(void *u, Span span, const char *text)
{
    SlowParts *p = u;
    Str s = str_new(p->l->arena);

    if (print_place(p->l, span, &s)) {
        str_printf(&s, "slow: %s", text);
        list_push(p->l->arena, &p->all, ((Explained){span.beg, s.at}));
    }
}

/* --explain, too: what takes long for what it gives. */
static void explain_slow(const Load *l, Schedule *const *s, int n)
{
    SlowParts p = {.l = l};

    for (int i = 0; i < n; i++)
        schedule_slow(l->arena, l->module->graph, s[i], add_slow, &p);
    print_explained(&p.all);
}

static Schedule *schedule_function(const Load *l, Function *f)
{
    Schedule *s = schedule(l->arena, l->module->graph, f);

    schedule_verify(s);
    if (l->dump && !strcmp(l->dump, "kernels"))
        schedule_dump(s, stdout);
    return s;
}

Schedule **driver_schedule(Load *l, Function *const *f, int n)
{
    Schedule **s = NEWN(l->arena, Schedule *, n + 1);

    if (after(l, "graph", f, n))
        return s;
    simplify_functions(l->module->graph, f, n);
    if (l->explain)
        explain(l);
    if (after(l, "simplified", f, n))
        return s;
    expand_functions(l->module->graph, f, n);
    if (after(l, "expanded", f, n))
        return s;
    Nodes root = functions_roots(l->arena, f, n);
    const Node *large =
        node_too_large(l->module->graph, l->arena, root.n, root.at);
    if (large) {
        diag(l->diags, large->span, "too-large",
             "a dimension is larger than 64 bits hold");
        driver_diags(l);
        return NULL;
    }
    for (int i = 0; i < n; i++) {
        s[i] = schedule_function(l, f[i]);
        if (dim_too_large(s[i]->workspace)) {
            cli_fail("%s: its workspace is too large for 64 bits", l->path);
            return NULL;
        }
    }
    if (l->explain)
        explain_slow(l, s, n);
    return s;
}

Jit *driver_jit(Load *l, Function *const *f, int n)
{
    Schedule **s = driver_schedule(l, f, n);
    TargetOptions o = {.cpu = "native", .optimise = 2};
    const char *error = NULL;

    if (!s)
        return NULL;
    ModuleInput in = {l->module, s, n};
    Jit *j = jit_open(&in, &o, &error);
    if (!j)
        cli_fail("%s", error);
    return j;
}
