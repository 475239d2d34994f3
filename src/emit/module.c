/* module.c: what C sees of a module: functions with C arguments and the
 * descriptor. */
#include <string.h>

#include "artefact/interface.h"
#include "emit/emit_internal.h"
#include "emit/levels.h"
#include "graph/ops/ops.h"

/* One module being made. */
typedef struct Making {
    Emit *e;
    const Interface *interface;
    LLVMValueRef *call; /* of each function: what runs it, maybe an ifunc */
    LLVMTypeRef call_type, workspace_type;
    LLVMTypeRef leaf_type, port_type, place_type, function_type, train_type;
    LLVMTypeRef module_type;
    LLVMTypeRef fit_type;
    LLVMTypeRef size_type; /* size_t */
    Map constants;         /* of the descriptor, by their values */
} Making;

static const char *internal_name(const Making *m, int i, const char *what)
{
    return arena_printf(m->e->arena, "%s%s", m->interface->function[i].internal,
                        what);
}

static LLVMTypeRef struct_type(Emit *e, int n, LLVMTypeRef *member)
{
    return LLVMStructTypeInContext(e->context, member, (unsigned)n, false);
}

/* nn_abi.h's structs. */
static void make_types(Making *m)
{
    Emit *e = m->e;
    LLVMTypeRef p = e->ptr, i = e->i32, l = e->i64;
    LLVMTypeRef leaf[] = {i, i, p, l, p, i, i};
    LLVMTypeRef port[] = {i, i, p, p, p, i, i, e->f64, l};
    LLVMTypeRef place[] = {i, i, p, i, i, p};
    LLVMTypeRef function[] = {i, i, p, i, i, i, i, p, p, p, p, p, p, p};
    LLVMTypeRef train[] = {i, i, p, i, i, i, i, i, i};
    LLVMTypeRef module[] = {i, i, i, i, l, l, p, p, p, i, i, p, p};
    LLVMTypeRef fit[] = {i, i, l, p, p, p};
    m->leaf_type = struct_type(e, 7, leaf);
    m->port_type = struct_type(e, 9, port);
    m->place_type = struct_type(e, 6, place);
    m->function_type = struct_type(e, 14, function);
    m->train_type = struct_type(e, 9, train);
    m->module_type = struct_type(e, 13, module);
    m->fit_type = struct_type(e, 6, fit);
    m->size_type = LLVMIntPtrTypeInContext(e->context, e->machine.layout);
    m->call_type = LLVMFunctionType(i, (LLVMTypeRef[]){p, p, p, p}, 4, false);
    m->workspace_type = LLVMFunctionType(l, (LLVMTypeRef[]){p}, 1, false);
}

/* C functions */

/* A function that the outside sees, its builder in its first block. */
static LLVMValueRef begin_public(Making *m, const char *name, LLVMTypeRef type)
{
    Emit *e = m->e;
    LLVMValueRef fn = LLVMAddFunction(e->module, name, type);
    code_begin(e, fn);
    return fn;
}

/* The same function under the name of its interface. */
static void add_versioned(Making *m, int index, LLVMValueRef fn)
{
    Emit *e = m->e;
    size_t n;
    if (e->machine.target->format != FORMAT_elf)
        return;
    const char *name = versioned_name(e->arena, &m->interface->function[index],
                                      LLVMGetValueName2(fn, &n));
    LLVMAddAlias2(e->module, LLVMGlobalGetValueType(fn), 0, fn, name);
}

/* How C passes small integers differs: where int arguments are expected sign-
 * extended to a register, LLVM has to be told. */
static void extend_param(Emit *e, LLVMValueRef fn, int index, LLVMTypeRef type)
{
    const char *how = NULL;
    if (type == e->i8)
        how = "zeroext";
    if (type == e->i32 && e->machine.target->signs)
        how = "signext";
    if (!how)
        return;
    unsigned kind = LLVMGetEnumAttributeKindForName(how, strlen(how));
    LLVMAddAttributeAtIndex(fn, (LLVMAttributeIndex)index,
                            LLVMCreateEnumAttribute(e->context, kind, 0));
}

/* What is written overlaps nothing else that is passed. */
static void set_noalias(Emit *e, LLVMValueRef fn, int index)
{
    unsigned kind = LLVMGetEnumAttributeKindForName("noalias", 7);
    LLVMAddAttributeAtIndex(fn, (LLVMAttributeIndex)index,
                            LLVMCreateEnumAttribute(e->context, kind, 0));
}

static LLVMTypeRef arg_type(Making *m, const CArg *a)
{
    Emit *e = m->e;
    switch (a->kind) {
    case ARG_dim:
        return e->i64;
    case ARG_value:
        return type_in_memory(e, a->leaf->dtype);
    case ARG_tensor:
    case ARG_struct:
        break;
    }
    return e->ptr;
}

static LLVMValueRef array_alloca(Emit *e, LLVMTypeRef of, int n)
{
    return LLVMBuildAlloca(e->builder, LLVMArrayType2(of, (uint64_t)n), "");
}

static LLVMValueRef element(Emit *e, LLVMTypeRef of, LLVMValueRef array, int i)
{
    LLVMValueRef index = LLVMConstInt(e->i64, (unsigned long long)i, false);
    return LLVMBuildInBoundsGEP2(e->builder, of, array, &index, 1, "");
}

static LLVMValueRef at_byte(Emit *e, LLVMValueRef base, int64_t offset)
{
    LLVMValueRef index =
        LLVMConstInt(e->i64, (unsigned long long)offset, false);
    return LLVMBuildInBoundsGEP2(e->builder, e->i8, base, &index, 1, "");
}

/* Any of the structs is null: they are looked into before the call. */
static void check_structs(Making *m, const CFunction *c, LLVMValueRef fn)
{
    Emit *e = m->e;
    LLVMValueRef null = NULL;
    for (int i = 0; i < c->narg; i++) {
        if (c->arg[i].kind != ARG_struct || c->arg[i].nleaf == 0)
            continue;
        LLVMValueRef is =
            LLVMBuildIsNull(e->builder, LLVMGetParam(fn, (unsigned)i), "");
        null = null ? LLVMBuildOr(e->builder, null, is, "") : is;
    }
    if (!null)
        return;
    LLVMBasicBlockRef bad =
        LLVMAppendBasicBlockInContext(e->context, fn, "null");
    LLVMBasicBlockRef good =
        LLVMAppendBasicBlockInContext(e->context, fn, "run");
    LLVMBuildCondBr(e->builder, null, bad, good);
    LLVMPositionBuilderAtEnd(e->builder, bad);
    LLVMBuildRet(e->builder, LLVMConstInt(e->i32, NN_ERR_NULL, false));
    LLVMPositionBuilderAtEnd(e->builder, good);
}

/* leaf[…] = the struct's leaves: inside it, or where its pointers say. */
static void store_struct(Making *m, const CArg *a, LLVMValueRef from,
                         LLVMValueRef leaf)
{
    Emit *e = m->e;
    const CType *t = a->type;
    StructLayout l = struct_layout(e->arena, t->step, t->nstep,
                                   (int)LLVMPointerSize(e->machine.layout));
    for (int i = 0, k = 0; i < t->nstep; i++) {
        if (t->step[i].kind != STEP_leaf)
            continue;
        LLVMValueRef at = at_byte(e, from, l.offset[k]);
        if (!l.fixed && t->step[i].rank > 0)
            at = LLVMBuildLoad2(e->builder, e->ptr, at, "");
        code_store_in_order(e, at, element(e, e->ptr, leaf, a->first + k));
        k++;
    }
}

/* A scalar's address, a bool made 0 or 1. slot: made in the first block. */
static LLVMValueRef store_value(Making *m, const CArg *a, LLVMValueRef value,
                                LLVMValueRef slot)
{
    Emit *e = m->e;
    if (a->leaf->dtype == DT_bool) {
        LLVMValueRef is = LLVMBuildIsNotNull(e->builder, value, "");
        value = LLVMBuildZExt(e->builder, is, e->i8, "");
    }
    code_store_in_order(e, value, slot);
    return slot;
}

static void store_arg(Making *m, const CArg *a, LLVMValueRef value,
                      LLVMValueRef slot, LLVMValueRef leaf, LLVMValueRef dims)
{
    Emit *e = m->e;
    switch (a->kind) {
    case ARG_dim:
        code_store_in_order(e, value, element(e, e->i64, dims, a->dim));
        break;
    case ARG_value:
        value = store_value(m, a, value, slot);
        code_store_in_order(e, value, element(e, e->ptr, leaf, a->first));
        break;
    case ARG_tensor:
        code_store_in_order(e, value, element(e, e->ptr, leaf, a->first));
        break;
    case ARG_struct:
        store_struct(m, a, value, leaf);
        break;
    }
}

static LLVMTypeRef c_function_type(Making *m, const CFunction *c)
{
    LLVMTypeRef *type = NEWN(m->e->arena, LLVMTypeRef, c->narg + 2);
    for (int i = 0; i < c->narg; i++)
        type[i] = arg_type(m, &c->arg[i]);
    type[c->narg] = type[c->narg + 1] = m->e->ptr;
    return LLVMFunctionType(m->e->i32, type, (unsigned)c->narg + 2, false);
}

/* int M_f(arguments, workspace, exec): collects the leaves and calls. */
static void make_function(Making *m, int index)
{
    Emit *e = m->e;
    const CFunction *c = &m->interface->function[index];
    LLVMTypeRef type = c_function_type(m, c);
    LLVMValueRef fn = begin_public(m, c->name, type);
    debug_function(e, fn, c->name, c->function->span);
    LLVMValueRef leaf = array_alloca(e, e->ptr, c->nleaf);
    LLVMValueRef dims = array_alloca(e, e->i64, c->function->nvar);
    LLVMValueRef *slot = NEWN(e->arena, LLVMValueRef, c->narg);
    for (int i = 0; i < c->narg; i++) {
        LLVMTypeRef t = arg_type(m, &c->arg[i]);
        extend_param(e, fn, i + 1, t);
        if (c->arg[i].written)
            set_noalias(e, fn, i + 1);
        if (c->arg[i].kind == ARG_value)
            slot[i] = LLVMBuildAlloca(e->builder, t, "");
    }
    set_noalias(e, fn, c->narg + 1);
    check_structs(m, c, fn);
    for (int i = 0; i < c->narg; i++)
        store_arg(m, &c->arg[i], LLVMGetParam(fn, (unsigned)i), slot[i], leaf,
                  dims);
    LLVMValueRef arg[] = {leaf, dims, LLVMGetParam(fn, (unsigned)c->narg),
                          LLVMGetParam(fn, (unsigned)c->narg + 1)};
    LLVMValueRef status =
        LLVMBuildCall2(e->builder, m->call_type, m->call[index], arg, 4, "");
    LLVMBuildRet(e->builder, status);
    add_versioned(m, index, fn);
}

static LLVMValueRef named(Making *m, int index, const char *what)
{
    const char *name = internal_name(m, index, what);
    LLVMValueRef fn = LLVMGetNamedFunction(m->e->module, name);
    if (!fn)
        die("no function %s", name);
    return fn;
}

/* size_t M_f_workspace(dimensions) */
static void make_workspace(Making *m, int index)
{
    Emit *e = m->e;
    const CFunction *c = &m->interface->function[index];
    int n = c->function->nvar;
    LLVMTypeRef *type = NEWN(e->arena, LLVMTypeRef, n + 1);
    for (int i = 0; i < n; i++)
        type[i] = e->i64;
    LLVMValueRef fn = begin_public(
        m, c->workspace, LLVMFunctionType(m->size_type, type, (unsigned)n, 0));
    LLVMValueRef dims = array_alloca(e, e->i64, n);
    for (int i = 0; i < n; i++)
        LLVMBuildStore(e->builder, LLVMGetParam(fn, (unsigned)i),
                       element(e, e->i64, dims, i));
    LLVMValueRef bytes =
        LLVMBuildCall2(e->builder, m->workspace_type,
                       named(m, index, "__workspace"), &dims, 1, "");
    LLVMBuildRet(e->builder,
                 LLVMBuildIntCast2(e->builder, bytes, m->size_type, false, ""));
    add_versioned(m, index, fn);
}

/* The descriptor's, whose result is a size_t. */
static LLVMValueRef descriptor_workspace(Making *m, int index)
{
    Emit *e = m->e;
    LLVMValueRef own = named(m, index, "__workspace");
    if (m->size_type == e->i64)
        return own;
    LLVMTypeRef type =
        LLVMFunctionType(m->size_type, (LLVMTypeRef[]){e->ptr}, 1, false);
    LLVMValueRef fn = begin_public(m, internal_name(m, index, "__bytes"), type);
    LLVMSetLinkage(fn, LLVMInternalLinkage);
    LLVMValueRef arg = LLVMGetParam(fn, 0);
    LLVMValueRef bytes =
        LLVMBuildCall2(e->builder, m->workspace_type, own, &arg, 1, "");
    LLVMBuildRet(e->builder,
                 LLVMBuildTrunc(e->builder, bytes, m->size_type, ""));
    return fn;
}

/* The descriptor: constants only */

/* Equal ones are one, down to their strings: LLVM has equal values once. */
static LLVMValueRef constant(Making *m, const char *name, LLVMValueRef value)
{
    LLVMValueRef g = map_of(&m->constants, value);
    if (g)
        return g;
    g = LLVMAddGlobal(m->e->module, LLVMTypeOf(value), name);
    LLVMSetInitializer(g, value);
    LLVMSetGlobalConstant(g, true);
    LLVMSetLinkage(g, LLVMPrivateLinkage);
    map_set(m->e->arena, &m->constants, value, g);
    return g;
}

static LLVMValueRef string(Making *m, const char *s)
{
    if (!s)
        return LLVMConstNull(m->e->ptr);
    LLVMValueRef g =
        constant(m, ".str",
                 LLVMConstStringInContext2(m->e->context, s, strlen(s), false));
    LLVMSetUnnamedAddress(g, LLVMGlobalUnnamedAddr);
    LLVMSetAlignment(g, 1);
    return g;
}

static LLVMValueRef pointers(Making *m, LLVMValueRef *v, int n)
{
    if (n == 0)
        return LLVMConstNull(m->e->ptr);
    return constant(m, ".table", LLVMConstArray2(m->e->ptr, v, (uint64_t)n));
}

static LLVMValueRef int32(Making *m, int v)
{
    return LLVMConstInt(m->e->i32, (unsigned long long)v, true);
}

static LLVMValueRef int64(Making *m, int64_t v)
{
    return LLVMConstInt(m->e->i64, (unsigned long long)v, true);
}

static enum nn_dtype abi_dtype(DType t)
{
    switch (t) {
    case DT_bool:
        return NN_BOOL;
    case DT_u8:
        return NN_U8;
    case DT_i32:
        return NN_I32;
    case DT_i64:
        return NN_I64;
    case DT_f32:
        return NN_F32;
    case DT_f64:
        return NN_F64;
    case DT_key:
        return NN_KEY;
    case NDTYPES:
        break;
    }
    die("no such dtype: %d", (int)t);
}

static enum nn_function_kind abi_kind(FunctionKind k)
{
    switch (k) {
    case FN_plain:
        break;
    case FN_init:
        return NN_INIT;
    case FN_step:
        return NN_STEP;
    case FN_evaluate:
        return NN_EVALUATE;
    case FN_update:
        return NN_UPDATE;
    case FN_carry:
        return NN_CARRY;
    }
    return NN_FUNCTION;
}

static LLVMValueRef struct_const(LLVMTypeRef type, LLVMValueRef *v, int n)
{
    return LLVMConstStructInContext(LLVMGetTypeContext(type), v, (unsigned)n,
                                    false);
}

/* A struct of the descriptor, which says its size first. */
static LLVMValueRef sized(Making *m, LLVMTypeRef type, LLVMValueRef *v, int n)
{
    v[0] = int32(m, (int)LLVMABISizeOfType(m->e->machine.layout, type));
    return constant(m, ".item", struct_const(type, v, n));
}

static LLVMValueRef leaf_const(Making *m, const Leaf *l, int64_t offset)
{
    LLVMValueRef v[] = {
        NULL,
        int32(m, (int)abi_dtype(l->dtype)),
        string(m, l->path),
        int64(m, offset),
        string(m, dims_text(m->e->arena, l->rank, l->dim)),
        int32(m, l->rank),
        int32(m, 0),
    };
    return sized(m, m->leaf_type, v, 7);
}

static LLVMValueRef port_const(Making *m, const Port *p, bool result)
{
    Arena *a = m->e->arena;
    int n;
    Leaf *leaf = type_leaves(m->interface->module->graph, p->type, &n);
    Layout l = type_layout(a, p->type);
    LLVMValueRef *at = NEWN(a, LLVMValueRef, n + 1);
    for (int i = 0; i < n; i++)
        at[i] = leaf_const(m, &leaf[i], l.offset[i]);
    LLVMValueRef v[] = {
        NULL,
        int32(m, result ? p->in_place : -1),
        string(m, p->name),
        string(m, p->type->text),
        pointers(m, at, n),
        int32(m, n),
        int32(m, !result && p->has_default),
        LLVMConstReal(m->e->f64, result ? 0 : p->value),
        int64(m, (int64_t)l.size),
    };
    return sized(m, m->port_type, v, 9);
}

static LLVMValueRef ports_const(Making *m, const Port *p, int n, bool result)
{
    LLVMValueRef *v = NEWN(m->e->arena, LLVMValueRef, n + 1);
    for (int i = 0; i < n; i++)
        v[i] = port_const(m, &p[i], result);
    return pointers(m, v, n);
}

static LLVMValueRef dims_const(Making *m, const Function *f)
{
    LLVMValueRef *v = NEWN(m->e->arena, LLVMValueRef, f->nvar + 1);
    for (int i = 0; i < f->nvar; i++)
        v[i] = string(m, dim_var_name(f->var[i]));
    return pointers(m, v, f->nvar);
}

/* text NULL: what stands there. */
static LLVMValueRef place_const(Making *m, int status, Span at,
                                const char *text)
{
    const Diags *d = m->interface->module->sources;
    const Source *s = d && at.end ? diags_source_of(d, at) : NULL;
    int line = 0, column = 0;
    if (s)
        diags_position(d, at, &line, &column);
    if (!text)
        text = s ? source_text(m->e->arena, s, at) : "";
    LLVMValueRef v[] = {
        NULL,
        int32(m, status),
        string(m, s ? file_name(s->path) : ""),
        int32(m, line),
        int32(m, column),
        string(m, text),
    };
    return sized(m, m->place_type, v, 6);
}

/* Indices, then sizes. */
static LLVMValueRef places_const(Making *m, const CheckList *c,
                                 const SizeChecks *size)
{
    LLVMValueRef *v = NEWN(m->e->arena, LLVMValueRef, c->n + size->n + 1);
    for (int i = 0; i < c->n; i++) {
        bool number = c->at[i]->attr.integer == NUMBER_CHECK;
        v[i] = place_const(m, number ? NN_ERR_NUMBER : NN_ERR_INDEX,
                           c->at[i]->span, NULL);
    }
    for (int i = 0; i < size->n; i++) {
        const SizeCheck *s = &size->at[i];
        const char *text = s->what ? s->what : dim_text(m->e->graph, s->dim);
        v[c->n + i] = place_const(m, NN_ERR_DIM, s->at, text);
    }
    return pointers(m, v, c->n + size->n);
}

static LLVMValueRef function_const(Making *m, int index)
{
    const Function *f = m->interface->function[index].function;
    const Schedule *s = m->interface->function[index].schedule;
    CheckList checks = {0};
    SizeChecks sizes = {0};
    schedule_checks(m->e->arena, s, &checks);
    size_checks(m->e, s, &sizes);
    LLVMValueRef v[] = {
        NULL,
        int32(m, (int)abi_kind(f->kind)),
        string(m, f->name),
        int32(m, f->nparam),
        int32(m, f->nresult),
        int32(m, f->nvar),
        int32(m, checks.n + sizes.n),
        ports_const(m, f->param, f->nparam, false),
        ports_const(m, f->result, f->nresult, true),
        dims_const(m, f),
        m->call[index],
        descriptor_workspace(m, index),
        named(m, index, "__sizes"),
        places_const(m, &checks, &sizes),
    };
    return sized(m, m->function_type, v, 14);
}

static LLVMValueRef strings(Making *m, const char *const *text, int64_t n)
{
    LLVMValueRef *v = NEWN(m->e->arena, LLVMValueRef, n + 1);
    if (!text)
        return LLVMConstNull(m->e->ptr);
    for (int64_t i = 0; i < n; i++)
        v[i] = string(m, text[i]);
    return pointers(m, v, (int)n);
}

static LLVMValueRef fit_const(Making *m, const ModuleFit *f)
{
    if (!f)
        return LLVMConstNull(m->e->ptr);
    LLVMValueRef v[] = {
        NULL,
        int32(m, f->nclass),
        int64(m, f->nfeature),
        strings(m, f->class_name, f->nclass),
        strings(m, f->feature_name, f->nfeature),
        string(m, f->label_name),
    };
    return sized(m, m->fit_type, v, 6);
}

static int function_index(const Making *m, const Function *f)
{
    int n = m->interface->nfunction, i = 0;
    while (i < n && m->interface->function[i].function != f)
        i++;
    return i < n ? i : -1;
}

/* The `train` items whose functions are all here; how many to *n. */
static LLVMValueRef trainings_const(Making *m, int *n)
{
    const Module *mod = m->interface->module;
    LLVMValueRef *all = NEWN(m->e->arena, LLVMValueRef, mod->training.n + 1);
    *n = 0;
    for (int i = 0; i < mod->training.n; i++) {
        const Training *t = &mod->training.at[i];
        int init = function_index(m, mod->init);
        int step = function_index(m, t->step);
        int evaluate = function_index(m, t->evaluate);
        int update = function_index(m, t->update);
        LLVMValueRef v[] = {
            NULL,
            int32(m, t->steps),
            string(m, t->name),
            int32(m, init),
            int32(m, step),
            int32(m, evaluate),
            int32(m, 0),
            int32(m, update),
            int32(m, 1 + function_index(m, t->carry)),
        };
        if (init >= 0 && step >= 0 && evaluate >= 0)
            all[(*n)++] = sized(m, m->train_type, v, 9);
    }
    return pointers(m, all, *n);
}

/* const nn_module *M_module(void) */
static void make_descriptor(Making *m)
{
    Emit *e = m->e;
    const Module *mod = m->interface->module;
    int n = m->interface->nfunction, ntrain;
    LLVMValueRef train = trainings_const(m, &ntrain);
    LLVMValueRef *f = NEWN(e->arena, LLVMValueRef, n + 1);
    for (int i = 0; i < n; i++)
        f[i] = function_const(m, i);
    LLVMValueRef v[] = {
        int32(m, (int)NN_ABI_MAGIC),
        int32(m, NN_ABI_VERSION),
        int32(m, (int)LLVMABISizeOfType(e->machine.layout, m->module_type)),
        int32(m, (int)abi_dtype(mod->real)),
        int64(m, (int64_t)mod->hash),
        int64(m, (int64_t)m->interface->hash),
        string(m, mod->name),
        pointers(m, f, n),
        string(m, mod->metric),
        int32(m, n),
        int32(m, ntrain),
        fit_const(m, mod->fit),
        train,
    };
    LLVMValueRef table =
        constant(m, ".module", struct_const(m->module_type, v, 13));
    begin_public(m, m->interface->descriptor,
                 LLVMFunctionType(e->ptr, NULL, 0, false));
    LLVMBuildRet(e->builder, table);
}

/* Module */

/* m->call: the functions themselves, or what chooses among the levels'. */
static void find_calls(Making *m, const Levels *l)
{
    int n = m->interface->nfunction;
    m->call = NEWN(m->e->arena, LLVMValueRef, n + 1);
    const char *name =
        arena_printf(m->e->arena, "%s.level", m->interface->module->name);
    LLVMValueRef detect = l->n > 1 ? level_detect(m->e->module, name) : NULL;
    for (int i = 0; i < n; i++)
        m->call[i] =
            detect ? level_choose(m->e, &m->interface->function[i], l, detect)
                   : named(m, i, "__call");
}

void emit_public(Emit *e, const Interface *interface, const Levels *l)
{
    Making m = {.e = e, .interface = interface};
    make_types(&m);
    find_calls(&m, l);
    for (int i = 0; i < interface->nfunction; i++) {
        make_function(&m, i);
        make_workspace(&m, i);
    }
    make_descriptor(&m);
    make_internal(e->module);
    mark_functions(e);
}
