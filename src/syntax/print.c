/* print.c: the tree as text: a line a node, or as a person would write it.
 *
 * Chains along `left` may be of any length: they are walked, not followed. */

#include "syntax/ast.h"

#include <stdlib.h>
#include <string.h>

/* How tightly an expression holds together, as the grammar has it. */
typedef enum Level {
    LV_open, /* fn(x) = e */
    LV_or,
    LV_and,
    LV_compare,
    LV_add,
    LV_mul,
    LV_prefix,
    LV_pow,
    LV_postfix,
} Level;

static const struct {
    const char *text;
    Level level;
} binary_ops[] = {
    [BI_add] = {"+", LV_add},     [BI_sub] = {"-", LV_add},
    [BI_mul] = {"*", LV_mul},     [BI_div] = {"/", LV_mul},
    [BI_mod] = {"%", LV_mul},     [BI_pow] = {"^", LV_pow},
    [BI_matmul] = {"@", LV_mul},  [BI_lt] = {"<", LV_compare},
    [BI_le] = {"<=", LV_compare}, [BI_gt] = {">", LV_compare},
    [BI_ge] = {">=", LV_compare}, [BI_eq] = {"==", LV_compare},
    [BI_ne] = {"!=", LV_compare}, [BI_and] = {"&&", LV_and},
    [BI_or] = {"||", LV_or},
};

static const char *const unary_ops[] = {
    [UN_neg] = "-",
    [UN_not] = "!",
    [UN_transpose] = "'",
};

static Level level_of(const Expr *e)
{
    if (e->kind == EX_binary)
        return binary_ops[e->binary.op].level;
    if (e->kind == EX_unary)
        return e->unary.op == UN_transpose ? LV_postfix : LV_prefix;
    if (e->kind == EX_fn || e->kind == EX_if || e->kind == EX_block)
        return LV_open;
    return LV_postfix;
}

static void print_held(const Expr *e, Level least, Str *to)
{
    bool open = level_of(e) < least;

    str_printf(to, "%s", open ? "(" : "");
    expr_print(e, to);
    str_printf(to, "%s", open ? ")" : "");
}

/* What the left operand must hold at: '^' groups to the right, comparisons
 * not at all. */
static Level left_level(const Expr *e)
{
    Level own = level_of(e);

    return own == LV_pow || own == LV_compare ? own + 1 : own;
}

static Level right_level(const Expr *e)
{
    Level own = level_of(e);

    return own == LV_pow ? LV_prefix : own + 1;
}

static int spine_length(const Expr *e)
{
    int n = 0;

    for (; e->kind == EX_binary; e = e->binary.left)
        n++;
    return n;
}

/* The operators of a chain along `left`, innermost first; *first: what the
 * innermost one has on its left. */
static const Expr **spine_of(Arena *a, const Expr *e, int *n,
                             const Expr **first)
{
    *n = spine_length(e);
    const Expr **at = NEWN(a, const Expr *, *n);
    for (int i = *n; i-- > 0; e = e->binary.left)
        at[i] = e;
    *first = e;
    return at;
}

static void print_binary(const Expr *e, Str *to)
{
    const Expr *first;
    int n;
    const Expr **at = spine_of(to->arena, e, &n, &first);

    for (int i = n - 1; i > 0; i--)
        if (level_of(at[i - 1]) < left_level(at[i]))
            str_printf(to, "(");
    print_held(first, left_level(at[0]), to);
    for (int i = 0; i < n; i++) {
        bool tight = at[i]->binary.op == BI_pow;
        const char *space = tight ? "" : " ";
        str_printf(to, "%s%s%s", space, binary_ops[at[i]->binary.op].text,
                   space);
        print_held(at[i]->binary.right, right_level(at[i]), to);
        if (i + 1 < n && level_of(at[i]) < left_level(at[i + 1]))
            str_printf(to, ")");
    }
}

/* The fewest digits that read back exactly, with a mark of a real. */
static void print_real(double v, Str *to)
{
    char s[40];
    int digits = 1;

    do
        snprintf(s, sizeof s, "%.*g", digits, v);
    while (strtod(s, NULL) != v && ++digits <= 17);
    str_printf(to, "%s%s", s, strpbrk(s, ".e") ? "" : ".0");
}

static void print_list(Expr *const *at, int n, Str *to)
{
    for (int i = 0; i < n; i++) {
        str_printf(to, "%s", i ? ", " : "");
        expr_print(at[i], to);
    }
}

static void print_args(const Expr *e, Str *to)
{
    print_held(e->call.fn, LV_postfix, to);
    str_printf(to, "(");
    for (int i = 0; i < e->call.narg; i++) {
        const Arg *a = &e->call.arg[i];
        str_printf(to, "%s", i ? ", " : "");
        if (a->name)
            str_printf(to, "%s = ", a->name);
        expr_print(a->value, to);
    }
    str_printf(to, ")");
}

static void print_end(const Expr *e, const char *before, Str *to)
{
    str_printf(to, "%s", before);
    if (e)
        expr_print(e, to);
}

static void print_sub(const Sub *s, Str *to)
{
    print_end(s->lo, "", to);
    if (s->range)
        print_end(s->hi, ":", to);
    if (s->step)
        print_end(s->step, ":", to);
}

static void print_index(const Expr *e, Str *to)
{
    print_held(e->index.of, LV_postfix, to);
    str_printf(to, "[");
    for (int i = 0; i < e->index.nsub; i++) {
        str_printf(to, "%s", i ? ", " : "");
        print_sub(&e->index.sub[i], to);
    }
    str_printf(to, "]");
}

static void print_unary(const Expr *e, Str *to)
{
    bool after = e->unary.op == UN_transpose;

    str_printf(to, "%s", after ? "" : unary_ops[e->unary.op]);
    print_held(e->unary.of, after ? LV_postfix : LV_prefix, to);
    str_printf(to, "%s", after ? unary_ops[e->unary.op] : "");
}

static void print_params(const FnItem *fn, Str *to)
{
    str_printf(to, "fn%s%s", fn->name ? " " : "", fn->name ? fn->name : "");
    for (int i = 0; i < fn->ntype_param; i++)
        str_printf(to, "%s%s%s", i ? ", " : "[", fn->type_param[i].name,
                   fn->type_param[i].real ? ": real" : "");
    str_printf(to, "%s(", fn->ntype_param ? "]" : "");
    for (int i = 0; i < fn->nparam; i++) {
        const ParamEx *p = &fn->param[i];
        str_printf(to, "%s%s", i ? ", " : "", p->name);
        if (p->type) {
            str_printf(to, ": ");
            type_print(p->type, to);
        }
        if (p->init)
            print_end(p->init, " = ", to);
    }
    str_printf(to, ")");
    if (fn->result) {
        str_printf(to, " -> ");
        type_print(fn->result, to);
    }
}

static void print_fn(const FnItem *fn, Str *to)
{
    print_params(fn, to);
    str_printf(to, fn->body->kind == EX_block ? " " : " = ");
    expr_print(fn->body, to);
    if (fn->name && fn->body->kind != EX_block)
        str_printf(to, ";");
}

/* x, (p, (q, r)) */
static void print_pattern(const Pattern *p, Str *to)
{
    if (p->name) {
        str_printf(to, "%s", p->name);
        return;
    }
    for (int i = 0; i < p->npart; i++) {
        str_printf(to, i ? ", " : "(");
        print_pattern(&p->part[i], to);
    }
    str_printf(to, ")");
}

/* let x: type */
static void print_let(const Stmt *s, Str *to)
{
    str_printf(to, "let ");
    print_pattern(&s->pattern, to);
    if (s->type) {
        str_printf(to, ": ");
        type_print(s->type, to);
    }
}

static void print_block(const Block *b, Str *to)
{
    str_printf(to, "{ ");
    for (int i = 0; i < b->nstmt; i++) {
        const Stmt *s = &b->stmt[i];
        if (s->fn) {
            print_fn(s->fn, to);
        } else {
            print_let(s, to);
            print_end(s->value, " = ", to);
            str_printf(to, ";");
        }
        str_printf(to, " ");
    }
    expr_print(b->value, to);
    str_printf(to, " }");
}

static void print_binder(const Binder *b, Str *to)
{
    str_printf(to, "%s", b->name);
    if (b->bound) {
        str_printf(to, " < ");
        print_held(b->bound, LV_add, to);
    }
    if (b->init)
        print_end(b->init, " = ", to);
}

static void print_comp(const Expr *e, Str *to)
{
    if (e->comp.fn)
        print_held(e->comp.fn, LV_postfix, to);
    str_printf(to, e->comp.fn ? "(" : "[");
    for (int i = 0; i < e->comp.nbinder; i++) {
        str_printf(to, "%s", i ? ", " : "");
        print_binder(&e->comp.binder[i], to);
    }
    print_end(e->comp.body, " | ", to);
    str_printf(to, e->comp.fn ? ")" : "]");
}

static void print_if(const Expr *e, Str *to)
{
    print_end(e->cond.cond, "if ", to);
    print_end(e->cond.then, " ", to);
    print_end(e->cond.other, " else ", to);
}

void expr_print(const Expr *e, Str *to)
{
    switch (e->kind) {
    case EX_int:
        str_printf(to, "%lld", (long long)e->integer);
        break;
    case EX_real:
        print_real(e->real, to);
        break;
    case EX_bool:
        str_printf(to, e->boolean ? "true" : "false");
        break;
    case EX_text:
        str_printf(to, "\"%s\"", e->name);
        break;
    case EX_name:
        str_printf(to, "%s", e->name);
        break;
    case EX_field:
        print_held(e->field.of, LV_postfix, to);
        str_printf(to, ".%s", e->field.name);
        break;
    case EX_part:
        print_held(e->field.of, LV_postfix, to);
        str_printf(to, ".%d", e->field.part);
        break;
    case EX_call:
        print_args(e, to);
        break;
    case EX_index:
        print_index(e, to);
        break;
    case EX_unary:
        print_unary(e, to);
        break;
    case EX_binary:
        print_binary(e, to);
        break;
    case EX_tensor:
    case EX_tuple:
        str_printf(to, e->kind == EX_tensor ? "[" : "(");
        print_list(e->list.at, e->list.n, to);
        str_printf(to, e->kind == EX_tensor ? "]" : ")");
        break;
    case EX_if:
        print_if(e, to);
        break;
    case EX_block:
        print_block(e->block, to);
        break;
    case EX_fn:
        print_fn(e->fn, to);
        break;
    case EX_comp:
    case EX_reduce:
    case EX_loop:
        print_comp(e, to);
        break;
    case EX_error:
        str_printf(to, "<error>");
        break;
    }
}

static void print_types(TypeEx *const *at, int n, Str *to)
{
    str_printf(to, "(");
    for (int i = 0; i < n; i++) {
        str_printf(to, "%s", i ? ", " : "");
        type_print(at[i], to);
    }
    str_printf(to, ")");
}

static void print_named(const TypeEx *t, Str *to)
{
    str_printf(to, "%s%s%s", t->module ? t->module : "", t->module ? "." : "",
               t->name);
    if (!t->has_args)
        return;
    str_printf(to, "[%s%s", t->leading ? ".." : "",
               t->leading && t->narg ? ", " : "");
    print_list(t->arg, t->narg, to);
    str_printf(to, "]");
}

void type_print(const TypeEx *t, Str *to)
{
    switch (t->kind) {
    case TE_name:
        print_named(t, to);
        break;
    case TE_tuple:
        print_types(t->part, t->npart, to);
        break;
    case TE_stack:
        str_printf(to, "[");
        type_print(t->part[0], to);
        print_end(t->arg[0], "; ", to);
        str_printf(to, "]");
        break;
    case TE_fn:
        str_printf(to, "fn");
        print_types(t->part, t->npart, to);
        str_printf(to, " -> ");
        type_print(t->result, to);
        break;
    }
}

/* The tree */

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
    const Expr **at = spine_of(d->arena, e, &n, &first);

    line(d, "binary");
    d->indent++;
    dump(d, first);
    for (int i = 0; i < n; i++)
        dump_under(d, binary_ops[at[i]->binary.op].text, at[i]->binary.right);
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
        line(d, "range");
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
        line(d, "unary %s", unary_ops[e->unary.op]);
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
    line(d, "train %s by %s", it->train.loss, it->train.by);
    d->indent++;
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
