/* rules.c: options that do not go together. */

#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

/* Is it a word of the list? */
static bool lists(const char *names, const char *name)
{
    size_t n = strlen(name);

    for (const char *at = names; *at; at += strspn(at, " ")) {
        size_t word = strcspn(at, " ");
        if (word == n && !strncmp(at, name, n))
            return true;
        at += word;
    }
    return false;
}

/* The first one given from number *at of the command's options on; *at is then
 * behind it. */
static const char *next_given(const Args *a, const char *names, int *at)
{
    const char *name;

    while ((name = a->command->option[*at].name) != NULL) {
        ++*at;
        if (lists(names, name) && option_value(a, name))
            return name;
    }
    return NULL;
}

const char *option_among(const Args *a, const char *names)
{
    int at = 0;

    return next_given(a, names, &at);
}

/* "'--a' or '--b'" */
static const char *alternatives(Arena *a, const char *names)
{
    Str s = str_new(a);
    LIST(const char *) each = {0};

    for (const char *at = names; *at; at += strspn(at, " ")) {
        list_push(a, &each, arena_printf(a, "%.*s", (int)strcspn(at, " "), at));
        at += strcspn(at, " ");
    }
    str_words(&s, each.n, each.at, "'--", " or ", "'");
    return s.at;
}

static int check_rule(const Args *a, const OptionRule *r)
{
    int at = 0;
    const char *of = next_given(a, r->of, &at);
    const char *other = r->kind == RULE_one ? next_given(a, r->of, &at)
                                            : option_among(a, r->with);

    if (!of || (r->kind == RULE_needs) == (other != NULL))
        return EXIT_SUCCESS;
    switch (r->kind) {
    case RULE_one:
        return cli_usage(a, "'--%s' and '--%s': one at a time", of, other);
    case RULE_needs:
        return cli_usage(a, "'--%s' goes with %s", of,
                         alternatives(a->arena, r->with));
    case RULE_without:
        break;
    }
    return cli_usage(a, "'--%s' does not go with '--%s'%s%s", of, other,
                     r->why ? ": " : "", r->why ? r->why : "");
}

int options_agree(const Args *a, const OptionRule *r)
{
    int status = EXIT_SUCCESS;

    for (; r && r->of && !status; r++)
        status = check_rule(a, r);
    return status;
}
