/* diag.c: sources, and what is wrong with them. */

#include "base/base.h"

#include <stdlib.h>
#include <string.h>

typedef struct Label {
    Span at;
    const char *text;
} Label;

typedef struct Error {
    Span at;
    const char *kind, *text;
    LIST(Label) label;
    LIST(const char *) detail;
    LIST(Label) note;
    int order; /* of recording */
} Error;

struct Diags {
    Arena *arena;
    LIST(Source *) source;
    LIST(Error *) error;
    uint32_t next; /* base of the next source */
    bool dropped;  /* the last error was a repetition: drop its additions */
    int more;      /* errors that are not recorded */
};

enum { MAX_PRINTED = 20, MAX_RECORDED = 1000 };

Diags *diags_new(Arena *a)
{
    Diags *d = NEW(a, Diags);

    d->arena = a;
    d->next = 1; /* so that no place is 0 */
    return d;
}

const Source *diags_source(Diags *d, const char *path, const char *text,
                           size_t len)
{
    Source *s = NEW(d->arena, Source);

    if (len >= UINT32_MAX - d->next - 1)
        die("more than 4 GB of sources");
    s->path = arena_printf(d->arena, "%s", path);
    s->text = text;
    s->len = (uint32_t)len;
    s->base = d->next;
    d->next += (uint32_t)len + 1; /* one place for the end */
    list_push(d->arena, &d->source, s);
    return s;
}

const Source *diags_source_at(const Diags *d, int i)
{
    return i < d->source.n ? d->source.at[i] : NULL;
}

const Source *diags_source_of(const Diags *d, Span s)
{
    for (int i = d->source.n - 1; i >= 0; i--)
        if (s.beg >= d->source.at[i]->base)
            return d->source.at[i];
    return NULL;
}

static uint32_t offset_in(const Source *s, uint32_t at)
{
    uint32_t o = at - s->base;

    return o < s->len ? o : s->len;
}

static uint32_t line_start(const Source *s, uint32_t o)
{
    while (o > 0 && s->text[o - 1] != '\n')
        o--;
    return o;
}

static bool continues(char c) { return ((unsigned char)c & 0xc0) == 0x80; }

/* Characters in text[from, to). */
static int columns(const Source *s, uint32_t from, uint32_t to)
{
    int n = 0;

    for (; from < to; from++)
        n += !continues(s->text[from]);
    return n;
}

void diags_position(const Diags *d, Span at, int *line, int *column)
{
    const Source *s = diags_source_of(d, at);
    uint32_t o, start;

    *line = *column = 1;
    if (!s)
        return;
    o = offset_in(s, at.beg);
    start = line_start(s, o);
    *column = 1 + columns(s, start, o);
    for (uint32_t i = 0; i < start; i++)
        *line += s->text[i] == '\n';
}

const char *diags_place(const Diags *d, Arena *a, Span at, bool column)
{
    const Source *s = at.end ? diags_source_of(d, at) : NULL;
    int line, k;

    if (!s)
        return NULL;
    diags_position(d, at, &line, &k);
    return column ? arena_printf(a, "%s:%d:%d", s->path, line, k)
                  : arena_printf(a, "%s:%d", s->path, line);
}

/* A name may be as long as a file: what is printed of it is not. */
enum { MAX_TEXT = 500 };

static const char *message(Diags *d, const char *fmt, va_list ap)
{
    char *text = arena_vprintf(d->arena, fmt, ap);
    size_t n = strlen(text), end = MAX_TEXT;

    if (n <= MAX_TEXT)
        return text;
    while (end > 0 && continues(text[end]))
        end--;
    return arena_printf(d->arena, "%.*s…", (int)end, text);
}

static Error *last(Diags *d)
{
    return d->error.n && !d->dropped ? d->error.at[d->error.n - 1] : NULL;
}

static bool recorded(const Diags *d, Span at, const char *text)
{
    for (int i = 0; i < d->error.n; i++)
        if (d->error.at[i]->at.beg == at.beg &&
            strcmp(d->error.at[i]->text, text) == 0)
            return true;
    return false;
}

void diag(Diags *d, Span at, const char *kind, const char *fmt, ...)
{
    va_list ap;
    Error *e = NEW(d->arena, Error);

    va_start(ap, fmt);
    e->text = message(d, fmt, ap);
    va_end(ap);
    e->at = at;
    e->kind = kind;
    e->order = d->error.n;
    d->dropped = recorded(d, at, e->text);
    if (!d->dropped && d->error.n >= MAX_RECORDED) {
        d->dropped = true;
        d->more++;
    }
    if (!d->dropped)
        list_push(d->arena, &d->error, e);
}

void diag_label(Diags *d, Span at, const char *fmt, ...)
{
    Error *e = last(d);
    va_list ap;

    if (!e)
        return;
    va_start(ap, fmt);
    list_push(d->arena, &e->label, ((Label){at, message(d, fmt, ap)}));
    va_end(ap);
}

void diag_detail(Diags *d, const char *fmt, ...)
{
    Error *e = last(d);
    va_list ap;

    if (!e)
        return;
    va_start(ap, fmt);
    list_push(d->arena, &e->detail, message(d, fmt, ap));
    va_end(ap);
}

void diag_note(Diags *d, Span at, const char *fmt, ...)
{
    Error *e = last(d);
    const char *text;
    va_list ap;

    if (!e)
        return;
    va_start(ap, fmt);
    text = message(d, fmt, ap);
    va_end(ap);
    for (int i = 0; i < e->note.n; i++)
        if (e->note.at[i].at.beg == at.beg &&
            strcmp(e->note.at[i].text, text) == 0)
            return;
    list_push(d->arena, &e->note, ((Label){at, text}));
}

const char *source_text(Arena *a, const Source *s, Span at)
{
    enum { LONG = 60 };
    int n = (int)(at.end - at.beg);
    char *text =
        arena_printf(a, "%.*s%s", n < LONG ? n : LONG,
                     s->text + (at.beg - s->base), n < LONG ? "" : " ...");
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < ' ')
            *p = ' ';
    return text;
}

Diags *diags_fork(Arena *a, const Diags *d)
{
    Diags *fork = diags_new(a);

    fork->next = d->next;
    for (int i = 0; i < d->source.n; i++)
        list_push(a, &fork->source, d->source.at[i]);
    return fork;
}

const char *diags_first(const Diags *d)
{
    return d->error.n ? d->error.at[0]->text : NULL;
}

int diags_errors(const Diags *d) { return d->error.n; }

/* Printing */

typedef struct Printer {
    const Diags *d;
    FILE *to;
    bool colour;
} Printer;

static const char *paint(const Printer *p, const char *code)
{
    return p->colour ? code : "";
}

/* One source line: at most this much of it is shown, around the error. */
enum { MAX_LINE = 160 };

static uint32_t shown_from(const Source *s, uint32_t start, uint32_t error)
{
    uint32_t from =
        error - start > MAX_LINE * 3 / 4 ? error - MAX_LINE / 2 : start;

    while (from > start && continues(s->text[from]))
        from--;
    return from;
}

static bool ends_line(const Source *s, uint32_t at)
{
    return at >= s->len || s->text[at] == '\n' || s->text[at] == '\r';
}

static uint32_t shown_to(const Source *s, uint32_t from)
{
    uint32_t end = from;

    while (!ends_line(s, end) && end - from < MAX_LINE)
        end++;
    while (end > from && end < s->len && continues(s->text[end]))
        end--;
    return end;
}

/* Bytes of the character at text[i], 0 where that is none to print. */
static uint32_t printable(const Source *s, uint32_t i, uint32_t end)
{
    unsigned char c = (unsigned char)s->text[i];
    uint32_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

    if (c > 0xf4 || (n == 1 && (c < 0x20 || c == 0x7f) && c != '\t'))
        return 0;
    for (uint32_t k = 1; k < n; k++)
        if (i + k >= end || !continues(s->text[i + k]))
            return 0;
    return n;
}

static void print_line(const Printer *p, const Source *s, uint32_t from,
                       bool cut, int line)
{
    uint32_t end = shown_to(s, from), n;

    fprintf(p->to, "%5d | ", line);
    for (uint32_t i = from; i < end; i += n ? n : 1) {
        n = printable(s, i, end);
        if (cut && i == from)
            fputs("…", p->to);
        else if (n)
            fwrite(s->text + i, 1, n, p->to);
        else
            fputc('?', p->to);
    }
    fputs(ends_line(s, end) ? "\n" : "…\n", p->to);
}

/* Under the line: one caret row for as many labels as fit beside each other,
 * left to right; the rest go to rows of their own. */
static void print_labels(const Printer *p, const Source *s, uint32_t start,
                         uint32_t from, const Label *label, int n)
{
    uint32_t end = shown_to(s, from);
    bool *done = NEWN(p->d->arena, bool, n + 1);
    int left = n;

    while (left) {
        int at = 0;

        fprintf(p->to, "      | %s", paint(p, "\033[32m"));
        for (int i = 0; i < n; i++) {
            uint32_t beg = offset_in(s, label[i].at.beg);
            uint32_t stop = offset_in(s, label[i].at.end);
            int column, width;

            if (done[i] || line_start(s, beg) != start) {
                left -= !done[i];
                done[i] = true;
                continue;
            }
            beg = beg < from ? from : beg < end ? beg : end;
            stop = stop < beg ? beg : stop < end ? stop : end;
            column = columns(s, from, beg);
            if (at && column < at + 2)
                continue;
            for (; at < column; at++)
                fputc(s->text[from + (uint32_t)at] == '\t' ? '\t' : ' ', p->to);
            width = stop > beg ? columns(s, beg, stop) : 1;
            fputc('^', p->to);
            for (int k = 1; k < width; k++)
                fputc('~', p->to);
            at += width;
            if (*label[i].text) {
                fprintf(p->to, " %s", label[i].text);
                at += 1 + (int)strlen(label[i].text);
            }
            done[i] = true;
            left--;
        }
        fprintf(p->to, "%s\n", paint(p, "\033[0m"));
    }
}

static void print_place(const Printer *p, Span at, const char *colour,
                        const char *what, const char *text, const char *kind)
{
    const Source *s = diags_source_of(p->d, at);
    int line, column;

    diags_position(p->d, at, &line, &column);
    if (s && at.end)
        fprintf(p->to, "%s%s:%d:%d:%s ", paint(p, "\033[1m"), s->path, line,
                column, paint(p, "\033[0m"));
    else
        fprintf(p->to, "%snncc:%s ", paint(p, "\033[1m"), paint(p, "\033[0m"));
    fprintf(p->to, "%s%s:%s %s", paint(p, colour), what, paint(p, "\033[0m"),
            text);
    if (kind)
        fprintf(p->to, " [%s]", kind);
    fputc('\n', p->to);
}

static int by_place(const void *a, const void *b)
{
    const Label *x = a, *y = b;

    return (x->at.beg > y->at.beg) - (x->at.beg < y->at.beg);
}

static void print_error(const Printer *p, const Error *e)
{
    const Source *s = diags_source_of(p->d, e->at);
    int line, column;

    print_place(p, e->at, "\033[31;1m", "error", e->text, e->kind);
    if (s && e->at.end && s->len) {
        uint32_t beg = offset_in(s, e->at.beg), start = line_start(s, beg);
        uint32_t from = shown_from(s, start, beg);
        int n = e->label.n ? e->label.n : 1;
        Label *label = NEWN(p->d->arena, Label, n);

        if (e->label.n)
            memcpy(label, e->label.at, sizeof *label * (size_t)n);
        else
            label[0] = (Label){e->at, ""};
        qsort(label, (size_t)n, sizeof *label, by_place);
        diags_position(p->d, e->at, &line, &column);
        print_line(p, s, from, from > start, line);
        print_labels(p, s, start, from, label, n);
    }
    for (int i = 0; i < e->detail.n; i++)
        fprintf(p->to, "      = %s\n", e->detail.at[i]);
    for (int i = 0; i < e->note.n; i++)
        print_place(p, e->note.at[i].at, "\033[36m", "note", e->note.at[i].text,
                    NULL);
}

static int by_source(const void *a, const void *b)
{
    const Error *const *x = a, *const *y = b;

    if ((*x)->at.beg != (*y)->at.beg)
        return (*x)->at.beg < (*y)->at.beg ? -1 : 1;
    return (*x)->order - (*y)->order;
}

void diags_print(const Diags *d, FILE *to, bool colour)
{
    Printer p = {d, to, colour};
    int n = d->error.n;
    Error **sorted = NEWN(d->arena, Error *, n + 1);

    if (n)
        memcpy(sorted, d->error.at, sizeof *sorted * (size_t)n);
    qsort(sorted, (size_t)n, sizeof *sorted, by_source);
    for (int i = 0; i < n && i < MAX_PRINTED; i++)
        print_error(&p, sorted[i]);
    if (n > MAX_PRINTED)
        fprintf(to, "nncc: %d more errors\n", n - MAX_PRINTED + d->more);
}

/* Names */

enum { MAX_NAME = 63 };

/* Edits that turn a into b, a swap of neighbours counting as one
 * (Damerau-Levenshtein, optimal string alignment). */
static int distance(const char *a, const char *b)
{
    int row[3][MAX_NAME + 1];
    int n = (int)strlen(a), m = (int)strlen(b);

    if (n > MAX_NAME || m > MAX_NAME)
        return MAX_NAME;
    for (int j = 0; j <= m; j++)
        row[0][j] = j;
    for (int i = 1; i <= n; i++) {
        int *now = row[i % 3], *one = row[(i + 2) % 3], *two = row[(i + 1) % 3];

        now[0] = i;
        for (int j = 1; j <= m; j++) {
            int best = one[j - 1] + (a[i - 1] != b[j - 1]);

            best = one[j] + 1 < best ? one[j] + 1 : best;
            best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
                a[i - 2] == b[j - 1] && two[j - 2] + 1 < best)
                best = two[j - 2] + 1;
            now[j] = best;
        }
    }
    return row[n % 3][m];
}

static int common_start(const char *a, const char *b)
{
    int n = 0;

    while (a[n] && a[n] == b[n])
        n++;
    return n;
}

const char *nearest_name(const char *name, const char *const *among, int n)
{
    const char *best = NULL;
    int least = ((int)strlen(name) + 2) / 3 + 1;

    for (int i = 0; i < n; i++) {
        int d = distance(name, among[i]);

        if (d < least ||
            (best && d == least &&
             common_start(name, among[i]) > common_start(name, best))) {
            least = d;
            best = among[i];
        }
    }
    return best;
}
