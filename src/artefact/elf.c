/* elf.c: a shared library from objects of x86-64 as LLVM makes them of our
 * code: text, constants, tables of addresses, and what refers to these. A
 * linker's process takes longer to start than all of this. What is not known
 * here, as debug information, is left to a linker. */
#include <elf.h>
#include <string.h>

#include "artefact/artefact.h"

/* Parts of the file that objects have a share in, in their order. */
typedef enum Kind { TEXT, RODATA, RELRO, NKINDS, OTHER = NKINDS } Kind;

/* Sections of the file. */
enum { HASH, DYNSYM, DYNSTR, RELA, FIRST_KIND, DYNAMIC = FIRST_KIND + NKINDS };
enum { SYMTAB = DYNAMIC + 1, STRTAB, SHSTRTAB, NPLACES };

enum { PAGE_BYTES = 4096 };

typedef struct Input {
    const char *bytes;
    size_t n;
    const Elf64_Shdr *section;
    int nsection;
    const Elf64_Sym *symbol;
    int nsymbol;
    const char *name; /* of symbols, of so many bytes */
    size_t nname;
    Kind *kind;   /* of each section */
    uint64_t *at; /* where it begins in its part */
} Input;

/* A symbol that is defined. */
typedef struct Defined {
    const char *name;
    const Elf64_Sym *symbol;
    const Input *input;
    uint32_t hash;
} Defined;
typedef LIST(Defined) DefinedList;

typedef struct Place {
    uint64_t at, size, align;
} Place;

typedef struct Linking {
    Arena *arena;
    Input *input;
    int ninput;
    Place place[NPLACES];
    DefinedList local, global; /* global: seen from outside */
    Map known;                 /* Defined, of what other objects see, by name */
    Intern *names;
    Elf64_Rela *rela;
    int nrela;
    char *file;
} Linking;

/* Objects. */

static uint64_t up_to(uint64_t n, uint64_t multiple)
{
    return (n + multiple - 1) & ~(multiple - 1);
}

static bool is_inside(const Input *in, uint64_t at, uint64_t size)
{
    return at <= in->n && size <= in->n - at;
}

/* All that is read of an object is in it, and aligned. */
static bool read_header(Input *in)
{
    const Elf64_Ehdr *h = (const void *)in->bytes;
    static const unsigned char ident[] = {ELFMAG0,    ELFMAG1,      ELFMAG2,
                                          ELFMAG3,    ELFCLASS64,   ELFDATA2LSB,
                                          EV_CURRENT, ELFOSABI_NONE};
    if (in->n < sizeof *h || memcmp(h->e_ident, ident, sizeof ident) != 0 ||
        h->e_type != ET_REL || h->e_machine != EM_X86_64 ||
        h->e_shentsize != sizeof(Elf64_Shdr) || h->e_shoff % 8 ||
        !is_inside(in, h->e_shoff, h->e_shnum * sizeof(Elf64_Shdr)) ||
        h->e_shstrndx >= h->e_shnum)
        return false;
    in->section = (const void *)(in->bytes + h->e_shoff);
    in->nsection = h->e_shnum;
    return true;
}

static const char *text_at(const Input *in, const Elf64_Shdr *strings,
                           uint32_t at)
{
    const char *s = in->bytes + strings->sh_offset;
    bool ends = strings->sh_size && !s[strings->sh_size - 1];
    return ends && at < strings->sh_size ? s + at : NULL;
}

static Kind kind_of(const Elf64_Shdr *s)
{
    uint64_t flags = s->sh_flags & ~(uint64_t)(SHF_MERGE | SHF_STRINGS);
    if (s->sh_type != SHT_PROGBITS || s->sh_size == 0)
        return OTHER;
    return flags == (SHF_ALLOC | SHF_EXECINSTR) ? TEXT
           : flags == SHF_ALLOC                 ? RODATA
           : flags == (SHF_ALLOC | SHF_WRITE)   ? RELRO
                                                : OTHER;
}

/* May it be left out where it is none of the parts? */
static bool is_superfluous(const Elf64_Shdr *s, const char *name)
{
    static const uint32_t tables[] = {SHT_NULL, SHT_STRTAB, SHT_SYMTAB,
                                      SHT_RELA, 0x6fff4c03 /* addrsig */};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (s->sh_type == tables[i])
            return true;
    return s->sh_size == 0 || strcmp(name, ".comment") == 0;
}

static bool read_symbols(Input *in, const Elf64_Shdr *s)
{
    if (in->symbol || s->sh_entsize != sizeof(Elf64_Sym) || s->sh_offset % 8 ||
        s->sh_link >= (uint32_t)in->nsection)
        return false;
    const Elf64_Shdr *strings = &in->section[s->sh_link];
    if (!is_inside(in, strings->sh_offset, strings->sh_size))
        return false;
    in->symbol = (const void *)(in->bytes + s->sh_offset);
    in->nsymbol = (int)(s->sh_size / sizeof(Elf64_Sym));
    in->name = in->bytes + strings->sh_offset;
    in->nname = strings->sh_size;
    return in->nname && !in->name[in->nname - 1];
}

/* Its sections get their places behind those of the objects before. */
static bool place_section(Linking *l, Input *in, int i, const char *name)
{
    const Elf64_Shdr *s = &in->section[i];
    Kind k = in->kind[i] = kind_of(s);
    if (k == OTHER)
        return is_superfluous(s, name);
    if (k == RELRO && strncmp(name, ".data.rel.ro", 12) != 0)
        return false;
    Place *p = &l->place[FIRST_KIND + k];
    uint64_t align = s->sh_addralign ? s->sh_addralign : 1;
    if (align > PAGE_BYTES || (align & (align - 1)))
        return false;
    p->align = align > p->align ? align : p->align;
    in->at[i] = up_to(p->size, align);
    p->size = in->at[i] + s->sh_size;
    return true;
}

static bool read_object(Linking *l, Input *in)
{
    if (!read_header(in))
        return false;
    const Elf64_Ehdr *h = (const void *)in->bytes;
    const Elf64_Shdr *names = &in->section[h->e_shstrndx];
    if (!is_inside(in, names->sh_offset, names->sh_size))
        return false;
    in->kind = NEWN(l->arena, Kind, in->nsection + 1);
    in->at = NEWN(l->arena, uint64_t, in->nsection + 1);
    for (int i = 0; i < in->nsection; i++) {
        const Elf64_Shdr *s = &in->section[i];
        const char *name = text_at(in, names, s->sh_name);
        bool bytes = s->sh_type != SHT_NULL && s->sh_type != SHT_NOBITS;
        if (!name || (bytes && !is_inside(in, s->sh_offset, s->sh_size)) ||
            !place_section(l, in, i, name) ||
            (s->sh_type == SHT_SYMTAB && !read_symbols(in, s)))
            return false;
    }
    return in->symbol;
}

/* Symbols. */

static Kind part_of(const Input *in, const Elf64_Sym *s)
{
    return s->st_shndx < in->nsection ? in->kind[s->st_shndx] : OTHER;
}

static uint32_t hash_of(const char *name)
{
    uint32_t h = 5381;
    while (*name)
        h = h * 33 + (unsigned char)*name++;
    return h;
}

/* One that has a name and a value. */
static bool define(Linking *l, const Input *in, const Elf64_Sym *s)
{
    const char *name = in->name + s->st_name;
    Defined d = {name, s, in, hash_of(name)};
    if (part_of(in, s) == OTHER || strchr(name, '@'))
        return false;
    bool seen = ELF64_ST_VISIBILITY(s->st_other) == STV_DEFAULT;
    if (ELF64_ST_VISIBILITY(s->st_other) == STV_PROTECTED)
        return false;
    if (ELF64_ST_BIND(s->st_info) == STB_LOCAL) {
        list_push(l->arena, &l->local, d);
        return true;
    }
    if (ELF64_ST_BIND(s->st_info) != STB_GLOBAL)
        return false;
    const char *key = intern(l->names, name);
    if (map_of(&l->known, key))
        return false;
    map_set(l->arena, &l->known, key, arena_copy(l->arena, &d, sizeof d));
    if (seen)
        list_push(l->arena, &l->global, d);
    else
        list_push(l->arena, &l->local, d);
    return true;
}

static bool read_defined(Linking *l, const Input *in)
{
    for (int i = 0; i < in->nsymbol; i++) {
        const Elf64_Sym *s = &in->symbol[i];
        if (s->st_name >= in->nname)
            return false;
        if (s->st_shndx == SHN_UNDEF)
            continue;
        switch (ELF64_ST_TYPE(s->st_info)) {
        case STT_FILE:
        case STT_SECTION:
            continue;
        case STT_NOTYPE:
            if (ELF64_ST_BIND(s->st_info) == STB_LOCAL)
                continue; /* a place in code */
            return false;
        case STT_FUNC:
        case STT_OBJECT:
            if (!define(l, in, s))
                return false;
            continue;
        default:
            return false;
        }
    }
    return true;
}

static uint64_t address(const Linking *l, const Input *in, const Elf64_Sym *s)
{
    return l->place[FIRST_KIND + part_of(in, s)].at + in->at[s->st_shndx] +
           s->st_value;
}

/* Where symbol i of an object is; false: not known. */
static bool find_symbol(const Linking *l, const Input *in, uint64_t i,
                        uint64_t *at)
{
    if (i >= (uint64_t)in->nsymbol)
        return false;
    const Elf64_Sym *s = &in->symbol[i];
    if (s->st_shndx == SHN_UNDEF) {
        const Defined *d =
            map_of(&l->known, intern(l->names, in->name + s->st_name));
        if (d)
            *at = address(l, d->input, d->symbol);
        return d;
    }
    if (part_of(in, s) == OTHER)
        return false;
    *at = address(l, in, s);
    return true;
}

/* By bucket of the hash table. */
static uint32_t buckets(const Linking *l)
{
    return (uint32_t)l->global.n / 2 + 1;
}

static void sort_globals(Linking *l)
{
    Defined *sorted = NEWN(l->arena, Defined, l->global.n + 1);
    int n = 0;
    for (uint32_t b = 0; b < buckets(l); b++)
        for (int i = 0; i < l->global.n; i++)
            if (l->global.at[i].hash % buckets(l) == b)
                sorted[n++] = l->global.at[i];
    l->global.at = sorted;
}

/* Tables of symbols. */

static Elf64_Sym symbol_row(const Linking *l, const Defined *d, uint32_t name)
{
    Elf64_Sym s = *d->symbol;
    s.st_name = name;
    s.st_shndx = (Elf64_Section)(1 + FIRST_KIND + part_of(d->input, d->symbol));
    s.st_value = address(l, d->input, d->symbol);
    if (ELF64_ST_VISIBILITY(s.st_other) != STV_DEFAULT)
        s.st_info = ELF64_ST_INFO(STB_LOCAL, ELF64_ST_TYPE(s.st_info));
    return s;
}

static void put(Linking *l, int place, size_t at, const void *from, size_t n)
{
    memcpy(l->file + l->place[place].at + at, from, n);
}

/* Rows from row `first` on, and their names behind *used bytes of others; *used
 * counts them too then. */
static void put_symbols(Linking *l, int rows, int names, int first,
                        const DefinedList *list, size_t *used)
{
    for (int i = 0; i < list->n; i++) {
        const Defined *d = &list->at[i];
        Elf64_Sym s = symbol_row(l, d, (uint32_t)*used);
        size_t n = strlen(d->name) + 1;
        put(l, rows, (size_t)(first + i) * sizeof s, &s, sizeof s);
        put(l, names, *used, d->name, n);
        *used += n;
    }
}

static size_t names_size(const DefinedList *list)
{
    size_t n = 0;
    for (int i = 0; i < list->n; i++)
        n += strlen(list->at[i].name) + 1;
    return n;
}

/* Buckets, and hashes of the symbols in their order; one word of the filter
 * that says which surely are not there. */
static void put_hash(Linking *l)
{
    enum { SHIFT = 6 };
    uint32_t n = buckets(l), head[] = {n, 1, 1, SHIFT};
    uint64_t filter = 0;
    uint32_t *bucket = NEWN(l->arena, uint32_t, n);
    size_t at = sizeof head + sizeof filter + n * sizeof *bucket;
    for (int i = 0; i < l->global.n; i++) {
        uint32_t h = l->global.at[i].hash, b = h % n;
        bool last = i + 1 == l->global.n || l->global.at[i + 1].hash % n != b;
        uint32_t chain = (h & ~1u) | last;
        filter |= UINT64_C(1) << h % 64 | UINT64_C(1) << (h >> SHIFT) % 64;
        if (!bucket[b])
            bucket[b] = (uint32_t)i + 1;
        put(l, HASH, at + (size_t)i * sizeof chain, &chain, sizeof chain);
    }
    put(l, HASH, 0, head, sizeof head);
    put(l, HASH, sizeof head, &filter, sizeof filter);
    put(l, HASH, sizeof head + sizeof filter, bucket, n * sizeof *bucket);
}

/* References. */

static bool fits(int64_t v) { return v >= INT32_MIN && v <= INT32_MAX; }

/* One, in a section of that kind that begins at `base`. */
static bool refer(Linking *l, const Input *in, Kind kind, uint64_t base,
                  uint64_t size, const Elf64_Rela *r)
{
    uint64_t to, type = ELF64_R_TYPE(r->r_info), from = base + r->r_offset;
    uint64_t width = type == R_X86_64_64 ? 8 : 4;
    if (!find_symbol(l, in, ELF64_R_SYM(r->r_info), &to) ||
        r->r_offset > size || size - r->r_offset < width)
        return false;
    to += (uint64_t)r->r_addend;
    int64_t away = (int64_t)(to - from);
    int32_t near = (int32_t)away;
    switch (type) {
    case R_X86_64_64:
        if (kind != RELRO)
            return false;
        l->rela[l->nrela++] =
            (Elf64_Rela){from, ELF64_R_INFO(0, R_X86_64_RELATIVE), (int64_t)to};
        memset(l->file + from, 0, 8);
        return true;
    case R_X86_64_PC32:
    case R_X86_64_PLT32:
        memcpy(l->file + from, &near, sizeof near);
        return fits(away);
    default:
        return false;
    }
}

/* How many addresses the loader has to fill in. */
static int count_addresses(const Input *in)
{
    int n = 0;
    for (int i = 0; i < in->nsection; i++)
        if (in->section[i].sh_type == SHT_RELA)
            n += (int)(in->section[i].sh_info < (uint32_t)in->nsection &&
                               in->kind[in->section[i].sh_info] == RELRO
                           ? in->section[i].sh_size / sizeof(Elf64_Rela)
                           : 0);
    return n;
}

static bool refer_all(Linking *l, const Input *in, const Elf64_Shdr *s)
{
    if (s->sh_info >= (uint32_t)in->nsection || s->sh_offset % 8)
        return false;
    Kind kind = in->kind[s->sh_info];
    if (kind == OTHER)
        return false;
    uint64_t base = l->place[FIRST_KIND + kind].at + in->at[s->sh_info];
    const Elf64_Rela *r = (const void *)(in->bytes + s->sh_offset);
    for (uint64_t i = 0; i < s->sh_size / sizeof *r; i++)
        if (!refer(l, in, kind, base, in->section[s->sh_info].sh_size, &r[i]))
            return false;
    return true;
}

static bool put_object(Linking *l, const Input *in)
{
    for (int i = 0; i < in->nsection; i++) {
        const Elf64_Shdr *s = &in->section[i];
        if (in->kind[i] != OTHER)
            put(l, FIRST_KIND + (int)in->kind[i], in->at[i],
                in->bytes + s->sh_offset, s->sh_size);
    }
    for (int i = 0; i < in->nsection; i++)
        if (in->section[i].sh_type == SHT_RELA &&
            !refer_all(l, in, &in->section[i]))
            return false;
    return true;
}

/* The file. */

static const struct {
    const char *name;
    uint32_t type;
    uint64_t flags, align, each;
    int link;
} places[NPLACES] = {
    [HASH] = {".gnu.hash", SHT_GNU_HASH, SHF_ALLOC, 8, 0, DYNSYM},
    [DYNSYM] = {".dynsym", SHT_DYNSYM, SHF_ALLOC, 8, sizeof(Elf64_Sym), DYNSTR},
    [DYNSTR] = {".dynstr", SHT_STRTAB, SHF_ALLOC, 1, 0, -1},
    [RELA] = {".rela.dyn", SHT_RELA, SHF_ALLOC, 8, sizeof(Elf64_Rela), DYNSYM},
    [FIRST_KIND +
        TEXT] = {".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, 16, 0, -1},
    [FIRST_KIND + RODATA] = {".rodata", SHT_PROGBITS, SHF_ALLOC, 16, 0, -1},
    [FIRST_KIND + RELRO] = {".data.rel.ro", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE,
                            16, 0, -1},
    [DYNAMIC] = {".dynamic", SHT_DYNAMIC, SHF_ALLOC | SHF_WRITE, 8,
                 sizeof(Elf64_Dyn), DYNSTR},
    [SYMTAB] = {".symtab", SHT_SYMTAB, 0, 8, sizeof(Elf64_Sym), STRTAB},
    [STRTAB] = {".strtab", SHT_STRTAB, 0, 1, 0, -1},
    [SHSTRTAB] = {".shstrtab", SHT_STRTAB, 0, 1, 0, -1},
};
enum { NSEGMENTS = 5, NDYNAMIC = 13 };

static size_t section_names(void)
{
    size_t n = 1;
    for (int i = 0; i < NPLACES; i++)
        n += strlen(places[i].name) + 1;
    return n;
}

/* What is written while it is loaded, and never again, ends with a page. */
static uint64_t relro_begin(const Linking *l, uint64_t at)
{
    const Place *p = &l->place[FIRST_KIND + RELRO];
    uint64_t size = up_to(up_to(p->size, 8) + l->place[DYNAMIC].size, p->align);
    return up_to(up_to(at, PAGE_BYTES) + size, PAGE_BYTES) - size;
}

/* Addresses are places in the file. */
static uint64_t lay_out(Linking *l, const char *soname)
{
    Place *p = l->place;
    size_t nglobal = (size_t)l->global.n;
    p[HASH].size = 24 + 4 * (buckets(l) + nglobal);
    p[DYNSYM].size = (1 + nglobal) * sizeof(Elf64_Sym);
    p[DYNSTR].size =
        1 + names_size(&l->global) + (soname ? strlen(soname) + 1 : 0);
    p[RELA].size = (size_t)l->nrela * sizeof(Elf64_Rela);
    p[DYNAMIC].size = NDYNAMIC * sizeof(Elf64_Dyn);
    p[SYMTAB].size = p[DYNSYM].size + (size_t)l->local.n * sizeof(Elf64_Sym);
    p[STRTAB].size = 1 + names_size(&l->global) + names_size(&l->local);
    p[SHSTRTAB].size = section_names();
    uint64_t at = sizeof(Elf64_Ehdr) + NSEGMENTS * sizeof(Elf64_Phdr);
    for (int i = 0; i < NPLACES; i++) {
        if (p[i].align < places[i].align)
            p[i].align = places[i].align;
        at = i == FIRST_KIND + RELRO ? relro_begin(l, at)
                                     : up_to(at, p[i].align);
        p[i].at = at;
        at += p[i].size;
    }
    return up_to(at, 8);
}

static void put_dynamic(Linking *l, uint64_t soname)
{
    const Place *p = l->place;
    Elf64_Dyn d[NDYNAMIC] = {
        {DT_GNU_HASH, {p[HASH].at}},      {DT_STRTAB, {p[DYNSTR].at}},
        {DT_SYMTAB, {p[DYNSYM].at}},      {DT_STRSZ, {p[DYNSTR].size}},
        {DT_SYMENT, {sizeof(Elf64_Sym)}}, {DT_FLAGS, {DF_BIND_NOW}},
        {DT_FLAGS_1, {DF_1_NOW}},
    };
    int n = 7;
    if (l->nrela) {
        d[n++] = (Elf64_Dyn){DT_RELA, {p[RELA].at}};
        d[n++] = (Elf64_Dyn){DT_RELASZ, {p[RELA].size}};
        d[n++] = (Elf64_Dyn){DT_RELAENT, {sizeof(Elf64_Rela)}};
        d[n++] = (Elf64_Dyn){DT_RELACOUNT, {(uint64_t)l->nrela}};
    }
    if (soname)
        d[n++] = (Elf64_Dyn){DT_SONAME, {soname}};
    put(l, DYNAMIC, 0, d, sizeof d);
}

static Elf64_Phdr segment(uint32_t type, uint32_t flags, uint64_t from,
                          uint64_t to, uint64_t align)
{
    return (Elf64_Phdr){type, flags,     from,      from,
                        from, to - from, to - from, align};
}

static void put_segments(Linking *l)
{
    const Place *p = l->place;
    const Place *code = &p[FIRST_KIND + RODATA], *data = &p[FIRST_KIND + RELRO];
    uint64_t dynamic = p[DYNAMIC].at, end = dynamic + p[DYNAMIC].size;
    Elf64_Phdr h[NSEGMENTS] = {
        segment(PT_LOAD, PF_R | PF_X, 0, code->at + code->size, PAGE_BYTES),
        segment(PT_LOAD, PF_R | PF_W, data->at, end, PAGE_BYTES),
        segment(PT_DYNAMIC, PF_R | PF_W, dynamic, end, 8),
        segment(PT_GNU_STACK, PF_R | PF_W, 0, 0, 16),
        segment(PT_GNU_RELRO, PF_R, data->at, up_to(end, PAGE_BYTES), 1),
    };
    memcpy(l->file + sizeof(Elf64_Ehdr), h, sizeof h);
}

static void put_sections(Linking *l, uint64_t headers)
{
    Elf64_Shdr h[NPLACES + 1] = {{0}};
    size_t name = 1;
    for (int i = 0; i < NPLACES; i++) {
        const Place *p = &l->place[i];
        size_t n = strlen(places[i].name) + 1;
        bool loaded = places[i].flags & SHF_ALLOC;
        h[i + 1] = (Elf64_Shdr){
            .sh_name = (uint32_t)name,
            .sh_type = places[i].type,
            .sh_flags = places[i].flags,
            .sh_addr = loaded ? p->at : 0,
            .sh_offset = p->at,
            .sh_size = p->size,
            .sh_link = (uint32_t)(places[i].link + 1),
            .sh_info = i == SYMTAB   ? (uint32_t)l->local.n + 1
                       : i == DYNSYM ? 1
                                     : 0,
            .sh_addralign = p->align,
            .sh_entsize = places[i].each,
        };
        put(l, SHSTRTAB, name, places[i].name, n);
        name += n;
    }
    memcpy(l->file + headers, h, sizeof h);
}

static void put_header(Linking *l, uint64_t headers)
{
    Elf64_Ehdr h = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
                    EV_CURRENT},
        .e_type = ET_DYN,
        .e_machine = EM_X86_64,
        .e_version = EV_CURRENT,
        .e_phoff = sizeof h,
        .e_shoff = headers,
        .e_ehsize = sizeof h,
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = NSEGMENTS,
        .e_shentsize = sizeof(Elf64_Shdr),
        .e_shnum = NPLACES + 1,
        .e_shstrndx = SHSTRTAB + 1,
    };
    memcpy(l->file, &h, sizeof h);
}

static bool put_all(Linking *l, const char *soname, uint64_t headers)
{
    size_t names = 1, dynamic_names = 1;
    for (int i = 0; i < l->ninput; i++)
        if (!put_object(l, &l->input[i]))
            return false;
    put(l, RELA, 0, l->rela, (size_t)l->nrela * sizeof *l->rela);
    put_symbols(l, DYNSYM, DYNSTR, 1, &l->global, &dynamic_names);
    if (soname)
        put(l, DYNSTR, dynamic_names, soname, strlen(soname) + 1);
    put_symbols(l, SYMTAB, STRTAB, 1, &l->local, &names);
    put_symbols(l, SYMTAB, STRTAB, 1 + l->local.n, &l->global, &names);
    put_hash(l);
    put_dynamic(l, soname ? dynamic_names : 0);
    put_segments(l);
    put_sections(l, headers);
    put_header(l, headers);
    return true;
}

static const char *aligned(Arena *a, const Object *o)
{
    return (uintptr_t)o->bytes % 8 ? arena_copy(a, o->bytes, o->n) : o->bytes;
}

bool elf_link(Arena *a, const Object *object, int n, const char *soname,
              Object *to)
{
    Linking l = {.arena = a, .names = intern_new(a), .ninput = n};
    l.input = NEWN(a, Input, n + 1);
    for (int i = 0; i < n; i++) {
        l.input[i].n = object[i].n;
        l.input[i].bytes = aligned(a, &object[i]);
        if (!read_object(&l, &l.input[i]) || !read_defined(&l, &l.input[i]))
            return false;
        l.nrela += count_addresses(&l.input[i]);
    }
    sort_globals(&l);
    l.rela = NEWN(a, Elf64_Rela, l.nrela + 1);
    uint64_t headers = lay_out(&l, soname);
    to->n = headers + (NPLACES + 1) * sizeof(Elf64_Shdr);
    l.file = NEWN(a, char, to->n);
    to->bytes = l.file;
    l.nrela = 0;
    return put_all(&l, soname, headers);
}
