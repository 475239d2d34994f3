/* ask.c: settings that are asked for in place of those that would be chosen, in
 * the words of dump.c. */
#include <stdlib.h>
#include <string.h>

#include "choose/internal.h"

/* Words stand for numbers below 0. */
static const char *const word[] = {"outside", "inside", "none",  "scalar",
                                   "masked",  "always", "never", NULL};

/* What may follow each name: a word of those, or so many numbers. */
static const struct {
    const char *name;
    const char *words;
    int numbers;
} row[NSETTINGS] = {
    [SET_unroll] = {"unroll", "never always", 0},
    [SET_join] = {"join", "never always", 0},
    [SET_lanes] = {"lanes", "outside inside none", 0},
    [SET_vector] = {"vector", "", 1},
    [SET_together] = {"together", "", 1},
    [SET_tail] = {"tail", "scalar masked always", 0},
    [SET_few] = {"few", "", 1},
    [SET_less] = {"less", "", 1},
    [SET_stream] = {"stream", "never", 1},
    [SET_tile] = {"tile", "never", 2},
    [SET_pack_a] = {"pack_a", "never always", 3},
    [SET_pack_b] = {"pack_b", "never always", 3},
    [SET_epilogue] = {"epilogue", "", 2},
};

void setting_print(SettingKind kind, int n, const int *value, Str *to)
{
    str_printf(to, "  %s", row[kind].name);
    for (int i = 0; i < n; i++)
        if (value[i] < 0)
            str_printf(to, " %s", word[-1 - value[i]]);
        else
            str_printf(to, " %d", value[i]);
    str_printf(to, "\n");
}

/* Reading. */

typedef struct Reader {
    Arena *arena;
    const char *at;
    int line;
    SettingsList *to;
    const char **error;
} Reader;

static bool wrong(Reader *r, const char *what)
{
    *r->error = arena_printf(r->arena, "%d: %s", r->line, what);
    return false;
}

/* The next word of the line; "" at its end. */
static const char *next_word(Reader *r)
{
    r->at += strspn(r->at, " \t\r");
    size_t n = *r->at == '#' ? 0 : strcspn(r->at, " \t\r\n#");
    const char *w = arena_printf(r->arena, "%.*s", (int)n, r->at);
    r->at += n;
    return w;
}

static void skip_line(Reader *r)
{
    r->at += strcspn(r->at, "\n");
    r->at += *r->at == '\n';
}

static bool in_list(const char *list, const char *w)
{
    size_t n = strlen(w);
    for (const char *p = list; (p = strstr(p, w)); p += n)
        if ((p == list || p[-1] == ' ') && (!p[n] || p[n] == ' '))
            return true;
    return false;
}

static int word_number(const char *w)
{
    for (int i = 0; word[i]; i++)
        if (strcmp(word[i], w) == 0)
            return -1 - i;
    return 0;
}

static bool read_number(const char *w, int *v)
{
    enum { MOST = 1 << 24 };
    char *end;
    long n = strtol(w, &end, 10);
    *v = (int)n;
    return *w >= '0' && *w <= '9' && !*end && n <= MOST;
}

static bool read_values(Reader *r, SettingKind kind, Setting *s)
{
    const char *w = next_word(r);
    s->line = r->line;
    if (*w && *row[kind].words && in_list(row[kind].words, w)) {
        s->value[0] = word_number(w);
        return !*next_word(r);
    }
    for (int i = 0; i < row[kind].numbers; i++, w = next_word(r))
        if (!read_number(w, &s->value[i]))
            return false;
    return row[kind].numbers && !*w;
}

static bool read_setting(Reader *r, const char *name)
{
    for (int i = 0; i < NSETTINGS; i++) {
        if (strcmp(row[i].name, name) != 0)
            continue;
        if (!r->to->n)
            return wrong(r, "a setting, but of no kernel: 'kernel 0:' is "
                            "expected before it");
        Settings *a = &r->to->at[r->to->n - 1];
        if (read_values(r, (SettingKind)i, &a->set[i]))
            return true;
        return wrong(r,
                     arena_printf(r->arena,
                                  "after '%s' %s%s%d numbers are "
                                  "expected",
                                  name, row[i].words,
                                  *row[i].words ? " or " : "", row[i].numbers));
    }
    return wrong(r, arena_printf(r->arena, "no setting '%s'", name));
}

/* "kernel 3 epilogue: …" */
static bool read_line(Reader *r)
{
    const char *start = r->at + strspn(r->at, " \t"), *w = next_word(r);
    if (!*w)
        return true;
    if (strcmp(w, "kernel") != 0)
        return read_setting(r, w);
    size_t n = strcspn(start, ":\n");
    if (start[n] != ':')
        return wrong(r, "':' is expected after the kernel");
    Settings a = {.kernel = arena_printf(r->arena, "%.*s", (int)n, start),
                  .line = r->line};
    list_push(r->arena, r->to, a);
    return true;
}

bool asked_read(Arena *a, const char *text, SettingsList *to,
                const char **error)
{
    Reader r = {a, text, 1, to, error};
    for (; *r.at; r.line++) {
        if (!read_line(&r))
            return false;
        skip_line(&r);
    }
    return true;
}

/* Asking. */

static Choice choice_asked(const Setting *s)
{
    return !s->line                    ? CHOICE_none
           : s->value[0] == ASK_always ? CHOICE_yes
                                       : CHOICE_no;
}

bool form_asked(const Settings *a, NestForm *form)
{
    form->unroll = choice_asked(&a->set[SET_unroll]);
    form->join = choice_asked(&a->set[SET_join]);
    return form->unroll || form->join;
}

const Setting *asked_for(const Chooser *c, const Kernel *k, SettingKind kind)
{
    const Settings *a = map_of(&c->asked, k);
    return a && a->set[kind].line ? &a->set[kind] : NULL;
}

const char *refused(const Chooser *c, const Setting *s, const char *why)
{
    return arena_printf(c->arena, "%d: %s", s->line, why);
}
