/* parse.c: parse() and parse_expression(), and what is said about a text that
 * is no program. */

#include "syntax/ast_build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Entry */

/* Length of the UTF-8 sequence at s, 0 where it is none (RFC 3629). */
static uint32_t utf8_length(const unsigned char *s, uint32_t left)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t n = s[0] < 0x80             ? 1
                 : (s[0] & 0xe0) == 0xc0 ? 2
                 : (s[0] & 0xf0) == 0xe0 ? 3
                 : (s[0] & 0xf8) == 0xf0 ? 4
                                         : 0;
    uint32_t code = n > 1 ? s[0] & (0x7fu >> n) : s[0];

    if (n == 0 || n > left)
        return 0;
    for (uint32_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (s[i] & 0x3f);
    }
    if (code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return 0;
    return n;
}

/* One message for a file that is no text, rather than one a byte. */
static bool is_text(Diags *d, const Source *s)
{
    const unsigned char *text = (const unsigned char *)s->text;
    uint32_t n;

    for (uint32_t i = 0; i < s->len; i += n) {
        Span at = {s->base + i, s->base + i + 1};

        n = utf8_length(text + i, s->len - i);
        if (text[i] == 0) {
            diag(d, at, "not-text", "this is no text: it holds a zero byte");
            return false;
        }
        if (n == 0) {
            diag(d, at, "not-text", "this is no text in UTF-8: byte 0x%02x",
                 text[i]);
            return false;
        }
    }
    return true;
}

static struct parse *parse_new(Arena *a, Intern *names, Diags *d,
                               const Source *source)
{
    struct parse *p = NEW(a, struct parse);
    bool mark = source->len >= 3 && !memcmp(source->text, "\xef\xbb\xbf", 3);

    p->arena = a;
    p->names = names;
    p->diags = d;
    p->source = source;
    p->at = source->base + (mark ? 3 : 0);
    p->ast = NEW(a, Ast);
    p->ast->source = source;
    return p;
}

Ast *parse(Arena *a, Intern *names, Diags *d, const Source *source)
{
    struct parse *p = parse_new(a, names, d, source);

    if (is_text(d, source))
        parse_run(p, false);
    return p->ast;
}

Expr *parse_expression(Arena *a, Intern *names, Diags *d, const Source *source)
{
    struct parse *p = parse_new(a, names, d, source);
    int before = diags_errors(d);
    bool read = is_text(d, source) && parse_run(p, true);

    return read && diags_errors(d) == before ? p->expression : NULL;
}

bool parse_tokens(Arena *a, Intern *names, Diags *d, const Source *source,
                  TokenList *to)
{
    struct parse *p = parse_new(a, names, d, source);
    int before = diags_errors(d);

    p->tokens = to;
    return is_text(d, source) && parse_run(p, false) &&
           diags_errors(d) == before;
}

/* What the scanner calls */

void parse_keep(struct parse *p, int kind, Span at)
{
    if (p->tokens)
        list_push(p->arena, p->tokens, ((Token){kind, at}));
}

const char *parse_name(struct parse *p, const char *s, int n)
{
    return intern_n(p->names, s, (size_t)n);
}

/* The digits without the '_' among them. */
static char *plain_digits(struct parse *p, const char *s, int n)
{
    char *out = arena_alloc(p->arena, (size_t)n + 1);
    int k = 0;

    for (int i = 0; i < n; i++)
        if (s[i] != '_')
            out[k++] = s[i];
    return out;
}

int64_t parse_int(struct parse *p, Span at, const char *s, int n)
{
    errno = 0;
    long long v = strtoll(plain_digits(p, s, n), NULL, 10);
    if (errno == ERANGE) {
        diag(p->diags, at, "number-range", "this integer is too large");
        diag_detail(p->diags, "the largest is 9223372036854775807");
    }
    return v;
}

double parse_real(struct parse *p, Span at, const char *s, int n)
{
    double v = strtod(plain_digits(p, s, n), NULL);

    if (v > 1.7976931348623157e308)
        diag(p->diags, at, "number-range",
             "this number is too large for any real type");
    return v;
}

void parse_bad_number(struct parse *p, Span at, const char *s)
{
    diag(p->diags, at, "bad-number", "'%.40s%s' is neither a number nor a name",
         s, strlen(s) > 40 ? "…" : "");
}

void parse_bad_character(struct parse *p, Span at, const char *s, int n)
{
    bool again = p->bad == at.beg;
    uint32_t one = utf8_length((const unsigned char *)s, (uint32_t)n);

    p->bad = at.end;
    if (again)
        return;
    if ((unsigned char)*s < 0x20 || *s == 0x7f)
        diag(p->diags, at, "bad-character", "unexpected character 0x%02x", *s);
    else
        diag(p->diags, at, "bad-character", "unexpected character '%.*s'",
             (int)one, s);
    if (*s == '&')
        diag_detail(p->diags, "'and' is written '&&'");
    else if (*s == '?')
        diag_detail(p->diags, "a choice is 'if c { a } else { b }'");
    else if (one > 1)
        diag_detail(p->diags, "names are made of the letters a to z and A to "
                              "Z, digits and '_'");
}

void parse_refuse(struct parse *p, Span at, const char *why)
{
    p->bad = at.end;
    diag(p->diags, at, "syntax", "%s", why);
}

bool parse_open(struct parse *p, Span at, char c)
{
    if (p->nopen == MAX_DEPTH) {
        parse_too_deep(p, at);
        return false;
    }
    p->open[p->nopen] = at;
    p->bracket[p->nopen++] = c;
    return true;
}

void parse_close(struct parse *p)
{
    if (p->nopen)
        p->nopen--;
}

void parse_too_deep(struct parse *p, Span at)
{
    if (p->stop)
        return;
    p->stop = true;
    diag(p->diags, (Span){at.beg, at.beg + 1}, "too-deep",
         "nested too deeply (the limit is %d)", MAX_DEPTH);
}

/* What the parser reports */

typedef struct Expected {
    const char *name[16];
    int n;
    bool overfull;
} Expected;

static bool has(const char *const *name, int n, const char *s)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(name[i], s))
            return true;
    return false;
}

static void expect(Expected *e, const char *s)
{
    if (e->n == (int)(sizeof e->name / sizeof *e->name))
        e->overfull = true;
    else
        e->name[e->n++] = s;
}

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

static const char *const expression_start[] = {
    "an integer", "a number", "'true'",       "'false'", "a name",
    "a text",     "'train'",  "'derivative'", "'('",     "'['",
    "'{'",        "'if'",     "'fn'",         "'-'",     "'!'",
};
static const char *const type_start[] = {
    "a name", "'train'", "'derivative'", "'('", "'['", "'fn'",
};
static const char *const type_more[] = {"'['", "'.'"};
static const char *const name_start[] = {
    "a name",
    "'train'",
    "'derivative'",
};
static const char *const item_start[] = {
    "'use'",    "'const'", "'struct'",     "'fn'",
    "'export'", "'train'", "'derivative'", "end of file",
};
/* What may go on after a whole expression: never the news. */
static const char *const operators[] = {
    "'+'", "'-'",  "'*'",  "'/'",  "'%'",  "'@'",  "'^'",   "'<'",
    "'>'", "'<='", "'>='", "'=='", "'!='", "'&&'", "'||'",  "'|>'",
    "'.'", "'('",  "'['",  "'='",  "':'",  "'|'",  "'\\''", "'as'",
};

/* The tokens that the parser would take, in the words a person would use. */
static Expected in_words(const char *const *name, int n, bool *whole)
{
    Expected e = {0};
    const char *const *group = NULL;
    int ngroup = 0;
    bool names = has(name, n, "a name");

    *whole = has(name, n, "'+'");
    if (has(name, n, "'struct'")) {
        group = item_start, ngroup = COUNT(item_start);
        expect(&e, "'fn', 'struct', 'export' or another item");
    } else if (has(name, n, "an integer") && has(name, n, "'('")) {
        group = expression_start, ngroup = COUNT(expression_start);
        expect(&e, "an expression");
    } else if (names && has(name, n, "'fn'")) {
        group = type_start, ngroup = COUNT(type_start);
        expect(&e, "a type");
    } else if (names) {
        group = name_start, ngroup = COUNT(name_start);
        expect(&e, "a name");
    } else if (*whole) {
        group = operators, ngroup = COUNT(operators);
    }
    if (has(name, n, "'['") && !*whole && !group)
        group = type_more, ngroup = COUNT(type_more);
    for (int i = 0; i < n; i++) {
        bool semicolon = !strcmp(name[i], "';'");
        bool comma = !strcmp(name[i], "','");

        if (has(group, ngroup, name[i]) || !strcmp(name[i], "'..'"))
            continue;
        if (semicolon && *whole && has(name, n, "'}'"))
            continue; /* only there to tell a value from a statement */
        if (comma && *whole && has(name, n, "';'"))
            continue;
        expect(&e, name[i]);
    }
    if (e.n == 0 && *whole)
        expect(&e, "an operator");
    return e;
}

static const char *expected_text(struct parse *p, const Expected *e)
{
    Str s = str_new(p->arena);

    if (e->n == 0 || e->n > 5 || e->overfull)
        return "";
    str_printf(&s, ", expected ");
    str_words(&s, e->n, e->name, "", " or ", "");
    return s.at;
}

/* What people write who come from other languages. */
static const char *hint_for(const char *word, size_t n)
{
    static const struct {
        const char *word, *hint;
    } hints[] = {
        {"return", "a block's value is its last expression"},
        {"def", "a function is 'fn name(x: type) -> type { … }'"},
        {"for", "loops are written with fold, scan, sum(i < n | …) or "
                "[i < n | …]"},
        {"while", "a loop that stops by itself is a fold with 'until = …'"},
        {"import", "'use name;' takes in another file"},
        {"lambda", "a function without a name is 'fn(x) = …'"},
        {"and", "'and' is written '&&'"},
        {"or", "'or' is written '||'"},
        {"not", "'not' is written '!'"},
        {"var", "values get their names by 'let'"},
        {"mut", "nothing changes: a new value gets a name by 'let', too"},
        {"then", "a choice is 'if c { a } else { b }'"},
        {"elif", "a second choice is 'else if c { … }'"},
        {"class", "a struct is 'struct Name { field: type, … }'"},
        {"in", "an index is bounded by '<': [i < n | …]"},
    };

    for (int i = 0; i < COUNT(hints); i++)
        if (strlen(hints[i].word) == n && !strncmp(hints[i].word, word, n))
            return hints[i].hint;
    return NULL;
}

/* Signs of other languages; before: what touches them on the left. */
static const char *hint_for_sign(char before, const char *s, size_t n)
{
    if (before == '*' && *s == '*')
        return "a power is written '^'";
    if ((before == '/' && *s == '*') || (*s == '/' && s[1] == '*') ||
        (before == '-' && *s == '-'))
        return "a comment starts with '#'";
    if (*s == '=' && strchr("+-*/", before) && before)
        return "nothing changes: 'let y = x + 1;' names a new value";
    if (*s == '=' && before == '=')
        return "equal is written '=='";
    if (*s == '.' && before == '.')
        return "any leading dimensions are written '..'";
    if (n == 2 && !strncmp(s, "if", n))
        return "a choice is 'if c { a } else { b }'";
    if (n == 2 && !strncmp(s, "as", n))
        return "conversions are calls: real(i), int(x)";
    return NULL;
}

static const char *text_at(const struct parse *p, uint32_t at)
{
    return p->source->text + (at - p->source->base);
}

/* items: one of them was expected. */
static void add_hint(struct parse *p, Span at, bool items)
{
    bool touch = at.beg == p->prior.end && at.beg > p->source->base;
    char before = touch ? *text_at(p, at.beg - 1) : 0;
    const char *hint = hint_for(text_at(p, at.beg), at.end - at.beg);

    if (!hint && p->prior.end)
        hint = hint_for(text_at(p, p->prior.beg), p->prior.end - p->prior.beg);
    if (!hint)
        hint = hint_for_sign(before, text_at(p, at.beg), at.end - at.beg);
    if (!hint && items && at.end - at.beg == 3 &&
        !strncmp(text_at(p, at.beg), "let", 3))
        hint = "outside of functions, 'const name = …;' names a value";
    if (hint)
        diag_detail(p->diags, "%s", hint);
}

/* The bracket that stands open, or that another kind was to close. */
static void add_bracket(struct parse *p, Span at, bool eof)
{
    char c = eof ? 0 : *text_at(p, at.beg);
    char opener = c == ')' ? '(' : c == ']' ? '[' : c == '}' ? '{' : 0;

    if (eof && p->nopen)
        diag_note(p->diags, p->open[p->nopen - 1], "this '%c' is not closed",
                  p->bracket[p->nopen - 1]);
    if (opener && p->nopen < MAX_DEPTH && p->bracket[p->nopen] &&
        p->bracket[p->nopen] != opener)
        diag_note(p->diags, p->open[p->nopen], "this '%c' is not closed",
                  p->bracket[p->nopen]);
}

static bool on_new_line(const struct parse *p, Span at)
{
    size_t gap = at.beg - p->prior.end;

    return p->prior.end && memchr(text_at(p, p->prior.end), '\n', gap);
}

void parse_unexpected(struct parse *p, Span at, bool eof,
                      const char *const *expected, int n)
{
    bool whole;
    Expected e = in_words(expected, n, &whole);
    int width = (int)(at.end - at.beg) > 40 ? 40 : (int)(at.end - at.beg);
    const char *what =
        eof ? "end of file"
            : arena_printf(p->arena, "'%.*s'", width, text_at(p, at.beg));

    if (p->stop || (p->bad >= p->prior.end && p->bad <= at.beg && p->bad))
        return; /* what was refused in between says it all */
    if (e.n == 1 && !strcmp(e.name[0], "';'") && (eof || on_new_line(p, at)))
        diag(p->diags, (Span){p->prior.end, p->prior.end}, "syntax",
             "expected ';' before %s", what);
    else
        diag(p->diags, at, "syntax", "unexpected %s%s", what,
             expected_text(p, &e));
    add_hint(p, at, has(expected, n, "'struct'"));
    add_bracket(p, at, eof);
    /* Reading goes on after a ';': what stands open in the statement is dead.
     */
    while (*text_at(p, at.beg) == ';' && p->nopen &&
           p->bracket[p->nopen - 1] != '{')
        p->nopen--;
}

void parse_no_value(struct parse *p, Span expression, Span semicolon)
{
    p->bad = semicolon.end;
    diag(p->diags, expression, "no-value", "this value is not used");
    diag_detail(p->diags,
                "a block's value is its last expression, without a ';'");
}
