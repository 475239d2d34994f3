/* main.c: nncc: which command it is. */

#include "cli/manual.h"
#include "cli/settings.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const Command *const commands[] = {
    &command_run,     &command_check, &command_train, &command_eval,
    &command_predict, &command_fmt,   &command_diff,  &command_equal,
    &command_cost,    &command_graph, &command_trace, &command_fit,
    &command_watch,   &command_bench,
};
enum { NCOMMAND = sizeof commands / sizeof *commands };

static void print_help(void)
{
    options_help(&command_compile, stdout);
    printf("\ncommands (each has its own --help):\n");
    for (int i = 0; i < NCOMMAND; i++)
        printf("  nncc %s\n", commands[i]->usage);
}

/* "man", "bash" or "zsh". */
static int print_made(const Args *a, const char *what)
{
    if (!strcmp(what, "man"))
        manual_page(&command_compile, commands, NCOMMAND, stdout);
    else if (!strcmp(what, "bash"))
        completion_bash(&command_compile, commands, NCOMMAND, stdout);
    else if (!strcmp(what, "zsh"))
        completion_zsh(&command_compile, commands, NCOMMAND, stdout);
    else
        return cli_usage(a, "'--completion' is bash or zsh, not '%s'", what);
    return EXIT_SUCCESS;
}

static const Command *find_command(const char *name)
{
    for (int i = 0; i < NCOMMAND; i++)
        if (!strcmp(commands[i]->name, name))
            return commands[i];
    return NULL;
}

/* A bare word that is no file: a command misspelt? */
static bool no_command(Args *a, const char *word)
{
    const char *name[NCOMMAND];

    if (strpbrk(word, "./-") || access(word, F_OK) == 0)
        return false;
    for (int i = 0; i < NCOMMAND; i++)
        name[i] = commands[i]->name;
    cli_usage(a, "'%s' is neither a command nor a file%s", word,
              cli_suggest(a->arena, word, name, NCOMMAND));
    return true;
}

/* The model, and perhaps a function. */
static int check_words(const Args *a, const Command *c)
{
    if (a->word.n < c->least)
        return cli_usage(a, "which function of %s?", a->word.at[0]);
    if (c->most && a->word.n > c->most)
        return cli_usage(a, "one %s at a time: what is '%s'?",
                         c->most == 1 ? "model" : "function",
                         a->word.at[c->most]);
    return EXIT_SUCCESS;
}

static int run(Args *a, int argc, char **argv)
{
    const Command *c = argc > 1 ? find_command(argv[1]) : NULL;
    int skip = c ? 2 : 1;

    a->command = c ? c : &command_compile;
    if (argc == 1) {
        options_help(a->command, stderr);
        return EXIT_USAGE;
    }
    if (!options_parse(a, argc - skip, argv + skip))
        return EXIT_USAGE;
    if (option_value(a, "help")) {
        if (c)
            options_help(c, stdout);
        else
            print_help();
        return EXIT_SUCCESS;
    }
    if (option_value(a, "version")) {
        printf("nncc %s\n", NNCC_VERSION);
        return EXIT_SUCCESS;
    }
    if (option_value(a, "man"))
        return print_made(a, "man");
    if (option_value(a, "completion"))
        return print_made(a, option_value(a, "completion"));
    if (option_value(a, "targets")) {
        Str s = str_new(a->arena);
        target_table(a->arena, &s);
        fputs(s.at, stdout);
        return EXIT_SUCCESS;
    }
    int status = a->command->settings ? settings_merge(a) : EXIT_SUCCESS;
    if (status)
        return status;
    if (a->word.n == 0)
        return cli_usage(a, "which model?");
    if (!c && no_command(a, a->word.at[0]))
        return EXIT_USAGE;
    status = check_words(a, a->command);
    if (!status)
        status = options_agree(a, a->command->rule);
    return status ? status : a->command->run(a);
}

/* Expressions nest at most 256 deep, so this is far more than is needed. */
static void allow_deep_stack(void)
{
    struct rlimit r;
    rlim_t want = 64 << 20;

    if (getrlimit(RLIMIT_STACK, &r) != 0 || r.rlim_cur >= want)
        return;
    r.rlim_cur = r.rlim_max < want ? r.rlim_max : want;
    setrlimit(RLIMIT_STACK, &r);
}

int main(int argc, char **argv)
{
    Args a = {.arena = arena_new()};

    allow_deep_stack();
    int status = run(&a, argc, argv);
    if (!cli_flush(a.arena) && status == EXIT_SUCCESS)
        status = EXIT_FAILURE;
    emit_shutdown();
    arena_free(a.arena);
    return status;
}
