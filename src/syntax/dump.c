/* dump.c: the tree, a line a node. */

#include "syntax/print_internal.h"

#include <stdarg.h>

typedef struct Dump {
    Arena *arena; /* for this dump alone */
    FILE *to;
    int indent;
} Dump;

static void line(Dump *d, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void line(Dump *d, const char *fmt, ...)
{
    va_list ap;

    fprintf(d->to, "%*s", 2 * d->indent, "");
    va_start(ap, fmt);
    vfprintf(d->to, fmt, ap);
    va_end(ap);
    fputc('\n', d->to);
}

static void dump(Dump *d, const Expr *e);

static void dump_in(Dump *d, const Expr *e)
{
    if (!e)
        return;
    d->indent++;
    dump(d, e);
    d->indent--;
}

static void dump_under(Dump *d, const char *label, const Expr *e)
{
    if (!e)
        return;
    line(d, "%s", label);
    dump_in(d, e);
}

/* A chain along `left` is one list: the first operand, then each operator
 * above its right operand. */
static void dump_binary(Dump *d, const Expr *e)
{
    const Expr *first;
    int n;
    const Expr **at = print_spine(d->arena, e, &n, &first);

    line(d, "binary");
    d->indent++;
    dump(d, first);
    for (int i = 0; i < n; i++)
        dump_under(d, print_binary_op(at[i]->binary.op), at[i]->binary.right);
    d->indent--;
}

static void dump_call(Dump *d, const Expr *e)
{
    line(d, "call");
    dump_in(d, e->call.fn);
    for (int i = 0; i < e->call.narg; i++) {
        const Arg *a = &e->call.arg[i];
        if (!a->name) {
            dump_in(d, a->value);
            continue;
        }
        d->indent++;
        dump_under(d, arena_printf(d->arena, "%s =", a->name), a->value);
        d->indent--;
    }
}

static void dump_index(Dump *d, const Expr *e)
{
    line(d, "index");
    dump_in(d, e->index.of);
    d->indent++;
    for (int i = 0; i < e->index.nsub; i++) {
        const Sub *s = &e->index.sub[i];
        if (!s->range) {
            dump(d, s->lo);
            continue;
        }
        line(d, s->rest ? "rest" : "range");
        d->indent++;
        dump_under(d, "from", s->lo);
        dump_under(d, "to", s->hi);
        dump_under(d, "step", s->step);
        d->indent--;
    }
    d->indent--;
}

static void dump_fn(Dump *d, const FnItem *fn)
{
    Str s = str_new(d->arena);

    print_params(fn, &s);
    line(d, "%s", s.at);
    dump_in(d, fn->body);
}

static void dump_block(Dump *d, const Block *b)
{
    line(d, "block");
    d->indent++;
    for (int i = 0; i < b->nstmt; i++) {
        const Stmt *st = &b->stmt[i];
        if (st->fn) {
            dump_fn(d, st->fn);
            continue;
        }
        Str s = str_new(d->arena);
        print_let(st, &s);
        dump_under(d, s.at, st->value);
    }
    dump(d, b->value);
    d->indent--;
}

static const char *kind_name(ExprKind k)
{
    static const char *const name[] = {
        [EX_tensor] = "tensor",      [EX_tuple] = "tuple",
        [EX_comp] = "comprehension", [EX_reduce] = "reduce",
        [EX_loop] = "loop",
    };
    return name[k];
}

static void dump_comp(Dump *d, const Expr *e)
{
    Str head = str_new(d->arena);

    str_printf(&head, "%s", kind_name(e->kind));
    if (e->comp.fn)
        print_end(e->comp.fn, " ", &head);
    line(d, "%s", head.at);
    d->indent++;
    for (int i = 0; i < e->comp.nbinder; i++) {
        Str s = str_new(d->arena);
        print_binder(&e->comp.binder[i], &s);
        line(d, "binder %s", s.at);
    }
    dump(d, e->comp.body);
    d->indent--;
}

static void dump_list(Dump *d, const Expr *e)
{
    line(d, "%s", kind_name(e->kind));
    for (int i = 0; i < e->list.n; i++)
        dump_in(d, e->list.at[i]);
}

static void dump_if(Dump *d, const Expr *e)
{
    line(d, "if");
    dump_in(d, e->cond.cond);
    dump_in(d, e->cond.then);
    dump_in(d, e->cond.other);
}

static void dump_leaf(Dump *d, const char *kind, const Expr *e)
{
    Str s = str_new(d->arena);

    expr_print(e, &s);
    line(d, "%s%s", kind, s.at);
}

static void dump(Dump *d, const Expr *e)
{
    switch (e->kind) {
    case EX_int:
    case EX_real:
    case EX_bool:
    case EX_error:
        dump_leaf(d, "", e);
        break;
    case EX_text:
        dump_leaf(d, "text ", e);
        break;
    case EX_name:
        dump_leaf(d, "name ", e);
        break;
    case EX_field:
        line(d, "field %s", e->field.name);
        dump_in(d, e->field.of);
        break;
    case EX_part:
        line(d, "part %d", e->field.part);
        dump_in(d, e->field.of);
        break;
    case EX_call:
        dump_call(d, e);
        break;
    case EX_index:
        dump_index(d, e);
        break;
    case EX_unary:
        line(d, "unary %s", print_unary_op(e->unary.op));
        dump_in(d, e->unary.of);
        break;
    case EX_binary:
        dump_binary(d, e);
        break;
    case EX_tensor:
    case EX_tuple:
        dump_list(d, e);
        break;
    case EX_if:
        dump_if(d, e);
        break;
    case EX_block:
        dump_block(d, e->block);
        break;
    case EX_fn:
        dump_fn(d, e->fn);
        break;
    case EX_comp:
    case EX_reduce:
    case EX_loop:
        dump_comp(d, e);
        break;
    }
}

static void dump_struct(Dump *d, const StructItem *st)
{
    Str s = str_new(d->arena);

    str_printf(&s, "struct %s", st->name);
    for (int i = 0; i < st->nparam; i++)
        str_printf(&s, "%s%s", i ? ", " : "[", st->param[i]);
    line(d, "%s%s", s.at, st->nparam ? "]" : "");
    d->indent++;
    for (int i = 0; i < st->nfield; i++) {
        const FieldEx *f = &st->field[i];
        Str t = str_new(d->arena);
        str_printf(&t, "%s: ", f->name);
        type_print(f->type, &t);
        if (f->init)
            print_end(f->init, f->random ? " ~ " : " = ", &t);
        line(d, "%s", t.at);
    }
    d->indent--;
}

static void dump_const(Dump *d, const Item *it)
{
    Str s = str_new(d->arena);

    str_printf(&s, "const %s", it->constant.name);
    if (it->constant.type) {
        str_printf(&s, ": ");
        type_print(it->constant.type, &s);
    }
    dump_under(d, s.at, it->constant.value);
}

static void dump_derivative(Dump *d, const Item *it)
{
    Str s = str_new(d->arena);

    for (int i = 0; i < it->derivative.ngiven; i++)
        str_printf(&s, " %s", it->derivative.given[i].name);
    line(d, "derivative, given%s", s.at);
    d->indent++;
    dump_fn(d, it->derivative.fn);
    d->indent--;
}

static void dump_train(Dump *d, const Item *it)
{
    line(d, "train %s by %s%s%s", it->train.loss, it->train.by,
         it->train.as ? " as " : "", it->train.as ? it->train.as : "");
    d->indent++;
    for (int i = 0; i < it->train.nfrozen; i++)
        dump_under(d, it->train.held, it->train.frozen[i]);
    for (int i = 0; i < it->train.nsetting; i++)
        dump_under(d, it->train.setting[i].name, it->train.setting[i].value);
    d->indent--;
}

static void dump_item(Dump *d, const Item *it)
{
    switch (it->kind) {
    case IT_use:
        line(d, "use %s%s%s", it->use.name, it->use.as ? " as " : "",
             it->use.as ? it->use.as : "");
        break;
    case IT_const:
        dump_const(d, it);
        break;
    case IT_struct:
        dump_struct(d, it->structure);
        break;
    case IT_fn:
        dump_fn(d, it->fn);
        break;
    case IT_derivative:
        dump_derivative(d, it);
        break;
    case IT_export:
        line(d, "export%s%s", it->export.as ? " as " : "",
             it->export.as ? it->export.as : "");
        dump_in(d, it->export.value);
        break;
    case IT_train:
        dump_train(d, it);
        break;
    }
}

void ast_dump(const Ast *ast, FILE *to)
{
    Dump d = {arena_new(), to, 0};

    for (int i = 0; i < ast->item.n; i++)
        dump_item(&d, ast->item.at[i]);
    arena_free(d.arena);
}
