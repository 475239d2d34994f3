/* function.c: the code of one schedule: checks, addresses, kernels in order. */

#include "emit/parallel.h"

/* What all parts of one function share. */
typedef struct FunctionCode {
    Emit *e;
    const Schedule *s;
    const char *prefix;
    DimEnv dims;
    SizeChecks sizes;
    LLVMValueRef check;  /* i1 PREFIX__check(ptr dims): is a size not valid;
                            NULL where all are */
    LLVMValueRef refuse; /* i32 PREFIX__refuse(ptr dims, ptr exec): tells which
                            and returns the status */
    LLVMValueRef leaf, workspace, bufs, kernel_dims;
    LLVMValueRef threads;  /* exec: see KernelCall */
    const Buffer **held;   /* what is in bufs; NULL: not known */
    Map flags;             /* LLVMValueRef: conditions loaded, by buffer */
    LLVMBasicBlockRef out; /* where a status is returned */
    LLVMValueRef status;   /* its phi */
    /* Where a kernel's status goes, of which a number is taken off; or NULL. */
    LLVMBasicBlockRef stop;
    LLVMValueRef stopped; /* its phi */
    int ncheck;           /* in the kernels so far */
    int most_dims;        /* of a kernel; then what it tells of a check */
} FunctionCode;

static LLVMValueRef begin(FunctionCode *f, const char *suffix,
                          LLVMTypeRef result, LLVMTypeRef *param, int nparam)
{
    Emit *e = f->e;
    const char *name = arena_printf(e->arena, "%s__%s", f->prefix, suffix);
    LLVMValueRef fn = code_function(
        e, name, LLVMFunctionType(result, param, (unsigned)nparam, false));
    code_begin(e, fn);
    return fn;
}

static void load_dims(FunctionCode *f, LLVMValueRef dims)
{
    const Function *fn = f->s->function;
    f->dims = dim_env(f->e, fn->var, fn->nvar, dims);
    for (int i = 0; i < fn->nvar; i++)
        if (!function_has_size(fn, i))
            f->dims.value[i] = code_at_least(f->e, f->dims.value[i], 0);
}

static LLVMValueRef also(Emit *e, LLVMValueRef ok, LLVMValueRef more)
{
    return LLVMBuildAnd(e->builder, ok, more, "");
}

static LLVMValueRef either(Emit *e, LLVMValueRef a, LLVMValueRef b)
{
    return !a ? b : !b ? a : LLVMBuildOr(e->builder, a, b, "");
}

static LLVMValueRef above(Emit *e, LLVMValueRef v, int64_t most)
{
    return LLVMBuildICmp(e->builder, LLVMIntUGT, v, code_i64(e, most), "");
}

/* An i1; *zero: NULL, or whether it divides by 0. */
static LLVMValueRef is_bad(FunctionCode *f, const SizeCheck *c,
                           LLVMValueRef *zero)
{
    Emit *e = f->e;
    *zero = NULL;
    if (dim_is_var(c->dim)) /* below 0 is large without a sign */
        return above(e, dim_code(e, &f->dims, c->dim), c->most);
    if (c->divides)
        *zero = dim_code_zero(e, &f->dims, c->dim);
    /* Below 0 only if a variable is. */
    return dim_code_exceeds(e, &f->dims, c->dim, c->most,
                            !dim_never_negative(c->dim));
}

/* i1: is one not valid. Variables of the usual limit are compared at once. */
static void emit_check(FunctionCode *f)
{
    Emit *e = f->e;
    LLVMValueRef bad = NULL, low = NULL, zero;
    f->check = begin(f, "check", e->i1, &e->ptr, 1);
    load_dims(f, LLVMGetParam(f->check, 0));
    for (int i = 0; i < f->sizes.n; i++) {
        const SizeCheck *c = &f->sizes.at[i];
        if (dim_is_var(c->dim) && c->most == INT32_MAX)
            low = either(e, low, dim_code(e, &f->dims, c->dim));
    }
    if (low)
        bad = above(e, low, INT32_MAX);
    for (int i = 0; i < f->sizes.n; i++) {
        const SizeCheck *c = &f->sizes.at[i];
        if (dim_is_var(c->dim) && c->most == INT32_MAX)
            continue;
        bad = either(e, bad, is_bad(f, c, &zero));
        bad = either(e, bad, zero);
    }
    LLVMBuildRet(e->builder, bad);
}

/* Of the last size seen that is not valid: its number among the places, what
 * it is and what it is to be below. */
typedef struct Told {
    LLVMValueRef place, value, limit;
} Told;

static void tell_if(Emit *e, Told *t, LLVMValueRef bad, Told other)
{
    LLVMBuilderRef b = e->builder;
    t->place = LLVMBuildSelect(b, bad, other.place, t->place, "");
    t->value = LLVMBuildSelect(b, bad, other.value, t->value, "");
    t->limit = LLVMBuildSelect(b, bad, other.limit, t->limit, "");
}

/* The first size that is not valid; one is. */
static Told find_bad(FunctionCode *f)
{
    Emit *e = f->e;
    CheckList before = {0};
    LLVMValueRef none = code_i64(e, 0), zero;
    Told t = {LLVMConstNull(e->i32), none, none};
    schedule_checks(e->arena, f->s, &before);
    for (int i = f->sizes.n - 1; i >= 0; i--) {
        const SizeCheck *c = &f->sizes.at[i];
        unsigned place = (unsigned)(before.n + i);
        LLVMValueRef bad = is_bad(f, c, &zero);
        Told other = {LLVMConstInt(e->i32, place, false),
                      dim_code(e, &f->dims, c->dim), code_i64(e, c->most + 1)};
        tell_if(e, &t, bad, other);
        other.limit = none;
        if (zero)
            tell_if(e, &t, zero, other);
    }
    return t;
}

static void emit_workspace(FunctionCode *f)
{
    Emit *e = f->e;
    LLVMValueRef fn = begin(f, "workspace", e->i64, &e->ptr, 1);
    LLVMValueRef dims = LLVMGetParam(fn, 0);
    load_dims(f, dims);
    LLVMValueRef none = code_i64(e, 0);
    LLVMValueRef n =
        f->s->workspace ? dim_code(e, &f->dims, f->s->workspace) : none;
    if (f->check)
        n = LLVMBuildSelect(e->builder, code_call(e, f->check, &dims, 1), none,
                            n, "");
    LLVMBuildRet(e->builder, n);
}

static int put_sizes(FunctionCode *f, const Port *p, int nport, LLVMValueRef to,
                     int n)
{
    Emit *e = f->e;
    for (int i = 0; i < nport; i++)
        for (int j = 0; j < p[i].nleaf; j++)
            for (int d = 0; d < p[i].leaf[j]->rank; d++) {
                LLVMValueRef at = code_at(e, e->i64, to, code_i64(e, n++));
                code_store(e, dim_code(e, &f->dims, p[i].leaf[j]->dim[d]), at,
                           8);
            }
    return n;
}

static void emit_sizes(FunctionCode *f)
{
    Emit *e = f->e;
    const Function *s = f->s->function;
    LLVMTypeRef param[] = {e->ptr, e->ptr};
    LLVMValueRef fn = begin(f, "sizes", e->none, param, 2);
    LLVMValueRef to = LLVMGetParam(fn, 1);
    load_dims(f, LLVMGetParam(fn, 0));
    int n = put_sizes(f, s->param, s->nparam, to, 0);
    put_sizes(f, s->result, s->nresult, to, n);
    LLVMBuildRetVoid(e->builder);
}

/* Returns the status where `bad` holds; goes on where not. */
static void fail_if(FunctionCode *f, LLVMValueRef bad, LLVMValueRef status)
{
    Emit *e = f->e;
    LLVMBasicBlockRef here = LLVMGetInsertBlock(e->builder);
    LLVMBasicBlockRef on = code_block(e, "");
    LLVMBuildCondBr(e->builder, bad, f->out, on);
    LLVMAddIncoming(f->status, &status, &here, 1);
    LLVMPositionBuilderAtEnd(e->builder, on);
}

static void fail_if_is(FunctionCode *f, LLVMValueRef bad, int status)
{
    fail_if(f, bad, LLVMConstInt(f->e->i32, (unsigned)status, false));
}

static LLVMValueRef member(Emit *e, LLVMValueRef base, int64_t offset)
{
    return code_at(e, e->i8, base, code_i64(e, offset));
}

/* Goes on in a new block if ok, else at `no`. */
static void only_if(Emit *e, LLVMValueRef ok, LLVMBasicBlockRef no)
{
    LLVMBasicBlockRef yes = code_block(e, "");
    LLVMBuildCondBr(e->builder, ok, yes, no);
    LLVMPositionBuilderAtEnd(e->builder, yes);
}

/* exec->error, if the caller has one, gets the place and the two numbers that
 * are told of it. */
static void tell_error(Emit *e, LLVMValueRef exec, LLVMValueRef place,
                       LLVMValueRef told, LLVMBasicBlockRef done)
{
    LLVMBuilderRef b = e->builder;
    int64_t pointer = LLVMPointerSize(e->machine.layout), at = 8 + 2 * pointer;
    LLVMValueRef size = LLVMConstInt(e->i32, (unsigned)(at + pointer), false);
    only_if(e, LLVMBuildIsNotNull(b, exec, ""), done);
    only_if(
        e,
        LLVMBuildICmp(b, LLVMIntUGE, code_load(e, e->i32, exec, 4), size, ""),
        done);
    LLVMValueRef error =
        code_load(e, e->ptr, member(e, exec, at), (int)pointer);
    only_if(e, LLVMBuildIsNotNull(b, error, ""), done);
    code_store(e, place, member(e, error, 4), 4);
    for (int i = 0; i < CHECK_ROOM; i++) {
        LLVMValueRef to = member(e, error, 8 + 8 * i);
        LLVMValueRef from = code_at(e, e->i64, told, code_i64(e, i));
        code_store(e, code_load(e, e->i64, from, 8), to, 8);
    }
    LLVMBuildBr(b, done);
}

/* Which size it is is looked for only where one is not valid. */
static void emit_refuse(FunctionCode *f)
{
    Emit *e = f->e;
    LLVMTypeRef param[] = {e->ptr, e->ptr};
    f->refuse = begin(f, "refuse", e->i32, param, 2);
    load_dims(f, LLVMGetParam(f->refuse, 0));
    LLVMValueRef told = code_slot(e, LLVMArrayType(e->i64, CHECK_ROOM), 8);
    LLVMBasicBlockRef done = code_block(e, "told");
    Told t = find_bad(f);
    check_tell(e, told, 0, t.value, t.limit);
    tell_error(e, LLVMGetParam(f->refuse, 1), t.place, told, done);
    LLVMPositionBuilderAtEnd(e->builder, done);
    LLVMBuildRet(e->builder, LLVMConstInt(e->i32, NN_ERR_DIM, false));
}

static void check_sizes(FunctionCode *f, LLVMValueRef dims, LLVMValueRef exec)
{
    Emit *e = f->e;
    if (!f->check)
        return;
    LLVMBasicBlockRef bad = code_block(e, "bad"), on = code_block(e, "");
    LLVMValueRef arg[] = {dims, exec};
    LLVMBuildCondBr(e->builder, code_call(e, f->check, &dims, 1), bad, on);
    LLVMPositionBuilderAtEnd(e->builder, bad);
    LLVMValueRef status = code_call(e, f->refuse, arg, 2);
    LLVMBuildBr(e->builder, f->out);
    LLVMAddIncoming(f->status, &status, &bad, 1);
    LLVMPositionBuilderAtEnd(e->builder, on);
}

static LLVMValueRef is_null(Emit *e, LLVMValueRef p)
{
    return LLVMBuildIsNull(e->builder, p, "");
}

static LLVMValueRef load_leaf(FunctionCode *f, int number)
{
    Emit *e = f->e;
    return code_load(e, e->ptr,
                     code_at(e, e->ptr, f->leaf, code_i64(e, number)), 8);
}

/* Is some leaf of these ports null that has elements? *number counts leaves. */
static LLVMValueRef some_null(FunctionCode *f, const Port *p, int nport,
                              int *number, LLVMValueRef bad)
{
    Emit *e = f->e;
    LLVMBuilderRef b = e->builder;
    for (int i = 0; i < nport; i++)
        for (int j = 0; j < p[i].nleaf; j++, ++*number) {
            if (p[i].in_place >= 0)
                continue;
            LLVMValueRef null = is_null(e, load_leaf(f, *number));
            const Node *n = p[i].leaf[j];
            for (int d = 0; d < n->rank; d++) {
                LLVMValueRef size = dim_code(e, &f->dims, n->dim[d]);
                null =
                    also(e, null,
                         LLVMBuildICmp(b, LLVMIntNE, size, code_i64(e, 0), ""));
            }
            bad = either(e, bad, null);
        }
    return bad;
}

static void check_arguments(FunctionCode *f, LLVMValueRef dims,
                            LLVMValueRef exec)
{
    Emit *e = f->e;
    const Function *fn = f->s->function;
    if (fn->nvar)
        fail_if_is(f, is_null(e, dims), NN_ERR_NULL);
    check_sizes(f, dims, exec);
    if (ports_leaves(fn->param, fn->nparam) +
        ports_leaves(fn->result, fn->nresult))
        fail_if_is(f, is_null(e, f->leaf), NN_ERR_NULL);
    load_dims(f, dims);
    int number = 0;
    LLVMValueRef bad = some_null(f, fn->param, fn->nparam, &number, NULL);
    bad = some_null(f, fn->result, fn->nresult, &number, bad);
    if (bad)
        fail_if_is(f, bad, NN_ERR_NULL);
}

static void check_workspace(FunctionCode *f)
{
    Emit *e = f->e;
    LLVMBuilderRef b = e->builder;
    if (!f->s->workspace || dim_is(f->s->workspace, 0))
        return;
    LLVMValueRef n = dim_code(e, &f->dims, f->s->workspace);
    LLVMValueRef needed = LLVMBuildICmp(b, LLVMIntNE, n, code_i64(e, 0), "");
    LLVMValueRef address = LLVMBuildPtrToInt(b, f->workspace, e->i64, "");
    LLVMValueRef low = LLVMBuildAnd(b, address, code_i64(e, 63), "");
    LLVMValueRef odd = LLVMBuildICmp(b, LLVMIntNE, low, code_i64(e, 0), "");
    LLVMValueRef bad = LLVMBuildOr(b, is_null(e, f->workspace), odd, "");
    fail_if_is(f, also(e, needed, bad), NN_ERR_WORKSPACE);
}

static LLVMValueRef buffer_address(FunctionCode *f, const Buffer *b)
{
    Emit *e = f->e;
    switch (b->kind) {
    case BUF_LEAF:
        return load_leaf(f, b->leaf);
    case BUF_WORK:
        return code_at(e, e->i8, f->workspace,
                       dim_code(e, &f->dims, b->offset));
    case BUF_DATA:
        return emit_data(e, b);
    }
    die("no such buffer: %d", (int)b->kind);
}

LLVMValueRef kernel_range(Emit *e, DimEnv *dims, const Kernel *k)
{
    const Dim *d = NULL;
    switch (k->kind) {
    case KERNEL_map:
        d = k->rank ? k->extent[0] : NULL;
        break;
    case KERNEL_contract:
        d = k->contract->nbatch ? k->extent[0] : k->contract->m;
        break;
    case KERNEL_sort:
        d = k->sort->rows;
        break;
    case KERNEL_routine:
        d = k->routine->rows;
        break;
    case KERNEL_loop:
        break;
    }
    return d ? dim_code(e, dims, d) : code_i64(e, 1);
}

/* A condition, loaded when first asked for: by then it is what it will be. */
static LLVMValueRef flag(FunctionCode *f, const Buffer *b)
{
    Emit *e = f->e;
    LLVMValueRef v = map_of(&f->flags, b);
    if (!v) {
        v = code_load(e, e->i8, buffer_address(f, b), 1);
        map_set(e->arena, &f->flags, b, v);
    }
    return v;
}

/* An i1: every guard has the value that it should. */
static LLVMValueRef guards_hold(FunctionCode *f, const Kernel *k)
{
    Emit *e = f->e;
    LLVMValueRef ok = NULL;
    for (int i = 0; i < k->nguard; i++) {
        LLVMValueRef is =
            LLVMBuildICmp(e->builder, k->when[i] ? LLVMIntNE : LLVMIntEQ,
                          flag(f, k->guard[i]), LLVMConstNull(e->i8), "");
        ok = ok ? also(e, ok, is) : is;
    }
    return ok;
}

static void put_argument(FunctionCode *f, LLVMTypeRef type, LLVMValueRef to,
                         int i, LLVMValueRef v)
{
    Emit *e = f->e;
    code_store_in_order(e, v, code_at(e, type, to, code_i64(e, i)));
}

/* Those that are not in the list already; maybe: this code may be passed by. */
static void put_buffers(FunctionCode *f, const KernelKey *key, bool maybe)
{
    for (int i = 0; i < key->nbuffer; i++) {
        if (f->held[i] == key->buffer[i])
            continue;
        put_argument(f, f->e->ptr, f->bufs, i,
                     buffer_address(f, key->buffer[i]));
        f->held[i] = maybe ? NULL : key->buffer[i];
    }
}

/* A kernel without checks cannot fail. */
static void stop_if_bad(FunctionCode *f, const Kernel *k, LLVMValueRef status)
{
    Emit *e = f->e;
    int n = kernel_ncheck(k);
    if (!n)
        return;
    LLVMValueRef bad = LLVMBuildIsNotNull(e->builder, status, "");
    LLVMValueRef own = check_shifted(e, status, f->ncheck);
    LLVMBasicBlockRef here = LLVMGetInsertBlock(e->builder);
    LLVMBasicBlockRef on = code_block(e, "");
    LLVMBuildCondBr(e->builder, bad, f->stop, on);
    LLVMAddIncoming(f->stopped, &own, &here, 1);
    LLVMPositionBuilderAtEnd(e->builder, on);
    f->ncheck += n;
}

/* The counter of one kernel's cycles; number: its place in the schedule. */
static LLVMValueRef time_slot(FunctionCode *f, int number)
{
    Emit *e = f->e;
    const char *name = arena_printf(e->arena, "%s__times", f->prefix);
    LLVMValueRef all = LLVMGetNamedGlobal(e->module, name);
    if (!all) {
        LLVMTypeRef type = LLVMArrayType(e->i64, (unsigned)f->s->kernel.n);
        all = LLVMAddGlobal(e->module, type, name);
        LLVMSetInitializer(all, LLVMConstNull(type));
    }
    return code_at(e, e->i64, all, code_i64(e, number));
}

static LLVMValueRef cycles(Emit *e)
{
    return code_intrinsic(e, "llvm.readcyclecounter", NULL, 0, NULL, 0);
}

/* What it gives goes into the counter if somebody asked for times. */
static LLVMValueRef timed_call(FunctionCode *f, int number, const KernelCall *c)
{
    Emit *e = f->e;
    if (!e->times)
        return kernel_call(c);
    LLVMValueRef slot = time_slot(f, number), before = cycles(e);
    LLVMValueRef given = kernel_call(c);
    LLVMValueRef took = LLVMBuildSub(e->builder, cycles(e), before, "");
    LLVMValueRef sum =
        LLVMBuildAdd(e->builder, code_load(e, e->i64, slot, 8), took, "");
    code_store(e, sum, slot, 8);
    return given;
}

static void call_kernel(FunctionCode *f, int number)
{
    const Kernel *k = f->s->kernel.at[number];
    Emit *e = f->e;
    const KernelKey *key = &unit_use(e, k)->key;
    LLVMBasicBlockRef after = NULL;
    if (k->nguard) {
        LLVMBasicBlockRef run = code_block(e, "run");
        after = code_block(e, "after");
        LLVMBuildCondBr(e->builder, guards_hold(f, k), run, after);
        LLVMPositionBuilderAtEnd(e->builder, run);
    }
    put_buffers(f, key, k->nguard > 0);
    LLVMValueRef dims = code_at(e, e->i64, f->kernel_dims,
                                code_i64(e, f->most_dims - key->nvar));
    for (int i = 0; i < key->nvar; i++)
        put_argument(f, e->i64, dims, i, dim_code(e, &f->dims, key->var[i]));
    KernelCall call = {.e = e,
                       .k = k,
                       .fn = emit_kernel(e, k),
                       .bufs = f->bufs,
                       .dim_list = dims,
                       .nvar = key->nvar,
                       .exec = f->threads,
                       .dims = &f->dims};
    stop_if_bad(f, k, timed_call(f, number, &call));
    if (after) {
        LLVMBuildBr(e->builder, after);
        LLVMPositionBuilderAtEnd(e->builder, after);
    }
}

static LLVMBasicBlockRef phi_block(Emit *e, const char *name, LLVMValueRef *phi)
{
    LLVMBasicBlockRef back = LLVMGetInsertBlock(e->builder);
    LLVMBasicBlockRef b = code_block(e, name);
    LLVMPositionBuilderAtEnd(e->builder, b);
    *phi = LLVMBuildPhi(e->builder, e->i32, "");
    LLVMPositionBuilderAtEnd(e->builder, back);
    return b;
}

/* Where a function that calls kernels first to last - 1 returns. */
static void begin_calls(FunctionCode *f, LLVMValueRef fn, int first, int last)
{
    Emit *e = f->e;
    int n = 0;
    f->leaf = LLVMGetParam(fn, 0);
    f->workspace = LLVMGetParam(fn, 2);
    f->out = phi_block(e, "out", &f->status);
    for (int i = first; i < last; i++)
        n += kernel_ncheck(f->s->kernel.at[i]);
    f->stop = n ? phi_block(e, "stop", &f->stopped) : NULL;
}

static void end_stop(FunctionCode *f, LLVMValueRef fn)
{
    Emit *e = f->e;
    LLVMValueRef low = LLVMConstInt(e->i32, 255, false);
    LLVMBasicBlockRef done = code_block(e, "told");
    LLVMPositionBuilderAtEnd(e->builder, f->stop);
    LLVMValueRef code = LLVMBuildAnd(e->builder, f->stopped, low, "");
    LLVMValueRef place =
        LLVMBuildSub(e->builder,
                     LLVMBuildLShr(e->builder, f->stopped,
                                   LLVMConstInt(e->i32, 8, false), ""),
                     LLVMConstInt(e->i32, 1, false), "");
    tell_error(e, LLVMGetParam(fn, 3), place,
               code_at(e, e->i64, f->kernel_dims, code_i64(e, f->most_dims)),
               done);
    LLVMPositionBuilderAtEnd(e->builder, done);
    LLVMBuildBr(e->builder, f->out);
    LLVMAddIncoming(f->status, &code, &done, 1);
}

static void end_calls(FunctionCode *f, LLVMValueRef fn)
{
    Emit *e = f->e;
    LLVMBasicBlockRef last = LLVMGetInsertBlock(e->builder);
    LLVMValueRef ok = LLVMConstInt(e->i32, NN_OK, false);
    LLVMBuildBr(e->builder, f->out);
    LLVMAddIncoming(f->status, &ok, &last, 1);
    if (f->stop)
        end_stop(f, fn);
    LLVMPositionBuilderAtEnd(e->builder, f->out);
    LLVMBuildRet(e->builder, f->status);
}

/* Dimensions are computed before all that follows. */
static void begin_kernels(FunctionCode *f)
{
    Emit *e = f->e;
    LLVMBasicBlockRef run = code_block(e, "kernels");
    f->dims.before = LLVMBuildBr(e->builder, run);
    LLVMPositionBuilderAtEnd(e->builder, run);
}

static void call_kernels(FunctionCode *f, int first, int last,
                         LLVMValueRef exec)
{
    Emit *e = f->e;
    int nbuffer = 1, nvar = 1;
    for (int i = first; i < last; i++) {
        const KernelKey *key = &unit_use(e, f->s->kernel.at[i])->key;
        nbuffer = key->nbuffer > nbuffer ? key->nbuffer : nbuffer;
        nvar = key->nvar > nvar ? key->nvar : nvar;
    }
    f->bufs = code_slot(e, LLVMArrayType(e->ptr, (unsigned)nbuffer), 8);
    f->held = NEWN(e->arena, const Buffer *, nbuffer);
    f->flags = (Map){0};
    f->threads = exec_threads(e, f->s, first, last, exec);
    f->most_dims = nvar;
    f->kernel_dims =
        code_slot(e, LLVMArrayType(e->i64, (unsigned)(nvar + CHECK_ROOM)), 8);
    for (int i = first; i < last; i++)
        call_kernel(f, i);
}

/* i32 PREFIX__runN(leaf, dims, workspace, exec): some of the kernels. */
static LLVMValueRef emit_run(FunctionCode *f, int first, int last)
{
    LLVMTypeRef p = f->e->ptr, param[] = {p, p, p, p};
    const char *suffix = arena_printf(f->e->arena, "run%d", first);
    LLVMValueRef fn = begin(f, suffix, f->e->i32, param, 4);
    begin_calls(f, fn, first, last);
    load_dims(f, LLVMGetParam(fn, 1));
    begin_kernels(f);
    call_kernels(f, first, last, LLVMGetParam(fn, 3));
    end_calls(f, fn);
    return fn;
}

static void call_run(FunctionCode *f, LLVMValueRef fn, LLVMValueRef run)
{
    Emit *e = f->e;
    LLVMValueRef arg[] = {LLVMGetParam(fn, 0), LLVMGetParam(fn, 1),
                          LLVMGetParam(fn, 2), LLVMGetParam(fn, 3)};
    LLVMValueRef status = code_call(e, run, arg, 4);
    fail_if(f, LLVMBuildIsNotNull(e->builder, status, ""), status);
}

/* LLVM takes more than linear time for a long row of calls: many kernels are
 * called from several functions. */
static void emit_call(FunctionCode *f)
{
    enum { AT_ONCE = 64 };
    Emit *e = f->e;
    int n = f->s->kernel.n, nrun = n > AT_ONCE ? (n - 1) / AT_ONCE + 1 : 0;
    for (int i = 0; i < n; i++)
        emit_kernel(e, f->s->kernel.at[i]);
    LLVMValueRef *run = NEWN(e->arena, LLVMValueRef, nrun + 1);
    for (int i = 0; i < nrun; i++)
        run[i] = emit_run(f, i * AT_ONCE, i < nrun - 1 ? (i + 1) * AT_ONCE : n);
    LLVMTypeRef param[] = {e->ptr, e->ptr, e->ptr, e->ptr};
    LLVMValueRef fn = begin(f, "call", e->i32, param, 4);
    debug_function(e, fn, f->s->function->name, f->s->function->span);
    begin_calls(f, fn, 0, nrun ? 0 : n);
    check_arguments(f, LLVMGetParam(fn, 1), LLVMGetParam(fn, 3));
    begin_kernels(f);
    check_workspace(f);
    for (int i = 0; i < nrun; i++)
        call_run(f, fn, run[i]);
    if (!nrun)
        call_kernels(f, 0, n, LLVMGetParam(fn, 3));
    end_calls(f, fn);
}

void emit_function(Emit *e, const Schedule *s, const char *prefix)
{
    FunctionCode f = {.e = e, .s = s, .prefix = prefix};
    size_checks(e, s, &f.sizes);
    if (f.sizes.n) {
        emit_check(&f);
        emit_refuse(&f);
    }
    emit_workspace(&f);
    emit_sizes(&f);
    emit_call(&f);
}
