/* kernel.c: functions of kernels, and constant tensors. */
#include <string.h>

#include "emit/parallel.h"

static void kernel_body(Emit *e, const Kernel *k, LoopCode *loop)
{
    const KernelKey *key = &unit_use(e, k)->key;
    switch (k->kind) {
    case KERNEL_map:
        emit_map(e, k, key);
        break;
    case KERNEL_contract:
        emit_contract(e, k, key);
        break;
    case KERNEL_sort:
        emit_sort(e, k->sort, key);
        break;
    case KERNEL_routine:
        emit_routine(e, k->routine, key);
        break;
    case KERNEL_loop:
        emit_loop(e, loop, key);
        break;
    }
}

LLVMValueRef emit_kernel(Emit *e, const Kernel *k)
{
    const Unit *u = units_at(e->units, unit_use(e, k)->unit);
    LLVMValueRef *made = &e->kernel[u->number];
    LoopCode *loop = NULL;
    bool build;
    if (*made)
        return *made;
    k = u->kernel;
    if (share_has_unit(e, u->number) && k->kind == KERNEL_loop)
        loop = loop_kernels(e, k->loop);
    const char *name = arena_printf(
        e->arena, k->kind == KERNEL_loop ? "loop%d" : "kernel%d", u->number);
    *made = share_unit(e, name, u->number, kernel_type(e, k), &build);
    if (!build)
        return *made;
    code_begin(e, *made);
    debug_function(e, *made, name, k->span);
    kernel_body(e, k, loop);
    return *made;
}

/* Constant tensors. */

static void put_element(Emit *e, DType t, double v, char *to)
{
    float f = (float)v;
    int32_t i32 = t == DT_i32 ? (int32_t)v : 0;
    int64_t i64 = t == DT_i64 || t == DT_key ? (int64_t)v : 0;
    uint8_t u8 = t == DT_u8 ? (uint8_t)v : v != 0;
    const void *from = t == DT_f32                  ? (const void *)&f
                       : t == DT_f64                ? (const void *)&v
                       : t == DT_i32                ? (const void *)&i32
                       : t == DT_i64 || t == DT_key ? (const void *)&i64
                                                    : (const void *)&u8;
    int n = dtype_size(t);
    memcpy(to, from, (size_t)n);
    if (LLVMByteOrder(e->machine.layout) == LLVMBigEndian)
        for (int i = 0; i < n / 2; i++) {
            char c = to[i];
            to[i] = to[n - 1 - i];
            to[n - 1 - i] = c;
        }
}

LLVMValueRef emit_data(Emit *e, const Buffer *b)
{
    const Attr *a = &b->node->attr;
    int64_t n = b->node->op == OP_data ? a->integer : 1;
    size_t size = (size_t)dtype_size(b->dtype);
    size_t bytes = size * (size_t)n;
    char *at = NEWN(e->arena, char, bytes + 1);
    for (int64_t i = 0; i < n; i++)
        put_element(e, b->dtype,
                    b->node->op == OP_data ? a->data[i] : const_value(b->node),
                    at + (size_t)i * size);
    const char *text = intern_n(e->names, at, bytes);
    LLVMValueRef made = map_of(&e->made, text);
    if (made)
        return made;
    LLVMValueRef v =
        LLVMConstStringInContext(e->context, at, (unsigned)bytes, true);
    const char *name = arena_printf(e->arena, "data%zu", e->made.n + 1);
    made = LLVMAddGlobal(e->module, LLVMTypeOf(v), name);
    LLVMSetInitializer(made, v);
    LLVMSetLinkage(made, LLVMInternalLinkage);
    LLVMSetGlobalConstant(made, true);
    LLVMSetAlignment(made, 64);
    map_set(e->arena, &e->made, text, made);
    return made;
}
