/* routine.c: machine code of routines (routine/routine.h): read once, word by
 * word, code being made on the way. */
#include <stdlib.h>
#include <string.h>

#include "emit/parallel.h"
#include "emit/prebuilt.h"
#include "emit/routine.h"

/* Words. */

const char *routine_word(const RoutineCode *c)
{
    return c->all->word.at[c->at];
}

static bool is(const RoutineCode *c, const char *word)
{
    return strcmp(routine_word(c), word) == 0;
}

bool routine_take(RoutineCode *c, const char *word)
{
    bool found = is(c, word);
    c->at += found;
    return found;
}

void routine_expect(RoutineCode *c, const char *word)
{
    if (!routine_take(c, word))
        die("routine: '%s' where '%s' is expected (word %d)", routine_word(c),
            word, c->at);
}

static RoutineType routine_type(RoutineCode *c)
{
    static const char *const name[] = {"void", "int", "real", "vec"};
    for (int t = 0; t < 4; t++)
        if (routine_take(c, name[t]))
            return routine_take(c, "*") ? RT_reals : (RoutineType)t;
    die("routine: '%s' is no type", routine_word(c));
}

static bool is_type(const RoutineCode *c)
{
    return is(c, "int") || is(c, "real") || is(c, "vec");
}

LLVMTypeRef routine_llvm(const RoutineCode *c, RoutineType t)
{
    switch (t) {
    case RT_void:
        return c->e->none;
    case RT_int:
        return c->e->i64;
    case RT_real:
        return c->one;
    case RT_vec:
        return c->vec;
    case RT_bool:
        return c->e->i1;
    case RT_reals:
        return c->e->ptr;
    }
    die("no such type: %d", (int)t);
}

/* Variables. */

static RoutineVar *new_var(RoutineCode *c, RoutineType t, const char *name)
{
    if (c->nvar == ROUTINE_VARS)
        die("routine: too many variables");
    RoutineVar *v = &c->var[c->nvar++];
    *v = (RoutineVar){.name = name, .t = t};
    return v;
}

RoutineVar *routine_var(RoutineCode *c, const char *name)
{
    for (int i = c->nvar; i-- > 0;)
        if (strcmp(c->var[i].name, name) == 0)
            return &c->var[i];
    return NULL;
}

static int align_of(const RoutineCode *c, RoutineType t)
{
    return t == RT_real || t == RT_vec ? dtype_size(c->t) : 8;
}

static void make_slot(RoutineCode *c, RoutineVar *v)
{
    v->slot = code_slot(c->e, routine_llvm(c, v->t), align_of(c, v->t));
}

RoutineValue routine_read(RoutineCode *c, const RoutineVar *v)
{
    if (v->array)
        return (RoutineValue){RT_reals, v->slot};
    LLVMTypeRef t = routine_llvm(c, v->t);
    return (RoutineValue){v->t, code_load(c->e, t, v->slot, align_of(c, v->t))};
}

static void write_var(RoutineCode *c, const RoutineVar *v, RoutineValue x)
{
    code_store(c->e, routine_as(c, x, v->t).v, v->slot, align_of(c, v->t));
}

/* Statements. */

static void statement(RoutineCode *c);

static bool ended(const RoutineCode *c)
{
    return LLVMGetBasicBlockTerminator(LLVMGetInsertBlock(c->e->builder));
}

static void go_to(const RoutineCode *c, LLVMBasicBlockRef to)
{
    if (!ended(c))
        LLVMBuildBr(c->e->builder, to);
}

static void begin_at(const RoutineCode *c, LLVMBasicBlockRef block)
{
    LLVMPositionBuilderAtEnd(c->e->builder, block);
}

static void declare_array(RoutineCode *c, const char *name)
{
    RoutineValue n = routine_expr(c);
    unsigned count = (unsigned)LLVMConstIntGetSExtValue(n.v);
    routine_expect(c, "]");
    RoutineVar *v = new_var(c, RT_reals, name);
    v->array = true;
    v->slot = code_slot(c->e, LLVMArrayType(c->one, count), 64);
}

static void declare_one(RoutineCode *c, RoutineType t)
{
    const char *name = routine_word(c);
    c->at++;
    if (routine_take(c, "[")) {
        declare_array(c, name);
        return;
    }
    RoutineValue x = {t, LLVMConstNull(routine_llvm(c, t))};
    if (routine_take(c, "="))
        x = routine_expr(c);
    RoutineVar *v = new_var(c, t, name);
    make_slot(c, v);
    write_var(c, v, x);
}

/* `int a = 1, b = n`, `real *x = a, *y` or `real work[64]`, behind its type. */
static void declare(RoutineCode *c, RoutineType t)
{
    declare_one(c, t);
    while (routine_take(c, ",")) {
        bool pointer = routine_take(c, "*");
        declare_one(c, pointer ? RT_reals : t == RT_reals ? RT_real : t);
    }
}

/* What `x op= y` stores. */
static RoutineValue updated(RoutineCode *c, RoutineValue old, const char *op)
{
    RoutineValue by = {RT_int, code_i64(c->e, 1)};
    if (op[1] == '=')
        by = routine_expr(c);
    return routine_binary(c, op[0], old, by);
}

static bool is_update(const char *s)
{
    return s[0] && s[1] && !s[2] && strchr("+-*/", s[0]) &&
           (s[1] == '=' || s[1] == s[0]);
}

static void assign_var(RoutineCode *c, RoutineVar *v)
{
    const char *op = routine_word(c);
    c->at++;
    if (strcmp(op, "=") == 0)
        write_var(c, v, routine_expr(c));
    else if (is_update(op))
        write_var(c, v, updated(c, routine_read(c, v), op));
    else
        die("routine: '%s' behind %s", op, v->name);
}

static void assign_element(RoutineCode *c, RoutineVar *v)
{
    RoutineValue i = routine_expr(c);
    routine_expect(c, "]");
    LLVMValueRef at = code_at(c->e, c->one, routine_read(c, v).v, i.v);
    const char *op = routine_word(c);
    int align = dtype_size(c->t);
    RoutineValue x;
    c->at++;
    if (is_update(op))
        x = updated(
            c, (RoutineValue){RT_real, code_load(c->e, c->one, at, align)}, op);
    else
        x = routine_expr(c);
    code_store(c->e, routine_as(c, x, RT_real).v, at, align);
}

/* A declaration, an assignment or a call. */
static void simple(RoutineCode *c)
{
    if (is_type(c)) {
        declare(c, routine_type(c));
        return;
    }
    RoutineVar *v = routine_var(c, routine_word(c));
    if (!v) {
        routine_expr(c);
        return;
    }
    c->at++;
    if (routine_take(c, "["))
        assign_element(c, v);
    else
        assign_var(c, v);
}

/* Goes past a statement without making code. */
static void skip_statement(RoutineCode *c)
{
    bool branch = is(c, "if");
    if (is(c, "{")) {
        c->at = routine_after(c->all, c->at);
        return;
    }
    if (branch || is(c, "for") || is(c, "while")) {
        c->at = routine_after(c->all, c->at + 1);
        skip_statement(c);
        if (branch && routine_take(c, "else"))
            skip_statement(c);
        return;
    }
    while (!routine_take(c, ";"))
        c->at++;
}

static void if_known(RoutineCode *c, bool holds)
{
    if (holds)
        statement(c);
    else
        skip_statement(c);
    if (!routine_take(c, "else"))
        return;
    if (holds)
        skip_statement(c);
    else
        statement(c);
}

static RoutineValue condition(RoutineCode *c)
{
    routine_expect(c, "(");
    RoutineValue x = routine_expr(c);
    routine_expect(c, ")");
    return routine_as(c, x, RT_bool);
}

static void if_statement(RoutineCode *c)
{
    RoutineValue x = condition(c);
    if (LLVMIsAConstantInt(x.v)) {
        if_known(c, LLVMConstIntGetZExtValue(x.v));
        return;
    }
    LLVMBasicBlockRef yes = code_block(c->e, "then"),
                      no = code_block(c->e, "else"),
                      on = code_block(c->e, "on");
    LLVMBuildCondBr(c->e->builder, x.v, yes, no);
    begin_at(c, yes);
    statement(c);
    go_to(c, on);
    begin_at(c, no);
    if (routine_take(c, "else"))
        statement(c);
    go_to(c, on);
    begin_at(c, on);
}

/* The body of a loop that is tested at its start, and (from words `step` on;
 * -1: none) what follows each round. */
static void loop_body(RoutineCode *c, LLVMValueRef more, LLVMBasicBlockRef head,
                      int step)
{
    LLVMBasicBlockRef body = code_block(c->e, "body"),
                      done = code_block(c->e, "done");
    LLVMBuildCondBr(c->e->builder, more, body, done);
    begin_at(c, body);
    statement(c);
    int end = c->at;
    if (step >= 0) {
        c->at = step;
        simple(c);
        c->at = end;
    }
    go_to(c, head);
    begin_at(c, done);
}

static LLVMBasicBlockRef loop_head(RoutineCode *c)
{
    LLVMBasicBlockRef head = code_block(c->e, "head");
    LLVMBuildBr(c->e->builder, head);
    begin_at(c, head);
    return head;
}

static void for_statement(RoutineCode *c)
{
    int open = c->at, nvar = c->nvar;
    routine_expect(c, "(");
    if (!is(c, ";"))
        simple(c);
    routine_expect(c, ";");
    LLVMBasicBlockRef head = loop_head(c);
    LLVMValueRef more = routine_as(c, routine_expr(c), RT_bool).v;
    routine_expect(c, ";");
    int step = c->at;
    c->at = routine_after(c->all, open);
    loop_body(c, more, head, step);
    c->nvar = nvar;
}

static void while_statement(RoutineCode *c)
{
    LLVMBasicBlockRef head = loop_head(c);
    LLVMValueRef more = condition(c).v;
    loop_body(c, more, head, -1);
}

static void return_statement(RoutineCode *c)
{
    if (routine_take(c, ";")) {
        LLVMBuildRetVoid(c->e->builder);
    } else {
        RoutineValue x = routine_as(c, routine_expr(c), c->result);
        routine_expect(c, ";");
        LLVMBuildRet(c->e->builder, x.v);
    }
}

static void block(RoutineCode *c)
{
    int nvar = c->nvar;
    while (!routine_take(c, "}"))
        statement(c);
    c->nvar = nvar;
}

static void statement(RoutineCode *c)
{
    if (ended(c)) /* behind a return */
        begin_at(c, code_block(c->e, "never"));
    if (routine_take(c, "{")) {
        block(c);
    } else if (routine_take(c, "if")) {
        if_statement(c);
    } else if (routine_take(c, "for")) {
        for_statement(c);
    } else if (routine_take(c, "while")) {
        while_statement(c);
    } else if (routine_take(c, "return")) {
        return_statement(c);
    } else {
        simple(c);
        routine_expect(c, ";");
    }
}

/* Functions. */

typedef struct Signature {
    RoutineType result, type[ROUTINE_ARGS];
    const char *name[ROUTINE_ARGS];
    int n;
} Signature;

static Signature signature(RoutineCode *c, const RoutineFn *f)
{
    Signature s = {.n = 0};
    int back = c->at;
    c->at = f->at;
    s.result = routine_type(c);
    c->at += 2;
    while (!routine_take(c, ")")) {
        s.type[s.n] = routine_type(c);
        s.name[s.n++] = routine_word(c);
        c->at++;
        routine_take(c, ",");
    }
    c->at = back;
    return s;
}

static Routines *routines_of(Emit *e)
{
    if (!e->routines)
        e->routines = routines_new(e->arena);
    return e->routines;
}

typedef struct RoutineOf {
    DType t;
    const RoutineFn *f;
} RoutineOf;

static RoutineCode *routine_code(Emit *e, const RoutineOf *of, Signature *s)
{
    RoutineCode *c = NEW(e->arena, RoutineCode);
    *c = (RoutineCode){
        .e = e, .all = routines_of(e), .t = of->t, .one = type_of(e, of->t)};
    c->wide = e->machine.has.vector_bytes ? 64 / dtype_size(c->t) : 1;
    c->vec = type_lanes(c->one, c->wide);
    *s = signature(c, of->f);
    c->result = s->result;
    return c;
}

static LLVMTypeRef routine_fn_type(Emit *e, const void *of)
{
    Signature s;
    const RoutineCode *c = routine_code(e, of, &s);
    LLVMTypeRef param[ROUTINE_ARGS];
    for (int i = 0; i < s.n; i++)
        param[i] = routine_llvm(c, s.type[i]);
    return LLVMFunctionType(routine_llvm(c, s.result), param, (unsigned)s.n,
                            false);
}

static void build_routine(Emit *e, const void *of, LLVMValueRef fn)
{
    Signature s;
    RoutineCode *c = routine_code(e, of, &s);
    for (int i = 0; i < s.n; i++) {
        RoutineVar *v = new_var(c, s.type[i], s.name[i]);
        make_slot(c, v);
        write_var(c, v, (RoutineValue){v->t, LLVMGetParam(fn, (unsigned)i)});
    }
    c->at = ((const RoutineOf *)of)->f->body;
    statement(c);
    if (!ended(c)) {
        if (s.result == RT_void)
            LLVMBuildRetVoid(e->builder);
        else
            LLVMBuildUnreachable(e->builder);
    }
}

/* Which functions a kernel needs. */

static const RoutineFn *routine_of(Emit *e, const char *name)
{
    const RoutineFn *f = routine_named(routines_of(e), name);
    if (!f)
        die("no routine %s", name);
    return f;
}

Helper routine_helper(Emit *e, const char *name, DType t)
{
    RoutineOf r = {t, routine_of(e, name)};
    return (Helper){.name =
                        arena_printf(e->arena, "%s_%s", name, dtype_name(t)),
                    .type = routine_fn_type,
                    .build = build_routine,
                    .of = arena_copy(e->arena, &r, sizeof r),
                    .weight = r.f->end - r.f->body};
}

RoutineType routine_result(Emit *e, const char *name)
{
    RoutineOf r = {DT_f64, routine_of(e, name)};
    Signature s;
    routine_code(e, &r, &s);
    return s.result;
}

void routine_helpers(Emit *e, const char *name, DType t, Helpers *h)
{
    const Routines *all = routines_of(e);
    const RoutineFn *f = routine_named(all, name);
    if (!helper_add(e, h, routine_helper(e, name, t)))
        return;
    for (int i = f->body; i < f->end; i++) {
        if (routine_named(all, all->word.at[i]))
            routine_helpers(e, all->word.at[i], t, h);
        routine_micro_helper(e, all->word.at[i], t, h);
    }
}

void routine_prebuild(Emit *e, Helpers *h)
{
    for (int op = 0; op < NOPS; op++)
        if (op_table[op]->cls == OPC_routine) {
            routine_helpers(e, op_table[op]->name, DT_f32, h);
            routine_helpers(e, op_table[op]->name, DT_f64, h);
        }
}

/* Kernels: the routine's parameters are how often, how, rows and columns of
 * each argument, the arguments, the result, room. */
void emit_routine(Emit *e, const RoutineCall *r, const KernelKey *key)
{
    LLVMValueRef fn = code_here(e), arg[ROUTINE_ARGS];
    LLVMValueRef *buffer = code_buffers(e, key, LLVMGetParam(fn, 0));
    DimEnv dims = dim_env_checked(e, key->var, key->nvar, LLVMGetParam(fn, 1));
    LLVMValueRef lo = kernel_lo(e, fn), hi = kernel_hi(e, fn);
    LLVMTypeRef one = type_of(e, r->out->dtype);
    int n = 0;
    arg[n++] = LLVMBuildSub(e->builder, hi, lo, "");
    arg[n++] = code_i64(e, r->how);
    for (int i = 0; i < 2 * r->nin; i++)
        arg[n++] = dim_code(e, &dims, r->size[i]);
    for (int i = 0; i < r->nin; i++) {
        LLVMValueRef size =
            LLVMBuildMul(e->builder, arg[2 + 2 * i], arg[3 + 2 * i], "");
        arg[n++] = code_at(e, one, buffer[r->in[i]->id],
                           LLVMBuildMul(e->builder, lo, size, ""));
    }
    LLVMValueRef size = dim_code(e, &dims, r->out_size);
    arg[n++] = code_at(e, one, buffer[r->out->id],
                       LLVMBuildMul(e->builder, lo, size, ""));
    arg[n++] = r->work ? buffer[r->work->id] : LLVMConstNull(e->ptr);
    Helper h = routine_helper(e, op_table[r->op]->name, r->out->dtype);
    code_call(e, helper_function(e, h), arg, n);
    LLVMBuildRet(e->builder, LLVMConstInt(e->i32, NN_OK, false));
}
