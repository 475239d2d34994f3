/* settings.c: options and settings in a file, and back. Every option that the
 * command has is a key of its name; a flag is true or false; what is given
 * several times is an array, or a table where each has a name:
 *
 *     data = ["x=a.npy", "y=b.npy"]        [data]
 *                                          x = "a.npy"
 */

#include "cli/settings.h"
#include "cli/toml.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_CONFIG = 1 << 20 };

/* That a file may have. */
static const Option *find_option(const Args *a, const char *name)
{
    for (const Option *o = a->command->option; o->name; o++)
        if (!strcmp(o->name, name) && !(o->marks & OPTION_options))
            return o;
    return NULL;
}

static int unknown(const Args *a, const char *path, const TomlEntry *e)
{
    const char **name = NULL;
    LIST(const char *) known = {0};

    list_push(a->arena, &known, "model");
    list_push(a->arena, &known, "settings");
    for (const Option *o = a->command->option; o->name; o++)
        if (!(o->marks & OPTION_options))
            list_push(a->arena, &known, o->name);
    name = known.at;
    return cli_fail("%s:%d: nncc %s has no option '%s'%s", path, e->line,
                    a->command->name, e->key,
                    cli_suggest(a->arena, e->key, name, known.n));
}

static int take_option(const Args *a, const char *path, const TomlEntry *e,
                       Args *to)
{
    const char *dot = strchr(e->key, '.');
    const char *name =
        dot ? arena_printf(a->arena, "%.*s", (int)(dot - e->key), e->key)
            : e->key;
    const Option *o = find_option(a, name);
    Given g = {name, e->text};

    if (!o || (dot && (!o->meta || !strchr(o->meta, '='))))
        return unknown(a, path, e);
    if (!o->meta != (e->kind == TOML_bool))
        return cli_fail("%s:%d: '%s' is %s, not '%s'", path, e->line, name,
                        o->meta ? o->meta : "true or false", e->text);
    if (dot)
        g.value = arena_printf(a->arena, "%s=%s", dot + 1, e->text);
    if (!o->meta)
        g.value = "";
    if (o->meta || !strcmp(e->text, "true"))
        list_push(a->arena, &to->given, g);
    return EXIT_SUCCESS;
}

static int take_entry(const Args *a, const char *path, const TomlEntry *e,
                      Args *to)
{
    static const char settings[] = "settings.";
    size_t n = sizeof settings - 1;

    if (!strcmp(e->key, "model")) {
        list_push(a->arena, &to->word, e->text);
        return EXIT_SUCCESS;
    }
    if (strncmp(e->key, settings, n) != 0)
        return take_option(a, path, e, to);
    if (e->kind == TOML_bool)
        return cli_fail("%s:%d: the setting '%s' is a number, not '%s'", path,
                        e->line, e->key + n, e->text);
    list_push(a->arena, &to->setting, ((Given){e->key + n, e->text}));
    return EXIT_SUCCESS;
}

static int read_file(const Args *a, const char *path, Args *to)
{
    size_t n;
    Toml all = {0};
    char *text = file_read(a->arena, path, MAX_CONFIG, &n);

    if (!text)
        return EXIT_FAILURE;
    const char *error = strlen(text) < n ? "1: a file with 0 bytes is no TOML"
                                         : toml_read(a->arena, text, &all);
    if (error)
        return cli_fail("%s:%s", path, error);
    for (int i = 0; i < all.n; i++) {
        int status = take_entry(a, path, &all.at[i], to);
        if (status)
            return status;
    }
    return EXIT_SUCCESS;
}

/* --set NAME=VALUE is --NAME=VALUE. */
static int read_set(Args *a, const char *text)
{
    Given g;

    g.name = cli_name(a->arena, text, &g.value);
    if (!g.name)
        return cli_usage(a, "'--set' is NAME=VALUE, not '%s'", text);
    list_push(a->arena, &a->setting, g);
    return EXIT_SUCCESS;
}

static bool names(const Given *g, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(g[i].name, name))
            return true;
    return false;
}

/* Those of the file whose names the command line does not have, and then its
 * own. */
static void join_words(Args *a, const Args *file)
{
    Args own = *a;

    a->given.n = a->given.cap = a->setting.n = a->setting.cap = 0;
    a->given.at = a->setting.at = NULL;
    for (int i = 0; i < file->given.n; i++)
        if (!names(own.given.at, own.given.n, file->given.at[i].name))
            list_push(a->arena, &a->given, file->given.at[i]);
    for (int i = 0; i < own.given.n; i++)
        list_push(a->arena, &a->given, own.given.at[i]);
    for (int i = 0; i < file->setting.n; i++)
        if (!names(own.setting.at, own.setting.n, file->setting.at[i].name))
            list_push(a->arena, &a->setting, file->setting.at[i]);
    for (int i = 0; i < own.setting.n; i++)
        list_push(a->arena, &a->setting, own.setting.at[i]);
    for (int i = 0; i < file->word.n && !own.word.n; i++)
        list_push(a->arena, &a->word, file->word.at[i]);
}

int settings_merge(Args *a)
{
    Args file = {.arena = a->arena, .command = a->command};
    int status = EXIT_SUCCESS;

    for (int i = 0; i < a->given.n && !status; i++) {
        const Given *g = &a->given.at[i];
        if (!strcmp(g->name, "config"))
            status = read_file(a, g->value, &file);
        else if (!strcmp(g->name, "set"))
            status = read_set(a, g->value);
    }
    if (!status)
        join_words(a, &file);
    return status;
}

/* What it is called in the program, where it is a setting; or NULL. */
static const char *setting_name(const Training *t, const char *name)
{
    const Function *f = t->step;

    for (int i = 0; i < f->nparam; i++)
        if (f->param[i].has_default &&
            option_is(f->param[i].name, name, strlen(name)))
            return f->param[i].name;
    return NULL;
}

/* Behind "PREFIX." of the name, or NULL. */
static const char *behind(const char *name, const char *prefix)
{
    size_t n = prefix ? strlen(prefix) : 0;

    return n && !strncmp(name, prefix, n) && name[n] == '.' ? name + n + 1
                                                            : NULL;
}

static const char *of_item(Arena *a, const Module *m, const Training *t,
                           const char *name)
{
    return m->training.n > 1 ? arena_printf(a, "%s.%s", t->name, name) : name;
}

void settings_find(Arena *a, const Module *m, const char *name, Names *to)
{
    for (int k = 0; k < m->training.n; k++) {
        const Training *t = &m->training.at[k];
        const char *own = behind(name, t->name);
        own = own ? own : behind(name, t->step->optimizer);
        const char *called = setting_name(t, own ? own : name);
        if (called)
            list_push(a, to, own ? of_item(a, m, t, called) : called);
        if (called && !own)
            return;
    }
}

void settings_list(Arena *a, const Module *m, Names *to)
{
    for (int k = 0; k < m->training.n; k++) {
        const Function *f = m->training.at[k].step;
        for (int i = 0; i < f->nparam; i++) {
            const char *name = f->param[i].name;
            if (!f->param[i].has_default)
                continue;
            list_push(a, to, name);
            if (m->training.n > 1)
                list_push(a, to, of_item(a, m, &m->training.at[k], name));
        }
    }
}

/* Writing */

static void print_value(const char *text, Str *to)
{
    if (toml_is_number(text))
        str_printf(to, "%s", text);
    else
        str_json(to, text);
}

/* The option's values, those it has several times as an array. */
static void print_given(const Args *a, const Option *o, Str *to)
{
    int n = 0, k = 0;

    for (int i = 0; i < a->given.n; i++)
        n += !strcmp(a->given.at[i].name, o->name);
    str_printf(to, "%s = %s", o->name, !o->meta ? "true" : n > 1 ? "[" : "");
    for (int i = 0; i < a->given.n && o->meta; i++) {
        if (strcmp(a->given.at[i].name, o->name))
            continue;
        str_printf(to, k++ ? ", " : "");
        if (n > 1)
            str_json(to, a->given.at[i].value);
        else
            print_value(a->given.at[i].value, to);
    }
    str_printf(to, n > 1 && o->meta ? "]\n" : "\n");
}

/* What it would be, as a comment. */
static void print_unused(const Option *o, Str *to)
{
    Str left = str_new(to->arena);

    str_printf(&left, "# %s = %s", o->name, o->meta ? o->meta : "true");
    str_printf(to, o->help ? "%-32s" : "%s", left.at);
    for (const char *c = o->help ? o->help : ""; *c; c++)
        if (*c == '\n')
            str_printf(to, "\n#%31s", "");
        else
            str_add(to, c, 1);
    str_printf(to, "\n");
}

/* What was given for it; NULL: nothing. */
static const char *given_setting(const Args *a, const Module *m,
                                 const Training *t, const char *name)
{
    const char *value = NULL, *own = of_item(a->arena, m, t, name);
    bool alone = false;

    for (int i = 0; i < a->setting.n; i++) {
        Names meant = {0};
        settings_find(a->arena, m, a->setting.at[i].name, &meant);
        for (int k = 0; k < meant.n; k++) {
            bool is_own = !strcmp(meant.at[k], own);
            if (!is_own && (alone || strcmp(meant.at[k], name) != 0))
                continue;
            value = a->setting.at[i].value;
            alone |= is_own;
        }
    }
    return value;
}

static void print_settings(const Args *a, const Module *m, const Training *t,
                           Str *to)
{
    for (int i = 0; i < t->step->nparam; i++) {
        const Port *p = &t->step->param[i];
        if (!p->has_default)
            continue;
        const char *value = given_setting(a, m, t, p->name);
        str_printf(to, "%s = ", p->name);
        if (value)
            print_value(value, to);
        else
            str_printf(to, "%s", real_digits(to->arena, p->value, true, 1));
        str_printf(to, "\n");
    }
}

/* without: marks of options that are left out. */
static const char *text_without(const Args *a, const Module *m, int without)
{
    Str s = str_new(a->arena);

    str_printf(&s,
               "# For nncc train --config, as of nncc %s. What begins with "
               "# is not set.\n\nmodel = ",
               NNCC_VERSION);
    str_json(&s, a->word.n ? a->word.at[0] : "-");
    str_printf(&s, "\n");
    for (const Option *o = a->command->option; o->name; o++)
        if (o->marks & without)
            continue;
        else if (option_value(a, o->name))
            print_given(a, o, &s);
        else
            print_unused(o, &s);
    for (int k = 0; k < m->training.n; k++) {
        str_printf(&s, "\n[settings%s%s] # of the model\n",
                   m->training.n > 1 ? "." : "",
                   m->training.n > 1 ? m->training.at[k].name : "");
        print_settings(a, m, &m->training.at[k], &s);
    }
    return s.at;
}

const char *settings_text(const Args *a, const Module *m)
{
    return text_without(a, m, OPTION_options);
}

bool settings_keep(const Args *a, const Module *m)
{
    const char *folder = option_value(a, "checkpoint");
    const char *text = text_without(a, m, OPTION_options | OPTION_once);

    return !folder ||
           file_write(a->arena,
                      arena_printf(a->arena, "%s/settings.toml", folder), text,
                      strlen(text));
}
