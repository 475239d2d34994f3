/* header.c: the C header of a module, C99 and C++. */
#include <string.h>

#include "artefact/interface.h"

/* The text of nn_abi.h, NUL-terminated, put here by the assembler: generated
 * headers stand alone and yet are what this compiler was built with. */
extern const char nn_abi_text[];
__asm__(".pushsection .rodata\n"
        ".globl nn_abi_text\n"
        ".hidden nn_abi_text\n"
        "nn_abi_text:\n"
        ".incbin \"nn_abi.h\"\n"
        ".byte 0\n"
        ".popsection");

static const char helpers[] =
    "#ifndef NN_ALIGN /* before a member: its alignment in bytes */\n"
    "#if defined(__cplusplus) && __cplusplus >= 201103L\n"
    "#define NN_ALIGN(n) alignas(n)\n"
    "#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L\n"
    "#define NN_ALIGN(n) _Alignas(n)\n"
    "#elif defined(__GNUC__)\n"
    "#define NN_ALIGN(n) __attribute__((aligned(n)))\n"
    "#elif defined(_MSC_VER)\n"
    "#define NN_ALIGN(n) __declspec(align(n))\n"
    "#else\n"
    "#error \"a compiler that can align members is needed\"\n"
    "#endif\n"
    "#endif\n"
    "#ifndef NN_ASSERT /* the layout is what the compiled code expects */\n"
    "#if defined(__cplusplus) && __cplusplus >= 201103L\n"
    "#define NN_ASSERT(what) static_assert(what, #what)\n"
    "#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L\n"
    "#define NN_ASSERT(what) _Static_assert(what, #what)\n"
    "#else\n"
    "#define NN_ASSERT(what) extern char nn_assert[(what) ? 1 : -1]\n"
    "#endif\n"
    "#endif\n"
    "#ifndef NN_RESTRICT /* what is written overlaps nothing else */\n"
    "#if defined(__GNUC__) || defined(_MSC_VER)\n"
    "#define NN_RESTRICT __restrict\n"
    "#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 199901L\n"
    "#define NN_RESTRICT restrict\n"
    "#else\n"
    "#define NN_RESTRICT\n"
    "#endif\n"
    "#endif\n"
    "#ifndef NN_SYMBOL /* calls go to this interface: another does not link */"
    "\n"
    "#if defined(__GNUC__) && defined(__ELF__)\n"
    "#define NN_SYMBOL(name) __asm__(name)\n"
    "#else\n"
    "#define NN_SYMBOL(name)\n"
    "#endif\n"
    "#endif\n"
    "#ifndef NN_WORKSPACE /* static memory: NN_WORKSPACE(work, bytes); */\n"
    "#define NN_WORKSPACE(name, bytes) \\\n"
    "    NN_ALIGN(64) static unsigned char name[(bytes) > 0 ? (bytes) : 1]\n"
    "#endif\n";

/* Source text inside a comment must not end it. */
static void add_comment(Str *to, const char *text)
{
    for (; *text; text++) {
        bool plain = *text >= ' ' && *text < 0x7f && *text != '\\';
        bool ends = text[0] == '*' && text[1] == '/';
        str_printf(to, "%c", plain && !ends ? *text : '?');
    }
}

static void indent(Str *to, int depth) { str_printf(to, "%*s", 4 * depth, ""); }

/* Struct types */

/* "[64][100]"; an empty array has one element, as C knows no other. */
static void add_extents(Str *to, const Step *s)
{
    bool empty = false;
    for (int i = 0; i < s->rank; i++) {
        int64_t v;
        empty |= dim_const_value(s->dim[i], &v) && v <= 0;
    }
    if (empty)
        str_printf(to, "[1]");
    for (int i = 0; !empty && i < s->rank; i++) {
        int64_t v = 0;
        dim_const_value(s->dim[i], &v);
        str_printf(to, "[%lld]", (long long)v);
    }
}

static void add_member(Str *to, const CType *t, const Step *s, int depth)
{
    const char *type = dtype_cname(s->dtype);
    indent(to, depth);
    if (t->fixed && s->rank > 0) {
        str_printf(to, "NN_ALIGN(%d) %s %s", ARRAY_ALIGN, type, s->name);
        add_extents(to, s);
        str_printf(to, ";\n");
    } else if (s->rank > 0) {
        str_printf(to, "%s%s *%s; /* ", t->constant ? "const " : "", type,
                   s->name);
        add_comment(to, dims_text(to->arena, s->rank, s->dim));
        str_printf(to, " */\n");
    } else if (dtype_size(s->dtype) == 8) {
        str_printf(to, "NN_ALIGN(8) %s %s;\n", type, s->name);
    } else {
        str_printf(to, "%s %s;\n", type, s->name);
    }
}

static void add_body(Str *to, const CType *t)
{
    const char **name = NEWN(to->arena, const char *, t->nstep);
    int depth = 0;
    for (int i = 0; i < t->nstep; i++) {
        const Step *s = &t->step[i];
        switch (s->kind) {
        case STEP_open:
            if (depth > 0) {
                indent(to, depth);
                str_printf(to, "struct {\n");
            }
            name[depth++] = s->name;
            if (s->empty) {
                indent(to, depth);
                str_printf(to, "char unused;\n");
            }
            break;
        case STEP_close:
            indent(to, --depth);
            if (depth > 0)
                str_printf(to, "} %s;\n", name[depth]);
            break;
        case STEP_leaf:
            add_member(to, t, s, depth);
            break;
        }
    }
}

/* offsetof's second operand for each leaf, "hidden.W". */
static void add_asserts(Str *to, const CType *t)
{
    StructLayout l = struct_layout(to->arena, t->step, t->nstep, 8);
    const char **path = NEWN(to->arena, const char *, t->nstep);
    int depth = 0, leaf = 0;
    str_printf(to, "NN_ASSERT(sizeof(%s) == %zu);\n", t->name, l.size);
    for (int i = 0; i < t->nstep; i++) {
        const Step *s = &t->step[i];
        const char *up = depth > 0 ? path[depth - 1] : "";
        switch (s->kind) {
        case STEP_open:
            path[depth] =
                depth == 0 ? "" : arena_printf(to->arena, "%s%s.", up, s->name);
            depth++;
            break;
        case STEP_close:
            depth--;
            break;
        case STEP_leaf:
            str_printf(to, "NN_ASSERT(offsetof(%s, %s%s) == %lld);\n", t->name,
                       up, s->name, (long long)l.offset[leaf++]);
            break;
        }
    }
}

static void add_type(Str *to, const CType *t)
{
    str_printf(to, "\n/* ");
    add_comment(to, t->text);
    if (!t->fixed)
        str_printf(to, ", its tensors row by row where the pointers say");
    str_printf(to, " */\ntypedef struct %s {\n", t->name);
    add_body(to, t);
    str_printf(to, "} %s;\n", t->name);
    if (t->fixed)
        add_asserts(to, t);
}

/* Functions */

static const char *arg_text(Arena *a, const CArg *arg)
{
    const char *name =
        arena_printf(a, "%s%s", arg->written ? "NN_RESTRICT " : "", arg->name);
    const char *constant = arg->written ? "" : "const ";
    switch (arg->kind) {
    case ARG_dim:
        return arena_printf(a, "int64_t %s", name);
    case ARG_value:
        return arena_printf(a, "%s %s", dtype_cname(arg->leaf->dtype), name);
    case ARG_tensor:
        return arena_printf(a, "%s%s *%s", constant,
                            dtype_cname(arg->leaf->dtype), name);
    case ARG_struct:
        return arena_printf(a, "%s%s *%s", constant, arg->type->name, name);
    }
    return "";
}

/* What the argument is, in the language's own terms. */
static const char *arg_doc(Arena *a, const CArg *arg)
{
    const char *shape = "";
    switch (arg->kind) {
    case ARG_dim:
        return "a dimension";
    case ARG_struct:
        return arg->type->text;
    case ARG_value:
    case ARG_tensor:
        if (arg->leaf->rank > 0)
            shape = dims_text(a, arg->leaf->rank, arg->leaf->dim);
        break;
    }
    return arena_printf(a, "%s%s", dtype_name(arg->leaf->dtype), shape);
}

static void add_arg_doc(Str *to, const CArg *arg, int width)
{
    str_printf(to, " *   %-*s  ", width, arg->name);
    if (arg->result)
        str_printf(to, "result: ");
    else if (arg->written)
        str_printf(to, "read and overwritten: ");
    add_comment(to, arg_doc(to->arena, arg));
    if (arg->port && arg->port->has_default)
        str_printf(to, ", usually %g", arg->port->value);
    str_printf(to, "\n");
}

static void add_doc(Str *to, const CFunction *c)
{
    const Function *f = c->function;
    const char *origin = function_origin(to->arena, f);
    int width = (int)strlen("workspace");
    for (int i = 0; i < c->narg; i++)
        if ((int)strlen(c->arg[i].name) > width)
            width = (int)strlen(c->arg[i].name);
    str_printf(to, "\n/* %s", f->name);
    if (*origin)
        str_printf(to, " = %s", origin);
    str_printf(to, "\n");
    for (int i = 0; i < c->narg; i++)
        add_arg_doc(to, &c->arg[i], width);
    str_printf(to, " *   %-*s  ", width, "workspace");
    if (c->macro && c->bytes == 0)
        str_printf(to, "not needed: may be null\n");
    else
        str_printf(to, "%s() bytes, 64-byte aligned\n", c->workspace);
    str_printf(to, " * Returns NN_OK or another enum nn_status. */\n");
}

/* "int name(", the arguments in lines of at most 80 columns, and what the
 * function is called when linking. */
static void add_prototype(Str *to, const char *head, int n,
                          const char *const *arg, const char *symbol)
{
    size_t margin = strlen(head), column = margin;
    str_printf(to, "%s", head);
    for (int i = 0; i < n; i++) {
        size_t len = strlen(arg[i]) + 2; /* and a comma or ");" */
        if (i > 0 && column + 1 + len > 80) {
            str_printf(to, "\n%*s", (int)margin, "");
            column = margin;
        } else if (i > 0) {
            str_printf(to, " ");
            column++;
        }
        str_printf(to, "%s%s", arg[i], i + 1 < n ? "," : "");
        column += len - 1;
    }
    str_printf(to, ")\n    NN_SYMBOL(\"%s\");\n", symbol);
}

static void add_default(Str *to, const CArg *arg)
{
    DType t = arg->leaf->dtype;
    const char *type = t == DT_f32 ? "(float)" : "(double)";
    if (dtype_is_real(t))
        str_printf(to, "#define %s (%s%s)\n", arg->macro, type,
                   real_digits(to->arena, arg->port->value, t == DT_f32, 6));
    else
        str_printf(to, "#define %s %.0f\n", arg->macro, arg->port->value);
}

static void add_function(Str *to, const CFunction *c)
{
    Arena *a = to->arena;
    const char **arg = NEWN(a, const char *, c->narg + 2);
    int n = 0;
    add_doc(to, c);
    for (int i = 0; i < c->narg; i++)
        arg[n++] = arg_text(a, &c->arg[i]);
    arg[n++] = "void *NN_RESTRICT workspace";
    arg[n++] = "const nn_exec *exec";
    add_prototype(to, arena_printf(a, "int %s(", c->name), n, arg,
                  versioned_name(a, c, c->name));
    n = 0;
    for (int i = 0; i < c->narg; i++)
        if (c->arg[i].kind == ARG_dim)
            arg[n++] = arg_text(a, &c->arg[i]);
    if (n == 0)
        arg[n++] = "void";
    add_prototype(to, arena_printf(a, "size_t %s(", c->workspace), n, arg,
                  versioned_name(a, c, c->workspace));
    for (int i = 0; i < c->narg; i++)
        if (c->arg[i].macro)
            add_default(to, &c->arg[i]);
    if (c->macro)
        str_printf(to, "#define %s %lld\n", c->macro, (long long)c->bytes);
}

/* "0 setosa, 1 versicolor", in lines. */
static void add_names(Str *to, const char *const *name, int64_t n, bool number)
{
    enum { MOST = 40, WIDE = 72 };
    size_t line = to->n;
    for (int64_t i = 0; i < n && i < MOST; i++) {
        if (to->n - line > WIDE) {
            str_printf(to, "\n *  ");
            line = to->n;
        }
        str_printf(to, number ? " %lld " : " ", (long long)i);
        add_comment(to, name[i]);
        str_printf(to, i + 1 < n ? "," : "");
    }
    str_printf(to, n > MOST ? " ...\n" : "\n");
}

/* What the parameters in it were trained on. */
static void add_fit(Str *to, const ModuleFit *f, const char *descriptor)
{
    str_printf(to, "/* Parameters are in the module");
    if (f->raw)
        str_printf(to,
                   "; its functions take %s as the data's file had it,\n"
                   " * neither scaled nor standardised",
                   f->raw);
    str_printf(to, ".\n");
    if (f->feature_name) {
        str_printf(to, " * Columns:");
        add_names(to, f->feature_name, f->nfeature, false);
    }
    if (f->class_name) {
        str_printf(to, " * Classes:");
        add_names(to, f->class_name, f->nclass, true);
    }
    str_printf(to, " * All names are in %s()->fit. */\n\n", descriptor);
}

void header_text(const ModuleInput *in, Str *to)
{
    Arena *a = to->arena;
    const Module *m = in->module;
    Interface *interface = interface_of(a, in);
    str_printf(to, "/* %s.h: made by nncc from ", m->name);
    add_comment(to, file_name(m->path));
    str_printf(to,
               ".\n *\n"
               " * Arrays are row by row, the last dimension fastest; where "
               "a function's are is\n"
               " * the caller's choice, but none that is written may overlap "
               "another. exec may\n"
               " * be null. */\n");
    str_printf(to, "#ifndef NN_MODULE_%s_H\n#define NN_MODULE_%s_H\n\n",
               m->name, m->name);
    str_printf(to, "%s\n%s\n", nn_abi_text, helpers);
    str_printf(to,
               "/* %s()->interface_hash of an object that fits. */\n"
               "#define %s UINT64_C(0x%016llx)\n\n",
               interface->descriptor, interface->macro,
               (unsigned long long)interface->hash);
    if (m->fit)
        add_fit(to, m->fit, interface->descriptor);
    str_printf(to, "#ifdef __cplusplus\nextern \"C\" {\n#endif\n");
    for (int i = 0; i < interface->type.n; i++)
        add_type(to, interface->type.at[i]);
    for (int i = 0; i < interface->nfunction; i++)
        add_function(to, &interface->function[i]);
    str_printf(to, "\n/* Names, types, shapes, entry points: for generic "
                   "callers. */\n");
    str_printf(to, "const nn_module *%s(void);\n", interface->descriptor);
    str_printf(to, "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
}
