/* values.c: a value of a struct type as C, for programs that have it built in.
 */

#include "artefact/interface.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void add_real(Str *to, double v, bool single)
{
    char text[40];

    if (isnan(v)) {
        str_printf(to, "NAN");
    } else if (isinf(v)) {
        str_printf(to, v > 0 ? "INFINITY" : "-INFINITY");
    } else {
        snprintf(text, sizeof text, single ? "%.9g" : "%.17g", v);
        str_printf(to, "%s%s%s", text, strpbrk(text, ".e") ? "" : ".0",
                   single ? "f" : "");
    }
}

static void add_long(Str *to, int64_t v)
{
    if (v == INT64_MIN)
        str_printf(to, "(-INT64_C(%lld) - 1)", (long long)INT64_MAX);
    else
        str_printf(to, "INT64_C(%lld)", (long long)v);
}

static void add_number(Str *to, DType t, const void *at, int64_t i)
{
    switch (t) {
    case DT_f32:
        add_real(to, (double)((const float *)at)[i], true);
        return;
    case DT_f64:
        add_real(to, ((const double *)at)[i], false);
        return;
    case DT_i32:
        str_printf(to, "%ld", (long)((const int32_t *)at)[i]);
        return;
    case DT_i64:
        add_long(to, ((const int64_t *)at)[i]);
        return;
    case DT_key:
        str_printf(to, "UINT64_C(%llu)",
                   (unsigned long long)((const uint64_t *)at)[i]);
        return;
    case DT_bool:
    case DT_u8:
        str_printf(to, "%u", ((const uint8_t *)at)[i]);
        return;
    case NDTYPES:
        break;
    }
}

/* The axes from number `axis` on; *i is the next element. An array without
 * elements is one of one in C. */
static void add_array(Str *to, const Step *s, int axis, const void *at,
                      int64_t *i)
{
    enum { A_LINE = 8 };
    int64_t n = 0;

    if (axis == s->rank) {
        add_number(to, s->dtype, at, (*i)++);
        return;
    }
    dim_const_value(s->dim[axis], &n);
    str_printf(to, "{");
    for (int64_t k = 0; k < n; k++) {
        str_printf(to, k == 0                                   ? ""
                       : axis == s->rank - 1 && k % A_LINE != 0 ? ", "
                                                                : ",\n");
        add_array(to, s, axis + 1, at, i);
    }
    str_printf(to, n ? "}" : "0}");
}

/* "{{1.0f, …}, …}" */
static const char *initialiser(const Type *t, const void *const *leaf, Str *to)
{
    int n;
    Step *step = type_steps(to->arena, t, &n);
    bool first = true;

    if (step[0].kind == STEP_leaf || !steps_fixed(step, n))
        return "has no fixed size, so no struct in C: fix its dimensions by "
               "--dim";
    for (int i = 0; i < n; i++) {
        const Step *s = &step[i];
        int64_t at = 0;
        if (s->kind != STEP_close && !first)
            str_printf(to, ",\n");
        first = s->kind == STEP_open;
        if (s->kind == STEP_open)
            str_printf(to, s->empty ? "{0" : "{");
        else if (s->kind == STEP_close)
            str_printf(to, "}");
        else
            add_array(to, s, 0, *leaf++, &at);
    }
    return NULL;
}

const char *value_header(const Module *m, const char *name, const Type *t,
                         const void *const *leaf, Str *to)
{
    Str text = str_new(to->arena);
    const char *wrong = initialiser(t, leaf, &text);
    const char *type = c_type_name(to->arena, m, t);

    if (wrong)
        return wrong;
    str_printf(to,
               "/* Made by nncc: what was trained, for a program that has it "
               "built in. */\n#include \"%s.h\"\n\n#include <math.h>\n\n"
               "static const %s %s_%s = %s;\n",
               m->name, type, m->name, name_of(to->arena, name), text.at);
    return NULL;
}
