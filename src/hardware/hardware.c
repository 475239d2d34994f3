/* hardware.c: the CPUs that are known by name, and questions to their numbers.
 */
#include <string.h>

#include "hardware/hardware.h"

const Level x86_level[X86_LEVELS] = {
    {"x86-64", "", "", 16, 16, false, false, false},
    {"x86-64-v2", "sse4.1", "cx16,sahf,popcnt,sse3,ssse3,sse4.2", 16, 16, false,
     false, true},
    {"x86-64-v3", "avx2,fma", "avx,bmi,bmi2,f16c,lzcnt,movbe,xsave", 32, 16,
     true, false, true},
    {"x86-64-v4", "avx512f,avx512vl,avx512bw,avx512dq", "avx512cd", 64, 32,
     true, true, true},
};

/* Their makers' manuals say so. A level's row has what most of its CPUs have at
 * least.
 */
const CpuRow x86_cpu[] = {
    {"x86-64", 0, {32, 256, 2048}},
    {"k8", 0, {64, 512, 0}},
    {"core2", 0, {32, 2048, 0}},
    {"amdfam10", 0, {64, 512, 1536}},
    {"btver1", 0, {32, 512, 0}},
    {"x86-64-v2", 1, {32, 256, 2048}},
    {"penryn", 1, {32, 3072, 0}},
    {"nehalem", 1, {32, 256, 2048}},
    {"westmere", 1, {32, 256, 2048}},
    {"silvermont", 1, {24, 512, 0}},
    {"goldmont", 1, {24, 512, 0}},
    {"goldmont-plus", 1, {24, 1024, 0}},
    {"tremont", 1, {32, 1024, 1024}},
    {"sandybridge", 1, {32, 256, 2048}},
    {"ivybridge", 1, {32, 256, 2048}},
    {"btver2", 1, {32, 512, 0}},
    {"bdver1", 1, {16, 1024, 1024}},
    {"bdver2", 1, {16, 1024, 1024}},
    {"bdver3", 1, {16, 1024, 0}},
    {"x86-64-v3", 2, {32, 256, 2048}},
    {"haswell", 2, {32, 256, 2048}},
    {"broadwell", 2, {32, 256, 2048}},
    {"skylake", 2, {32, 256, 2048}},
    {"bdver4", 2, {32, 1024, 0}},
    {"znver1", 2, {32, 512, 2048}},
    {"znver2", 2, {32, 512, 4096}},
    {"znver3", 2, {32, 512, 4096}},
    {"gracemont", 2, {32, 512, 2048}},
    {"alderlake", 2, {48, 1280, 3072}},
    {"raptorlake", 2, {48, 2048, 3072}},
    {"meteorlake", 2, {48, 2048, 2048}},
    {"sierraforest", 2, {32, 1024, 768}},
    {"grandridge", 2, {32, 1024, 768}},
    {"arrowlake", 2, {48, 3072, 3072}},
    {"lunarlake", 2, {48, 2560, 3072}},
    {"x86-64-v4", 3, {32, 256, 1024}},
    {"skylake-avx512", 3, {32, 1024, 1408}},
    {"cascadelake", 3, {32, 1024, 1408}},
    {"cooperlake", 3, {32, 1024, 1408}},
    {"cannonlake", 3, {32, 256, 2048}},
    {"icelake-client", 3, {48, 512, 2048}},
    {"icelake-server", 3, {48, 1280, 1536}},
    {"rocketlake", 3, {48, 512, 2048}},
    {"tigerlake", 3, {48, 1280, 3072}},
    {"sapphirerapids", 3, {48, 2048, 1920}},
    {"emeraldrapids", 3, {48, 2048, 5120}},
    {"graniterapids", 3, {48, 2048, 4096}},
    {"znver4", 3, {32, 1024, 4096}},
    {"znver5", 3, {48, 1024, 4096}},
    {0},
};

const CpuRow *cpu_row(const CpuRow *all, const char *name)
{
    for (const CpuRow *c = all; c && c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

int hardware_lanes(const Hardware *h, int bytes)
{
    return h->vector_bytes > bytes ? h->vector_bytes / bytes : 1;
}

bool hardware_masks(const Hardware *h) { return h->vector_bytes >= 32; }

static void put_cache(const char *name, int size, Str *to)
{
    if (size)
        str_printf(to, ", %s %d KiB", name, size);
}

void hardware_text(const Hardware *h, Str *to)
{
    if (h->vector_bytes)
        str_printf(to, "%d registers of %d bytes%s%s", h->registers,
                   h->vector_bytes, h->fma ? ", a*b + c" : "",
                   h->masks ? ", masks" : "");
    else
        str_printf(to, "no vectors");
    put_cache("L1", h->cache.l1, to);
    put_cache("L2", h->cache.l2, to);
    put_cache("L3", h->cache.l3, to);
    str_printf(to, "%s", h->small ? ", the least code" : "");
}
