/* cpu.c: which CPUs LLVM knows. Its C interface does not tell, and an unknown
 * name makes it complain on stderr and go on: so ask it with stderr caught. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "target/internal.h"

/* What LLVM writes to stderr when told to make code for `cpu`. */
static char *complaint(Arena *a, LLVMTargetRef target, const char *triple,
                       const char *cpu)
{
    Str said = str_new(a);
    char part[4096];
    size_t n;
    str_add(&said, "", 0);
    FILE *file = tmpfile();
    int own = file ? dup(2) : -1;
    if (own < 0 || dup2(fileno(file), 2) < 0) {
        if (file)
            fclose(file);
        return said.at;
    }
    LLVMTargetMachineRef machine =
        LLVMCreateTargetMachine(target, triple, cpu, "", LLVMCodeGenLevelNone,
                                LLVMRelocPIC, LLVMCodeModelDefault);
    if (machine)
        LLVMDisposeTargetMachine(machine);
    dup2(own, 2);
    close(own);
    rewind(file);
    while ((n = fread(part, 1, sizeof part, file)) > 0)
        str_add(&said, part, n);
    fclose(file);
    return said.at;
}

/* "Available CPUs for this target:" and lines "  name - text", up to an empty
 * one. */
static int parse_names(Arena *a, char *help, const char ***name)
{
    LIST(const char *) names = {0};
    char *save = NULL;
    for (char *line = strtok_r(help, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        if (strncmp(line, "Available features", 18) == 0)
            break;
        size_t n = strcspn(line + strspn(line, " "), " ");
        if (line[0] == ' ' && n > 0)
            list_push(
                a, &names,
                arena_printf(a, "%.*s", (int)n, line + strspn(line, " ")));
    }
    *name = names.at;
    return names.n;
}

bool cpu_known(Arena *a, LLVMTargetRef target, const char *triple,
               const char *cpu)
{
    if (!*cpu || strcmp(cpu, "help") == 0)
        return false;
    return !strstr(complaint(a, target, triple, cpu), "not a recognized");
}

const char *cpu_unknown(Arena *a, LLVMTargetRef target, const char *triple,
                        const char *cpu)
{
    enum { SOME = 100 };
    const char **name;
    int n = parse_names(a, complaint(a, target, triple, "help"), &name);
    const char *near = nearest_name(cpu, name, n);
    if (near)
        return arena_printf(a, "unknown CPU '%s': did you mean '%s'?", cpu,
                            near);
    Str s = str_new(a);
    str_printf(&s, "unknown CPU '%s'; known for %s are", cpu, triple);
    for (int i = 0; i < n && i < SOME; i++)
        str_printf(&s, "%s %s", i > 0 ? "," : "", name[i]);
    str_printf(&s, "%s", n > SOME ? ", …" : "");
    return s.at;
}
