/* walk.c: the parts of an expression. */
#include "syntax/ast.h"

static void each_block(const Block *b, ExprSeen *see, void *u)
{
    for (int i = 0; i < b->nstmt; i++)
        see(u, b->stmt[i].fn ? b->stmt[i].fn->body : b->stmt[i].value);
    see(u, b->value);
}

static void each_binder(const Expr *e, ExprSeen *see, void *u)
{
    for (int i = 0; i < e->comp.nbinder; i++) {
        see(u, e->comp.binder[i].bound);
        see(u, e->comp.binder[i].init);
    }
    see(u, e->comp.body);
}

static void each_sub(const Expr *e, ExprSeen *see, void *u)
{
    see(u, e->index.of);
    for (int i = 0; i < e->index.nsub; i++) {
        see(u, e->index.sub[i].lo);
        see(u, e->index.sub[i].hi);
        see(u, e->index.sub[i].step);
    }
}

void expr_each(const Expr *e, ExprSeen *see, void *u)
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
        see(u, e->field.of);
        break;
    case EX_call:
        see(u, e->call.fn);
        for (int i = 0; i < e->call.narg; i++)
            see(u, e->call.arg[i].value);
        break;
    case EX_index:
        each_sub(e, see, u);
        break;
    case EX_unary:
        see(u, e->unary.of);
        break;
    case EX_binary:
        for (; e->kind == EX_binary; e = e->binary.left)
            see(u, e->binary.right);
        see(u, e);
        break;
    case EX_tensor:
    case EX_tuple:
        for (int i = 0; i < e->list.n; i++)
            see(u, e->list.at[i]);
        break;
    case EX_if:
        see(u, e->cond.cond);
        see(u, e->cond.then);
        see(u, e->cond.other);
        break;
    case EX_block:
        each_block(e->block, see, u);
        break;
    case EX_fn:
        see(u, e->fn->body);
        break;
    case EX_comp:
    case EX_reduce:
    case EX_loop:
        each_binder(e, see, u);
        break;
    }
}
