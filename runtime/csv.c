/* csv.c: from bytes to rows of fields, one row in memory at a time. */
#define ZLIB_CONST
#include "nn_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define MAX_ROW ((size_t)64 << 20) /* bytes of text */
#define MAX_FIELDS ((int64_t)1 << 22)

enum { CHUNK = 1 << 16, END = -1, FAILED = -2 };

struct nncc_csv {
    gzFile gz;
    const char *path;
    char delimiter;
    int comment; /* lines that begin so are none; -1: there are no such */
    unsigned char chunk[CHUNK];
    size_t at, n;         /* chunk[at … n-1] is still to be read */
    bool ended;           /* nothing comes after the chunk */
    int64_t line, column; /* of the next character */
    int status;           /* why FAILED */
    char *text;           /* the row's fields, each with its NUL */
    size_t ntext, text_cap;
    nncc_field *field;
    int64_t nfield, field_cap;
};

const char *nncc_csv_path(const nncc_csv *c) { return c->path; }
char nncc_csv_delimiter(const nncc_csv *c) { return c->delimiter; }

static int fill(nncc_csv *c)
{
    int got = gzread(c->gz, c->chunk, CHUNK), code;

    if (got <= 0) {
        const char *text = gzerror(c->gz, &code);
        if (code == Z_ERRNO)
            c->status =
                nncc_fail(NN_ERR_FILE, "%s: %s", c->path, strerror(errno));
        else if (code == Z_BUF_ERROR)
            c->status = nncc_fail(NN_ERR_FILE,
                                  "%s: the gzip file is cut short after line "
                                  "%lld",
                                  c->path, (long long)c->line);
        else if (got < 0)
            c->status = nncc_fail(
                NN_ERR_FILE, "%s: the gzip file is damaged: %s", c->path, text);
        c->ended = true;
        got = 0;
    }
    c->at = 0;
    c->n = (size_t)got;
    return c->status;
}

/* The next character, which stays; END; or FAILED. */
static int peek(nncc_csv *c)
{
    if (c->at == c->n && !c->ended)
        fill(c);
    if (c->status)
        return FAILED;
    return c->at < c->n ? c->chunk[c->at] : END;
}

static void advance(nncc_csv *c, int ch)
{
    c->at++;
    if (ch == '\n') {
        c->line++;
        c->column = 1;
    } else if ((ch & 0xC0) != 0x80) {
        c->column++; /* UTF-8: what follows a character's first byte is free */
    }
}

static int fail_here(nncc_csv *c, int status, const char *what)
{
    c->status = nncc_fail(status, "%s:%lld:%lld: %s", c->path,
                          (long long)c->line, (long long)c->column, what);
    return FAILED;
}

/* The next character, taken; a line's end is '\n' in all three spellings. */
static int take(nncc_csv *c)
{
    int ch = peek(c);

    if (ch < 0)
        return ch;
    if (ch < ' ' && ch != '\n' && ch != '\r' && ch != '\t')
        return fail_here(c, NN_ERR_DATA, "is no text: expected a CSV file");
    if (ch == '\r') {
        c->at++;
        ch = peek(c);
        if (ch != '\n') {
            c->line++;
            c->column = 1;
            return ch == FAILED ? FAILED : '\n';
        }
    }
    advance(c, ch);
    return ch;
}

static bool put(nncc_csv *c, int ch)
{
    if (c->ntext == c->text_cap) {
        size_t cap = c->text_cap ? 2 * c->text_cap : 4096;
        char *text = cap <= MAX_ROW ? realloc(c->text, cap) : NULL;
        if (!text) {
            if (cap > MAX_ROW)
                fail_here(c, NN_ERR_DATA, "a line of more than 64 MiB");
            else
                c->status = nncc_fail_memory(cap, "a line of a CSV file");
            return false;
        }
        c->text = text;
        c->text_cap = cap;
    }
    c->text[c->ntext++] = (char)ch;
    return true;
}

/* Takes the plain characters that come next in the chunk. */
static void put_plain(nncc_csv *c)
{
    size_t i = c->at, room = c->text_cap - c->ntext;

    for (; i < c->n && room > 0; i++, room--) {
        unsigned char ch = c->chunk[i];
        if (ch <= ' ' || ch >= 127 || ch == (unsigned char)c->delimiter)
            break;
        c->text[c->ntext++] = (char)ch;
    }
    c->column += (int64_t)(i - c->at);
    c->at = i;
}

static nncc_field *new_field(nncc_csv *c)
{
    if (c->nfield == c->field_cap) {
        int64_t cap = c->field_cap ? 2 * c->field_cap : 128;
        size_t bytes = (size_t)cap * sizeof *c->field;
        nncc_field *field = cap <= MAX_FIELDS ? realloc(c->field, bytes) : NULL;
        if (!field) {
            if (cap > MAX_FIELDS)
                fail_here(c, NN_ERR_DATA, "a line of more than 4194304 fields");
            else
                c->status = nncc_fail_memory(bytes, "a line of a CSV file");
            return NULL;
        }
        c->field = field;
        c->field_cap = cap;
    }
    nncc_field *f = &c->field[c->nfield++];
    *f = (nncc_field){NULL, 0, c->line, c->column};
    return f;
}

static bool is_blank(const nncc_csv *c, int ch)
{
    return ch == ' ' || (ch == '\t' && c->delimiter != '\t');
}

static void skip_blanks(nncc_csv *c)
{
    while (is_blank(c, peek(c)))
        take(c);
}

/* What comes after a field: the delimiter (taken), '\n' (taken), END. */
static int take_separator(nncc_csv *c)
{
    int ch = take(c);

    if (ch == c->delimiter && c->delimiter == ' ') {
        skip_blanks(c);
        int next = peek(c);
        return next == '\n' || next == '\r' || next < 0 ? take(c) : ch;
    }
    return ch;
}

/* field = '"' (character | '""')* '"' blank*; the first quote is next. */
static int quoted(nncc_csv *c)
{
    int64_t line = c->line, column = c->column;

    take(c);
    for (;;) {
        int ch = take(c);
        if (ch == END)
            c->status = nncc_fail(NN_ERR_DATA,
                                  "%s:%lld:%lld: this quote is never closed",
                                  c->path, (long long)line, (long long)column);
        if (ch < 0)
            return FAILED;
        if (ch == '"') {
            if (peek(c) != '"')
                break;
            take(c);
        }
        if (!put(c, ch))
            return FAILED;
    }
    if (c->delimiter != ' ')
        skip_blanks(c);
    int next = peek(c);
    if (next >= 0 && next != c->delimiter && next != '\n' && next != '\r' &&
        !is_blank(c, next))
        return fail_here(c, NN_ERR_DATA,
                         "text after a closing quote; expected a delimiter");
    return next == FAILED ? FAILED : take_separator(c);
}

static int unquoted(nncc_csv *c)
{
    size_t begin = c->ntext;

    for (;;) {
        put_plain(c);
        int ch = peek(c);
        if (ch == FAILED)
            return FAILED;
        if (ch == END || ch == '\n' || ch == '\r' || ch == c->delimiter ||
            (c->delimiter == ' ' && ch == '\t'))
            break;
        if (take(c) == FAILED || !put(c, ch))
            return FAILED;
    }
    while (c->ntext > begin && is_blank(c, c->text[c->ntext - 1]))
        c->ntext--;
    if (c->delimiter == ' ' && peek(c) == '\t') {
        skip_blanks(c);
        int next = peek(c);
        return next == '\n' || next == '\r' || next < 0 ? take(c) : ' ';
    }
    return take_separator(c);
}

static int parse_field(nncc_csv *c)
{
    skip_blanks(c);
    size_t begin = c->ntext;
    nncc_field *f = new_field(c);

    if (!f)
        return FAILED;
    int separator = peek(c) == '"' ? quoted(c) : unquoted(c);
    if (separator == FAILED)
        return FAILED;
    f->n = c->ntext - begin;
    return put(c, '\0') ? separator : FAILED;
}

/* One line, which may be blank: one empty field then. */
static int parse_row(nncc_csv *c)
{
    c->ntext = 0;
    c->nfield = 0;
    for (;;) {
        int separator = parse_field(c);
        if (separator == FAILED)
            return c->status;
        if (separator != (unsigned char)c->delimiter)
            break;
    }
    char *text = c->text;
    for (int64_t i = 0; i < c->nfield; i++) {
        c->field[i].text = text;
        text += c->field[i].n + 1;
    }
    return NN_OK;
}

/* Comments are any bytes. */
static void skip_comments(nncc_csv *c)
{
    int ch;

    for (;;) {
        skip_blanks(c);
        if ((ch = peek(c)) < 0 || ch != c->comment)
            return;
        while ((ch = peek(c)) >= 0 && ch != '\n' && ch != '\r')
            advance(c, ch);
        if (ch >= 0)
            take(c);
    }
}

int nncc_csv_next(nncc_csv *c, nncc_row *row)
{
    do {
        skip_comments(c);
        if (peek(c) == FAILED)
            return c->status;
        if (peek(c) == END) {
            *row = (nncc_row){NULL, 0};
            return NN_OK;
        }
        int status = parse_row(c);
        if (status)
            return status;
    } while (c->nfield == 1 && c->field[0].n == 0);
    *row = (nncc_row){c->field, c->nfield};
    return NN_OK;
}

static void skip_byte_order_mark(nncc_csv *c)
{
    if (c->n >= 3 && memcmp(c->chunk, "\xEF\xBB\xBF", 3) == 0)
        c->at = 3;
}

/* Where the first line that is neither blank nor a comment begins. */
static size_t first_line(const nncc_csv *c)
{
    size_t i = c->at;

    for (;;) {
        while (i < c->n && strchr(" \n\r", c->chunk[i]) && c->chunk[i])
            i++;
        if (i == c->n || c->chunk[i] != c->comment)
            return i;
        while (i < c->n && c->chunk[i] != '\n' && c->chunk[i] != '\r')
            i++;
    }
}

static bool is_digit(const nncc_csv *c, size_t i)
{
    return i < c->n && c->chunk[i] >= '0' && c->chunk[i] <= '9';
}

/* What the first line has outside of quotes. */
typedef struct Signs {
    int64_t count[3]; /* of , ; and tab */
    int64_t decimal;  /* commas between digits */
    bool gap;         /* blanks with text on both sides */
} Signs;

static void count_sign(const nncc_csv *c, size_t i, Signs *s)
{
    switch (c->chunk[i]) {
    case ',':
        s->count[0]++;
        s->decimal += i > 0 && is_digit(c, i - 1) && is_digit(c, i + 1);
        break;
    case ';':
        s->count[1]++;
        break;
    case '\t':
        s->count[2]++;
        break;
    }
}

static Signs count_signs(const nncc_csv *c)
{
    Signs s = {0};
    bool quote = false, blank = false;

    for (size_t i = first_line(c); i < c->n; i++) {
        unsigned char ch = c->chunk[i];
        if (!quote && (ch == '\n' || ch == '\r'))
            break;
        quote ^= ch == '"';
        if (!quote)
            count_sign(c, i, &s);
        s.gap |= blank && ch != ' ';
        blank = ch == ' ';
    }
    return s;
}

/* That of , ; and tab which the first line has most of, commas between digits
 * being decimal where there are others; blanks where it has none of these. */
static char guess_delimiter(const nncc_csv *c)
{
    Signs s = count_signs(c);
    int best = 0;

    if (s.count[1] || s.count[2])
        s.count[0] -= s.decimal;
    for (int k = 1; k < 3; k++)
        if (s.count[k] > s.count[best])
            best = k;
    if (s.count[best])
        return ",;\t"[best];
    return s.gap ? ' ' : ',';
}

static int open_file(const char *path, int *fd)
{
    struct stat st;

    if (strcmp(path, "-") == 0)
        *fd = dup(STDIN_FILENO);
    else
        *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0)
        return nncc_fail(NN_ERR_FILE, "%s: %s", path, strerror(errno));
    if (fstat(*fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        close(*fd);
        return nncc_fail(NN_ERR_FILE, "%s: is a directory, not a CSV file",
                         path);
    }
    return NN_OK;
}

int nncc_csv_open(const char *path, const nncc_csv_options *o, nncc_csv **out)
{
    int fd = -1;
    char delimiter = o->delimiter;

    if (delimiter && !strchr(",;\t ", delimiter))
        return nncc_fail(NN_ERR_ARGUMENT,
                         "'%c' is no delimiter: use a comma, semicolon, tab or "
                         "blank",
                         delimiter);
    int status = open_file(path, &fd);
    if (status)
        return status;
    nncc_csv *c = nncc_alloc(1, sizeof *c, "a CSV file's buffer");
    gzFile gz = c ? gzdopen(fd, "rb") : NULL;
    if (!gz) {
        close(fd);
        free(c);
        return nncc_fail_memory(CHUNK, "a CSV file's buffer");
    }
    c->gz = gz;
    c->path = strcmp(path, "-") == 0 ? "<standard input>" : path;
    c->line = c->column = 1;
    c->comment = o->comment == '\n' ? -1 : o->comment ? o->comment : '#';
    status = fill(c);
    if (status) {
        nncc_csv_close(c);
        return status;
    }
    skip_byte_order_mark(c);
    c->delimiter = delimiter ? delimiter : guess_delimiter(c);
    *out = c;
    return NN_OK;
}

void nncc_csv_close(nncc_csv *c)
{
    if (!c)
        return;
    gzclose(c->gz);
    free(c->text);
    free(c->field);
    free(c);
}
