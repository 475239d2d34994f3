/* report.c: how this room reports: errors with the calls that led to them. */
#include "check/scope.h"

#include <string.h>

const Value *check_fail(Check *c, Span at, const char *kind, const char *fmt,
                        ...)
{
    char *text, *next;
    va_list ap;

    va_start(ap, fmt);
    text = arena_vprintf(c->arena, fmt, ap);
    va_end(ap);
    next = strchr(text, '\n');
    diag(c->diags, at, kind, "%.*s", (int)strcspn(text, "\n"), text);
    while (next) {
        text = next + 1;
        next = strchr(text, '\n');
        diag_detail(c->diags, "%.*s", (int)strcspn(text, "\n"), text);
    }
    frame_notes(c);
    return c->error;
}

const Value *check_detail(Check *c, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    diag_detail(c->diags, "%s", arena_vprintf(c->arena, fmt, ap));
    va_end(ap);
    return c->error;
}

const Value *check_note(Check *c, Span at, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (at.end > 0)
        diag_note(c->diags, at, "%s", arena_vprintf(c->arena, fmt, ap));
    va_end(ap);
    return c->error;
}

static void note_field(Check *c, const Scope *s, const Expr *e)
{
    const Value *of = eval(c, s, e->field.of);
    const StructItem *item = of->kind == V_struct ? of->ty->def->item : NULL;
    int i = item ? struct_field(item, e->field.name) : -1;

    if (i >= 0)
        check_note(c, item->field[i].span, "'%s' is declared here",
                   e->field.name);
}

void check_declared(Check *c, const Scope *s, const Expr *e)
{
    if (!s || !e)
        return;
    if (e->kind == EX_name) {
        Found f = scope_lookup(c, s, e->name, e->span);

        if (f.local)
            check_note(c, f.local->span, "'%s' is declared here", e->name);
        else if (f.entry)
            check_note(c, f.entry->span, "'%s' is declared here", e->name);
    } else if (e->kind == EX_field && e->field.of->kind != EX_error) {
        note_field(c, s, e);
    }
}

const Value *check_is(Check *c, Span at, const Value *v)
{
    diag_label(c->diags, at, "%s", value_text(c, v));
    return c->error;
}

const Value *check_label(Check *c, const Scope *s, const Expr *e,
                         const Value *v)
{
    if (e) {
        check_is(c, e->span, v);
        check_declared(c, s, e);
    }
    return c->error;
}
