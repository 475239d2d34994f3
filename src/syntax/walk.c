/* walk.c: the parts of an expression. */
#include "syntax/ast.h"

static void see(const ExprVisitor *v, const Expr *e)
{
    if (e)
        v->part(v->u, e);
}

static void give(const ExprVisitor *v, const char *name)
{
    if (name && v->name)
        v->name(v->u, name);
}

static void each_pattern(const Pattern *p, const ExprVisitor *v)
{
    give(v, p->name);
    for (int i = 0; i < p->npart; i++)
        each_pattern(&p->part[i], v);
}

static void each_fn(const FnItem *fn, const ExprVisitor *v)
{
    for (int i = 0; i < fn->nparam; i++) {
        give(v, fn->param[i].name);
        see(v, fn->param[i].init);
    }
    see(v, fn->body);
}

static void each_block(const Block *b, const ExprVisitor *v)
{
    for (int i = 0; i < b->nstmt; i++) {
        const Stmt *s = &b->stmt[i];

        if (s->fn) {
            give(v, s->fn->name);
            each_fn(s->fn, v);
            continue;
        }
        see(v, s->value);
        each_pattern(&s->pattern, v);
    }
    see(v, b->value);
}

static void each_comp(const Expr *e, const ExprVisitor *v)
{
    for (int i = 0; i < e->comp.nbinder; i++) {
        const Binder *b = &e->comp.binder[i];

        give(v, b->name);
        see(v, b->bound);
        see(v, b->init);
    }
    see(v, e->comp.body);
}

/* A chain is as long as it likes, and has its last operand first. */
static void each_operand(const Expr *e, const ExprVisitor *v)
{
    for (; e->kind == EX_binary; e = e->binary.left)
        see(v, e->binary.right);
    see(v, e);
}

void expr_each(const Expr *e, const ExprVisitor *v)
{
    switch (e->kind) {
    case EX_int:
    case EX_real:
    case EX_bool:
    case EX_text:
    case EX_name:
    case EX_error:
        break;
    case EX_field:
    case EX_part:
        see(v, e->field.of);
        break;
    case EX_call:
        see(v, e->call.fn);
        for (int i = 0; i < e->call.narg; i++)
            see(v, e->call.arg[i].value);
        break;
    case EX_index:
        see(v, e->index.of);
        for (int i = 0; i < e->index.nsub; i++) {
            see(v, e->index.sub[i].lo);
            see(v, e->index.sub[i].hi);
            see(v, e->index.sub[i].step);
        }
        break;
    case EX_unary:
        see(v, e->unary.of);
        break;
    case EX_binary:
        each_operand(e, v);
        break;
    case EX_tensor:
    case EX_tuple:
        for (int i = 0; i < e->list.n; i++)
            see(v, e->list.at[i]);
        break;
    case EX_if:
        see(v, e->cond.cond);
        see(v, e->cond.then);
        see(v, e->cond.other);
        break;
    case EX_block:
        each_block(e->block, v);
        break;
    case EX_fn:
        each_fn(e->fn, v);
        break;
    case EX_comp:
    case EX_reduce:
    case EX_loop:
        each_comp(e, v);
        break;
    }
}
