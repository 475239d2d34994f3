/* graph.c: nncc graph: a function beside its derivative as a picture. */

#include "cli/derivative.h"
#include "show/flow.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum {
    MOST_READABLE = 100, /* boxes; of more, those of functions are one each */
    MOST_BOXES = 4000,   /* that Graphviz is asked to arrange */
    MOST_SECONDS = 60,   /* that it may take */
};

static const char *const formats[] = {"dot", "svg", "png", "pdf"};
enum { NFORMAT = sizeof formats / sizeof *formats };

/* Graphviz */

/* dot -Tformat, which reads `in` and writes to `out`; 0 or why it did not
 * start. It is told to nobody but by its status. */
static int start_dot(Arena *a, const char *format, const char *in, int out,
                     pid_t *pid)
{
    char *const argv[] = {arena_printf(a, "dot"),
                          arena_printf(a, "-T%s", format), NULL};
    posix_spawn_file_actions_t f;
    int error;

    posix_spawn_file_actions_init(&f);
    posix_spawn_file_actions_addopen(&f, STDIN_FILENO, in, O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&f, out, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&f, STDERR_FILENO, "/dev/null", O_WRONLY,
                                     0);
    error = posix_spawnp(pid, "dot", &f, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&f);
    return error;
}

/* False: it took too long, and is stopped. */
static bool wait_for(pid_t pid, int *status)
{
    const struct timespec pause = {0, 5 * 1000 * 1000};
    struct timespec now, begin;

    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (;;) {
        pid_t got = waitpid(pid, status, WNOHANG);
        if (got == pid)
            return true;
        clock_gettime(CLOCK_MONOTONIC, &now);
        if ((got < 0 && errno != EINTR) ||
            now.tv_sec - begin.tv_sec > MOST_SECONDS)
            break;
        nanosleep(&pause, NULL);
    }
    kill(pid, SIGKILL);
    while (waitpid(pid, status, 0) < 0 && errno == EINTR)
        ;
    return false;
}

static bool run_dot(Arena *a, const char *format, const char *in, NewFile *to)
{
    pid_t pid;
    int status, error = start_dot(a, format, in, fileno(to->to), &pid);

    if (error == ENOENT)
        cli_fail("there is no program 'dot', which %s files are made by: "
                 "install Graphviz (apt-get install graphviz), or write .dot",
                 format);
    else if (error)
        cli_fail("cannot run dot: %s", file_error(a, error));
    else if (!wait_for(pid, &status))
        cli_fail("dot was stopped after %d seconds: --fold=1 shows less",
                 MOST_SECONDS);
    else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        cli_fail("dot could not make %s", to->path);
    else
        return true;
    return false;
}

/* Writing */

/* What dot is to read, in a folder of its own. */
static bool draw(Arena *a, const char *format, const Str *text, NewFile *to)
{
    const char *folder = folder_begin(a, to->path);

    if (!folder)
        return false;
    const char *in = arena_printf(a, "%s/graph.dot", folder);
    bool drawn =
        file_write(a, in, text->at, text->n) && run_dot(a, format, in, to);
    unlink(in);
    folder_end(folder);
    return drawn;
}

static int put(Arena *a, const char *format, const Str *text, NewFile *to)
{
    if (!strcmp(format, "dot"))
        file_put(to, text->at, text->n);
    else if (!draw(a, format, text, to)) {
        file_drop(to);
        return EXIT_FAILURE;
    }
    return file_keep(a, to) ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* As the name ends, unless --as says what it is. */
static int output_format(const Args *a, const char *path, const char **format)
{
    int k = 0, status = EXIT_SUCCESS;

    if (strcmp(path, "-") || option_value(a, "as"))
        status = cli_format(a, path, formats, NFORMAT, &k);
    *format = formats[k];
    return status;
}

/* The picture */

/* As deep as is told, or as what can be read allows. */
static int depth_of(const Args *a, const Flow *f, int64_t told)
{
    int depth = flow_depth(f);

    if (option_value(a, "expand"))
        return depth;
    if (option_value(a, "fold"))
        return (int)(told < depth ? told : depth);
    while (depth > 0 && flow_count(f, depth) > MOST_READABLE)
        depth--;
    return depth;
}

static const char *derivative_name(const Derivatives *d)
{
    return d->kind                    ? d->kind
           : function_is_scalar(d->f) ? "gradient"
                                      : "jacobian";
}

static int show(Derivatives *d, int64_t fold, const char *format, NewFile *to)
{
    Arena *a = d->load.arena;
    Graph *g = d->load.module->graph;
    bool expand = option_value(d->args, "expand");
    ShowOptions o = {.steps = true,
                     .calls = expand ? SHOW_no_calls : SHOW_library_calls,
                     .self = {d->name}};
    Nodes in = function_inputs(a, derivatives_widest(d));
    Shows *s = show_new(a, g, &o, in.n, in.at);
    ShowResults r = {0};
    Str text = str_new(a);

    int own = derivatives_results(d, s, &r);
    show_results(s, r.n, r.at);
    Flow *f = flow_new(s, g, &r, own, in.n, in.at);
    DotOptions dot = {{d->of, derivative_name(d)}, depth_of(d->args, f, fold)};
    int n = flow_count(f, dot.depth);
    if (strcmp(format, "dot") && n > MOST_BOXES) {
        file_drop(to);
        return cli_fail("%s has %d operations, more than the %d that a picture "
                        "may have: --fold=0 shows less",
                        d->of, n, MOST_BOXES);
    }
    flow_write(f, &dot, &text);
    return put(a, format, &text, to);
}

static int graph(Args *a)
{
    Derivatives d = {.primal = option_value(a, "primal") != NULL};
    const char *path = option_value(a, "output"), *format = "dot";
    int64_t fold = 0;
    NewFile to;

    path = path ? path : "-";
    int status = output_format(a, path, &format);
    if (!status && !option_int(a, "fold", 0, &fold))
        status = EXIT_USAGE;
    if (!status && !file_begin(a->arena, path, 0666, &to))
        status = EXIT_FAILURE;
    if (status)
        return status;
    status = derivatives_load(a, &d);
    if (!status && !derivatives_make(&d, !option_value(a, "before")))
        status = EXIT_FAILURE;
    if (!status)
        return show(&d, fold, format, &to);
    file_drop(&to);
    return status;
}

static const Option options[] = {
    {"output", 'o', "FILE", "write .dot, .svg, .png or .pdf (- as .dot)"},
    {"as", 0, "KIND", "what -o writes, where its name does not end so"},
    DERIVATIVE_OPTIONS,
    {"primal", 0, NULL, "the function alone"},
    {"before", 0, NULL, "as it is before simplification"},
    {"fold", 0, "DEPTH", "functions and loops deeper than that are one box"},
    {"expand", 0, NULL, "none are, nor are the library's functions"},
    MODEL_OPTIONS,
    {NULL, 0, NULL, NULL},
};

static const OptionRule rules[] = {
    DERIVATIVE_RULE,
    {RULE_one, "fold expand", NULL, NULL},
    {RULE_one, NULL, NULL, NULL},
};

const Command command_graph = {
    .name = "graph",
    .usage = "graph MODEL.nn FUNCTION -o FILE [options]",
    .about = "Draws the graph of a function, or of what an expression like "
             "'grad(f, x)'\ndenotes, beside that of its derivative. All but "
             ".dot needs Graphviz.",
    .option = options,
    .rule = rules,
    .least = 2,
    .most = 2,
    .run = graph,
};
