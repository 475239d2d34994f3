/* layout.c: lines made of texts and breaks, without recursion, in time linear
 * in what there is to print. */

#include "syntax/layout.h"

typedef enum DocKind {
    DOC_text,
    DOC_comment,
    DOC_break,
    DOC_line,
    DOC_begin,
    DOC_end,
} DocKind;

typedef struct Doc {
    DocKind kind;
    const char *s; /* text, comment */
    int n, width;
    bool blank; /* DOC_line */
    int offset;
    GroupKind group;
    IndentFrom from;
    /* measured: */
    int pos;   /* width of all before it, on one line */
    int size;  /* of a group and of what follows a break, up to where the next
                  line may begin */
    int most;  /* DOC_begin: the largest size of its breaks */
    bool hard; /* DOC_begin: a line ends in it whatever the width */
} Doc;

struct Layout {
    Arena *arena;
    LIST(Doc) doc;
};

Layout *layout_new(Arena *a)
{
    Layout *l = NEW(a, Layout);

    l->arena = a;
    return l;
}

static Doc *add(Layout *l, DocKind kind)
{
    list_push(l->arena, &l->doc, (Doc){.kind = kind});
    return &l->doc.at[l->doc.n - 1];
}

/* Characters in n bytes of UTF-8. */
static int width_of(const char *s, int n)
{
    int width = 0;

    for (int i = 0; i < n; i++)
        width += ((unsigned char)s[i] & 0xc0) != 0x80;
    return width;
}

void layout_text(Layout *l, const char *s, int n)
{
    Doc *d = add(l, DOC_text);

    d->s = s;
    d->n = n;
    d->width = width_of(s, n);
}

void layout_comment(Layout *l, const char *s, int n)
{
    Doc *d = add(l, DOC_comment);

    d->s = s;
    d->n = n;
}

void layout_break(Layout *l, int space, int offset)
{
    Doc *d = add(l, DOC_break);

    d->width = space;
    d->offset = offset;
}

void layout_line(Layout *l, bool blank, int offset)
{
    Doc *d = add(l, DOC_line);

    d->blank = blank;
    d->offset = offset;
}

void layout_begin(Layout *l, GroupKind kind, IndentFrom from, int offset)
{
    Doc *d = add(l, DOC_begin);

    d->group = kind;
    d->from = from;
    d->offset = offset;
}

void layout_end(Layout *l) { add(l, DOC_end); }

int layout_mark(const Layout *l) { return l->doc.n; }

int layout_width(const Layout *l, int mark)
{
    int width = 0;

    for (int i = mark; i < l->doc.n; i++)
        width += l->doc.at[i].width;
    return width;
}

void layout_cut(Layout *l, int mark) { l->doc.n = mark; }

/* Measuring */

/* A group whose end was met: from the end of the text to its beginning. */
typedef struct Open {
    int next;  /* pos of the break after the one at hand; at first the next of
                  any group */
    int after; /* pos of the first chance to end the line after the group */
    int end;   /* pos of its end */
    int most;
} Open;

static int least(int a, int b) { return a < b ? a : b; }
static int larger(int a, int b) { return a > b ? a : b; }

static void measure(Layout *l)
{
    LIST(Open) open = {0};
    int pos = 0;

    for (int i = 0; i < l->doc.n; i++) {
        l->doc.at[i].pos = pos;
        pos += l->doc.at[i].width;
    }
    int chance = pos, forced = pos, forced_at = l->doc.n;
    list_push(l->arena, &open, ((Open){pos, pos, l->doc.n, 0}));
    for (int i = l->doc.n - 1; i >= 0; i--) {
        Doc *d = &l->doc.at[i];
        Open *o = &open.at[open.n - 1];
        switch (d->kind) {
        case DOC_text:
            break;
        case DOC_comment:
        case DOC_line:
            chance = forced = d->pos;
            forced_at = i;
            break;
        case DOC_break:
            d->size = least(o->next, forced) - d->pos - d->width;
            o->most = larger(o->most, d->size);
            o->next = chance = d->pos;
            break;
        case DOC_end:
            list_push(l->arena, &open, ((Open){chance, chance, i, 0}));
            break;
        case DOC_begin:
            d->size = o->after - d->pos;
            d->most = o->most;
            d->hard = forced_at < o->end;
            open.n--;
            break;
        }
    }
}

/* Printing */

/* A line of the result: code, and a comment after it. */
typedef struct Line {
    size_t beg, n; /* in the code */
    int width;
    const char *comment;
    int ncomment;
} Line;

typedef enum Mode { MODE_flat, MODE_all, MODE_fill, MODE_after } Mode;

typedef struct Level {
    Mode mode;
    bool skip_first; /* GR_list where it begins: not its first break */
    int indent;
} Level;

typedef struct Printer {
    Arena *arena;
    Str code; /* of all lines, without line ends */
    LIST(Line) line;
    LIST(Level) level;
    Line now;
    int indent; /* of the line */
    int column;
} Printer;

/* How far a line may be indented, however deep it is in something; and where
 * a list may begin that is aligned there. */
enum { MAX_INDENT = 80, MAX_ALIGNED = 60 };

static void put_blanks(Printer *p, int n)
{
    static const char blanks[] = "                                        ";

    for (int k; n > 0; n -= k) {
        k = least(n, (int)sizeof blanks - 1);
        str_add(&p->code, blanks, (size_t)k);
    }
}

static void finish_line(Printer *p)
{
    Line *now = &p->now;

    now->n = p->code.n - now->beg;
    while (now->n && p->code.at[now->beg + now->n - 1] == ' ')
        now->n--;
    now->width = width_of(p->code.at + now->beg, (int)now->n);
    list_push(p->arena, &p->line, *now);
    *now = (Line){.beg = p->code.n};
}

static void new_line(Printer *p, bool blank, int indent)
{
    bool empty = p->code.n == p->now.beg && !p->now.comment;

    if (p->line.n || !empty) /* none before the first */
        finish_line(p);
    if (blank && p->line.n)
        finish_line(p);
    p->indent = larger(0, least(indent, MAX_INDENT));
    p->column = p->indent;
    put_blanks(p, p->indent);
}

static void print_comment(Printer *p, const Doc *d)
{
    if (p->column == p->indent) { /* it has the line for itself */
        str_add(&p->code, d->s, (size_t)d->n);
        p->column += d->n;
    } else {
        p->now.comment = d->s;
        p->now.ncomment = d->n;
    }
}

static void print_break(Printer *p, const Doc *d)
{
    Level *v = &p->level.at[p->level.n - 1];
    bool fits = p->column + d->width + d->size <= LAYOUT_WIDTH;
    bool here = v->mode == MODE_flat || (v->mode == MODE_fill && fits) ||
                (v->mode == MODE_after &&
                 v->indent + d->offset + d->size > LAYOUT_WIDTH) ||
                v->skip_first;

    v->skip_first = false;
    if (!here) {
        new_line(p, false, v->indent + d->offset);
        return;
    }
    put_blanks(p, d->width);
    p->column += d->width;
}

/* A list that does not fit: aligned where it begins, or from a line of its own
 * on. */
static void place_list(const Printer *p, const Doc *d, Level *v)
{
    int own = least(p->indent + d->offset, MAX_INDENT);
    bool aligned =
        p->column <= MAX_ALIGNED && p->column + d->most <= LAYOUT_WIDTH;

    if (!aligned && (own >= p->column || own + d->most > LAYOUT_WIDTH))
        aligned = p->column <= MAX_ALIGNED;
    v->skip_first = aligned;
    v->indent = aligned ? p->column : own;
}

static void begin_group(Printer *p, const Doc *d)
{
    static const Mode modes[] = {
        [GR_all] = MODE_all,
        [GR_fill] = MODE_fill,
        [GR_list] = MODE_fill,
        [GR_after] = MODE_after,
    };
    const Level *outer = &p->level.at[p->level.n - 1];
    int from = d->from == IN_group  ? outer->indent
               : d->from == IN_line ? p->indent
                                    : p->column;
    Level v = {modes[d->group], false, from + d->offset};

    if (outer->mode == MODE_flat ||
        (!d->hard && p->column + d->size <= LAYOUT_WIDTH))
        v.mode = MODE_flat;
    else if (d->group == GR_list)
        place_list(p, d, &v);
    else if (d->group == GR_after && d->hard)
        v.skip_first = true;
    list_push(p->arena, &p->level, v);
}

static void print_doc(Printer *p, const Doc *d)
{
    switch (d->kind) {
    case DOC_text:
        str_add(&p->code, d->s, (size_t)d->n);
        p->column += d->width;
        break;
    case DOC_comment:
        print_comment(p, d);
        break;
    case DOC_break:
        print_break(p, d);
        break;
    case DOC_line:
        new_line(p, d->blank, p->level.at[p->level.n - 1].indent + d->offset);
        break;
    case DOC_begin:
        begin_group(p, d);
        break;
    case DOC_end:
        p->level.n--;
        break;
    }
}

/* The width at which the comments of lines [from, *to) begin: lines with
 * comments that follow each other. */
static int comment_column(const Printer *p, int from, int *to)
{
    int width = 0, i = from;

    for (; i < p->line.n && p->line.at[i].comment; i++)
        width = larger(width, p->line.at[i].width);
    *to = i;
    return width + 2;
}

static void join_lines(Printer *p, Str *to)
{
    int column = 0, until = 0;

    for (int i = 0; i < p->line.n; i++) {
        const Line *line = &p->line.at[i];
        str_add(to, p->code.at + line->beg, line->n);
        if (line->comment) {
            if (i >= until)
                column = comment_column(p, i, &until);
            for (int k = line->width; k < column; k++)
                str_add(to, " ", 1);
            str_add(to, line->comment, (size_t)line->ncomment);
        }
        str_add(to, "\n", 1);
    }
}

void layout_print(Layout *l, Str *to)
{
    Printer p = {.arena = l->arena, .code = str_new(l->arena)};

    str_add(&p.code, "", 0);
    str_add(to, "", 0);
    list_push(l->arena, &p.level, ((Level){MODE_all, false, 0}));
    measure(l);
    for (int i = 0; i < l->doc.n; i++)
        print_doc(&p, &l->doc.at[i]);
    if (p.code.n > p.now.beg || p.now.comment)
        finish_line(&p);
    join_lines(&p, to);
}
