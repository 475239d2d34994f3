/* options.c: the command line: options by a command's table, in the manner of
 * GNU: --name=value, --name value, -n value, -nvalue, "--" ends them. */

#include "cli/cli.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

int cli_fail(const char *fmt, ...)
{
    va_list ap;

    fprintf(stderr, "nncc: ");
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    return EXIT_FAILURE;
}

bool cli_failed(void)
{
    cli_fail("%s", nncc_last_error());
    return false;
}

int cli_usage(const Args *a, const char *fmt, ...)
{
    const char *name = a->command->name;
    va_list ap;

    fprintf(stderr, "nncc%s%s: ", *name ? " " : "", name);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, "\nTry 'nncc%s%s --help'.\n", *name ? " " : "", name);
    return EXIT_USAGE;
}

const char *cli_suggest(Arena *a, const char *name, const char *const *among,
                        int n)
{
    const char *near = nearest_name(name, among, n);

    return near ? arena_printf(a, " (did you mean '%s'?)", near) : "";
}

int cli_unknown(Arena *a, const char *of, const char *what, const char *name,
                const char *const *among, int n)
{
    Str all = str_new(a);

    for (int i = 0; i < n; i++)
        str_printf(&all, "%s%s", i ? ", " : "; it has ", among[i]);
    return cli_fail("%s has no %s '%s'%s%s", of, what, name,
                    cli_suggest(a, name, among, n), n ? all.at : "");
}

int cli_choice(const Args *a, const char *name, const char *text,
               const char *const *word, int n, int *out)
{
    Str all = str_new(a->arena);

    if (!text)
        return EXIT_SUCCESS;
    for (int i = 0; i < n; i++)
        if (!strcmp(word[i], text)) {
            *out = i;
            return EXIT_SUCCESS;
        }
    str_words(&all, n, word, "", " or ", "");
    return cli_usage(a, "'--%s' is %s, not '%s'%s", name, all.at, text,
                     cli_suggest(a->arena, text, word, n));
}

const char *cli_extension(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *dot = strrchr(slash ? slash : path, '.');

    return dot ? dot + 1 : "";
}

int cli_format(const Args *a, const char *path, const char *const *word, int n,
               int *out)
{
    const char *as = option_value(a, "as"), *end = cli_extension(path);
    Str all = str_new(a->arena);

    if (as)
        return cli_choice(a, "as", as, word, n, out);
    for (int i = 0; i < n; i++)
        if (!strcmp(word[i], end)) {
            *out = i;
            return EXIT_SUCCESS;
        }
    str_words(&all, n, word, ".", " or ", "");
    return cli_usage(a,
                     "what is '%s' to be? It must end in %s, or --as must say",
                     path, all.at);
}

char option_letter(const Option *o) { return (char)(o->marks & 0x7f); }

static const Option help_option = {"help", 'h', NULL, "print this"};

static int count(const Command *c)
{
    int n = 0;

    while (c->option[n].name)
        n++;
    return n;
}

bool option_is(const char *name, const char *text, size_t n)
{
    size_t i = 0;

    while (i < n && name[i] &&
           (name[i] == '_' ? '-' : name[i]) == (text[i] == '_' ? '-' : text[i]))
        i++;
    return i == n && !name[n];
}

static const Option *find(const Command *c, const char *name, size_t n)
{
    for (const Option *o = c->option; o->name; o++)
        if (option_is(o->name, name, n))
            return o;
    return n == 4 && !strncmp(name, "help", 4) ? &help_option : NULL;
}

static const Option *find_letter(const Command *c, char letter)
{
    for (const Option *o = c->option; o->name; o++)
        if (option_letter(o) == letter)
            return o;
    return letter == 'h' ? &help_option : NULL;
}

/* The end of a message about a name that is none: "" or a better one. */
static const char *did_you_mean(const Args *a, const char *name)
{
    int n = count(a->command);
    const char **names = NEWN(a->arena, const char *, n + 1);

    for (int i = 0; i < n; i++)
        names[i] = a->command->option[i].name;
    names[n] = "help";
    const char *near = nearest_name(name, names, n + 1);
    return near ? arena_printf(a->arena, " (did you mean '--%s'?)", near) : "";
}

static bool unknown(Args *a, const char *name)
{
    cli_usage(a, "unknown option '--%s'%s", name, did_you_mean(a, name));
    return false;
}

/* argv[*i] begins with two dashes. */
static bool take_long(Args *a, int argc, char **argv, int *i)
{
    const char *name = argv[*i] + 2;
    size_t n = strcspn(name, "=");
    const Option *o = find(a->command, name, n);
    const char *own = arena_printf(a->arena, "%.*s", (int)n, name);
    const char *value = name[n] ? name + n + 1 : NULL;
    bool takes = o ? o->meta != NULL : a->command->settings;

    if (!o && !takes)
        return unknown(a, own);
    if (takes && !value && *i + 1 < argc)
        value = argv[++*i];
    if (!o && value && !strncmp(value, "--", 2)) {
        cli_usage(a,
                  "'--%s' is no option; as a setting it needs a number, not "
                  "'%s'%s",
                  own, value, did_you_mean(a, own));
        return false;
    }
    if (takes && !value) {
        if (!o)
            return unknown(a, own);
        cli_usage(a, "'--%s' needs a value, %s", own, o->meta);
        return false;
    }
    if (!takes && value) {
        cli_usage(a, "'--%s' takes no value", own);
        return false;
    }
    Given given = {o ? o->name : own, value ? value : ""};
    if (o)
        list_push(a->arena, &a->given, given);
    else
        list_push(a->arena, &a->setting, given);
    return true;
}

/* argv[*i] begins with one dash. */
static bool take_short(Args *a, int argc, char **argv, int *i)
{
    for (const char *at = argv[*i] + 1; *at; at++) {
        const Option *o = find_letter(a->command, *at);
        const char *value = "";
        if (!o) {
            cli_usage(a, "unknown option '-%c'", *at);
            return false;
        }
        if (o->meta) {
            value = at[1] ? at + 1 : *i + 1 < argc ? argv[++*i] : NULL;
            if (!value) {
                cli_usage(a, "'-%c' needs a value, %s", *at, o->meta);
                return false;
            }
        }
        list_push(a->arena, &a->given, ((Given){o->name, value}));
        if (o->meta)
            break;
    }
    return true;
}

bool options_parse(Args *a, int argc, char **argv)
{
    bool over = false;
    int threads;

    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        if (!over && !strcmp(word, "--"))
            over = true;
        else if (!over && word[0] == '-' && word[1] == '-') {
            if (!take_long(a, argc, argv, &i))
                return false;
        } else if (!over && word[0] == '-' && word[1]) {
            if (!take_short(a, argc, argv, &i))
                return false;
        } else
            list_push(a->arena, &a->word, word);
    }
    return threads_option(a, &threads);
}

static void print_option(const Option *o, FILE *to)
{
    char left[64], letter = option_letter(o);

    snprintf(left, sizeof left, "%s%c%s--%s%s%s", letter ? "-" : "  ",
             letter ? letter : ' ', letter ? ", " : " ", o->name,
             o->meta ? "=" : "", o->meta ? o->meta : "");
    fprintf(to, "  %-24s  ", left);
    for (const char *c = o->help; *c; c++)
        if (*c == '\n')
            fprintf(to, "\n%28s", "");
        else
            fputc(*c, to);
    fprintf(to, "\n");
}

void options_help(const Command *c, FILE *to)
{
    fprintf(to, "usage: nncc %s\n\n%s\n\noptions:\n", c->usage, c->about);
    for (const Option *o = c->option; o->name; o++)
        if (o->help)
            print_option(o, to);
    print_option(&help_option, to);
}

const char *option_value(const Args *a, const char *name)
{
    for (int i = a->given.n; i-- > 0;)
        if (!strcmp(a->given.at[i].name, name))
            return a->given.at[i].value;
    return NULL;
}

const char *option_marked(const Args *a, int mark)
{
    for (const Option *o = a->command->option; o->name; o++)
        if (o->marks & mark && option_value(a, o->name))
            return o->name;
    return NULL;
}

bool option_has(const Command *c, const char *name, int mark)
{
    const Option *o = find(c, name, strlen(name));

    return o && o->marks & mark;
}

const char *option_next(const Args *a, const char *name, int *at)
{
    while (*at < a->given.n) {
        const Given *g = &a->given.at[(*at)++];
        if (!strcmp(g->name, name))
            return g->value;
    }
    return NULL;
}

bool option_int(const Args *a, const char *name, int64_t least, int64_t *out)
{
    return cli_int(a, name, option_value(a, name), least, out);
}

const char *cli_name(Arena *a, const char *text, const char **value)
{
    size_t n = strcspn(text, "=");

    *value = text;
    if (!n || !text[n])
        return NULL;
    *value = text + n + 1;
    return arena_printf(a, "%.*s", (int)n, text);
}

const char *cli_value_of(const char *text, const char *name)
{
    size_t n = strlen(name);

    return !strncmp(text, name, n) && text[n] == '=' ? text + n + 1 : NULL;
}

bool threads_option(const Args *a, int *to)
{
    int64_t n = 1;

    if (!option_int(a, "threads", 0, &n))
        return false;
    *to = n < INT_MAX ? (int)n : INT_MAX;
    return true;
}

bool threads_use(const Args *a, nncc_model *m)
{
    int n;

    return threads_option(a, &n) &&
           (nncc_use_threads(m, n) == NN_OK || cli_failed());
}

bool cli_is_real(const char *text, double *v)
{
    char *end;

    *v = strtod(text, &end);
    return end != text && !*end;
}

bool cli_is_int(const char *text, int64_t *v)
{
    char *end;

    errno = 0;
    *v = strtoll(text, &end, 10);
    return end != text && !*end && !errno;
}

bool cli_int(const Args *a, const char *name, const char *text, int64_t least,
             int64_t *out)
{
    int64_t v;

    if (!text)
        return true;
    if (!cli_is_int(text, &v) || v < least) {
        cli_usage(a, "'--%s' needs a whole number of at least %lld, not '%s'",
                  name, (long long)least, text);
        return false;
    }
    *out = v;
    return true;
}
