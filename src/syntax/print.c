/* print.c: the tree as text, as a person would write it.
 *
 * Chains along `left` may be of any length: they are walked, not followed. */

#include "syntax/print_internal.h"

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

const char *print_binary_op(BinaryOp op) { return binary_ops[op].text; }

const char *print_unary_op(UnaryOp op) { return unary_ops[op]; }

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

const Expr **print_spine(Arena *a, const Expr *e, int *n, const Expr **first)
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
    const Expr **at = print_spine(to->arena, e, &n, &first);

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

/* With a mark of a real. */
static void print_real(double v, Str *to)
{
    const char *s = real_digits(to->arena, v, false, 1);

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

void print_end(const Expr *e, const char *before, Str *to)
{
    str_printf(to, "%s", before);
    if (e)
        expr_print(e, to);
}

static void print_sub(const Sub *s, Str *to)
{
    if (s->rest) {
        str_printf(to, "..");
        return;
    }
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

void print_params(const FnItem *fn, Str *to)
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

void print_let(const Stmt *s, Str *to)
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

void print_binder(const Binder *b, Str *to)
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
