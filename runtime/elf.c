/* elf.c: what a shared library says of itself, read without running it. */
#include "nn_internal.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if UINTPTR_MAX > UINT32_MAX
typedef Elf64_Ehdr Header;
typedef Elf64_Phdr Segment;
typedef Elf64_Shdr Section;
typedef Elf64_Sym Symbol;
enum { OUR_CLASS = ELFCLASS64 };
#else
typedef Elf32_Ehdr Header;
typedef Elf32_Phdr Segment;
typedef Elf32_Shdr Section;
typedef Elf32_Sym Symbol;
enum { OUR_CLASS = ELFCLASS32 };
#endif

#define MAX_FILE ((size_t)1 << 30)
#define SUFFIX "_module"

typedef struct File {
    const char *path;
    unsigned char *bytes;
    size_t n;
    Header header;
} File;

static int no_module(const File *f, const char *why)
{
    return nncc_fail(NN_ERR_MODULE, "%s: %s", f->path, why);
}

/* Do `count` things of `size` bytes at `offset` lie within the file? */
static bool within(const File *f, uint64_t offset, uint64_t count,
                   uint64_t size)
{
    if (offset > f->n)
        return false;
    return size == 0 || count <= (f->n - offset) / size;
}

static int read_all(File *f, int fd)
{
    size_t done = 0;

    while (done < f->n) {
        ssize_t got = read(fd, f->bytes + done, f->n - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return nncc_fail(NN_ERR_FILE, "%s: %s", f->path, strerror(errno));
        if (got == 0)
            break;
        done += (size_t)got;
    }
    f->n = done;
    return NN_OK;
}

static int read_open(File *f, int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return nncc_fail(NN_ERR_FILE, "%s: %s", f->path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return nncc_fail(NN_ERR_FILE, "%s: is a directory, not a module",
                         f->path);
    if (!S_ISREG(st.st_mode))
        return nncc_fail(NN_ERR_FILE, "%s: is no regular file", f->path);
    if ((uint64_t)st.st_size > MAX_FILE)
        return no_module(f, "larger than 1 GiB: no module compiled by nncc");
    f->n = (size_t)st.st_size;
    f->bytes = nncc_alloc(f->n, 1, "a module's file");
    return f->bytes ? read_all(f, fd) : NN_ERR_MEMORY;
}

static int read_file(File *f)
{
    int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return nncc_fail(NN_ERR_FILE, "%s: %s", f->path, strerror(errno));
    int status = read_open(f, fd);
    close(fd);
    return status;
}

static int check_header(File *f)
{
    static const uint16_t probe = 1;
    int order = *(const unsigned char *)&probe ? ELFDATA2LSB : ELFDATA2MSB;
    const unsigned char *ident = f->bytes;

    if (f->n == 0)
        return no_module(f, "is empty; expected a shared library");
    if (f->n < SELFMAG || memcmp(ident, ELFMAG, SELFMAG) != 0)
        return no_module(f, "is no ELF file; expected a shared library "
                            "compiled by nncc");
    if (f->n < sizeof f->header)
        return no_module(f, "is cut short within the ELF header");
    memcpy(&f->header, f->bytes, sizeof f->header);
    if (ident[EI_CLASS] != OUR_CLASS || ident[EI_DATA] != order)
        return no_module(f, "is an ELF file for another kind of machine");
    if (f->header.e_type != ET_DYN)
        return no_module(f, "is an ELF file but no shared library");
    if (f->header.e_phentsize != sizeof(Segment) ||
        !within(f, f->header.e_phoff, f->header.e_phnum, sizeof(Segment)))
        return no_module(f, "is cut short: its program headers are missing");
    return NN_OK;
}

/* Loading a file that is shorter than its segments would end in SIGBUS. */
static int read_segments(const File *f, nncc_elf *e)
{
    for (size_t i = 0; i < f->header.e_phnum; i++) {
        Segment s;
        memcpy(&s, f->bytes + f->header.e_phoff + i * sizeof s, sizeof s);
        if (!within(f, s.p_offset, s.p_filesz, 1))
            return no_module(f, "is cut short: a segment lies beyond its end");
        if (s.p_type != PT_LOAD)
            continue;
        if (e->nsegment == NNCC_MAX_SEGMENT)
            return no_module(f, "has too many segments for a module");
        e->segment[e->nsegment++] =
            (nncc_segment){s.p_vaddr, s.p_memsz, (s.p_flags & PF_X) != 0};
    }
    return NN_OK;
}

/* The section of dynamic symbols and its strings. */
static int find_symbols(const File *f, Section *symbols, Section *strings)
{
    const Header *h = &f->header;
    Section s;

    if (h->e_shentsize != sizeof s || h->e_shnum == 0)
        return no_module(f, "has no section headers to find its symbols by");
    if (!within(f, h->e_shoff, h->e_shnum, sizeof s))
        return no_module(f, "is cut short: its section headers are missing");
    for (size_t i = 0; i < h->e_shnum; i++) {
        memcpy(&s, f->bytes + h->e_shoff + i * sizeof s, sizeof s);
        if (s.sh_type != SHT_DYNSYM || s.sh_link >= h->e_shnum)
            continue;
        *symbols = s;
        memcpy(strings, f->bytes + h->e_shoff + s.sh_link * sizeof s, sizeof s);
        if (!within(f, s.sh_offset, s.sh_size, 1) ||
            !within(f, strings->sh_offset, strings->sh_size, 1))
            return no_module(f, "is cut short: its symbols are missing");
        return NN_OK;
    }
    return no_module(f, "exports no symbols: no module compiled by nncc");
}

/* The symbol's name if it is an exported function NAME_module, else NULL. */
static const char *module_name(const File *f, const Symbol *s,
                               const Section *strings)
{
    int type = s->st_info & 15, binding = s->st_info >> 4;

    if (type != STT_FUNC || s->st_shndx == SHN_UNDEF ||
        (binding != STB_GLOBAL && binding != STB_WEAK) ||
        s->st_name >= strings->sh_size)
        return NULL;

    const unsigned char *name = f->bytes + strings->sh_offset + s->st_name;
    size_t most = strings->sh_size - s->st_name;
    const unsigned char *end = memchr(name, 0, most);
    size_t tail = sizeof SUFFIX - 1;

    if (!end || (size_t)(end - name) <= tail ||
        memcmp(end - tail, SUFFIX, tail) != 0)
        return NULL;
    return (const char *)name;
}

/* Is symbol NAME_module and the path …/NAME.so or …/libNAME.so…? */
static bool is_of_file(const char *symbol, const char *path)
{
    const char *base = strrchr(path, '/');
    size_t n = strlen(symbol) - (sizeof SUFFIX - 1);

    base = base ? base + 1 : path;
    if (strncmp(base, symbol, n) == 0 && (base[n] == '.' || !base[n]))
        return true;
    return strncmp(base, "lib", 3) == 0 && strncmp(base + 3, symbol, n) == 0 &&
           base[3 + n] == '.';
}

/* A library may well export some function something_module that has nothing to
 * do with nncc. It is called only if the file holds a descriptor's magic. */
static int find_magic(const File *f)
{
    static const uint32_t magic = NN_ABI_MAGIC;

    for (size_t i = 0; i + sizeof magic <= f->n; i += sizeof magic)
        if (memcmp(f->bytes + i, &magic, sizeof magic) == 0)
            return NN_OK;
    return no_module(f, "is a shared library but no module: it holds no "
                        "descriptor of nncc");
}

static int find_module(const File *f, nncc_elf *e)
{
    Section symbols = {0}, strings = {0};
    Symbol s;
    const char *found = NULL, *other = NULL;

    int status = find_symbols(f, &symbols, &strings);
    if (status)
        return status;
    for (size_t i = 0; i < symbols.sh_size / sizeof s; i++) {
        memcpy(&s, f->bytes + symbols.sh_offset + i * sizeof s, sizeof s);
        const char *name = module_name(f, &s, &strings);
        if (!name)
            continue;
        bool ours = is_of_file(name, f->path);
        if (found && !ours) {
            other = name;
            continue;
        }
        other = ours ? NULL : found;
        found = name;
        e->value = s.st_value;
        if (ours)
            break;
    }
    if (!found)
        return no_module(f, "is a shared library but no module: it exports "
                            "no function NAME" SUFFIX);
    status = find_magic(f);
    if (!status && other)
        status = nncc_fail(NN_ERR_MODULE,
                           "%s: exports several modules, %s and %s, none of "
                           "them named as the file",
                           f->path, found, other);
    if (status)
        return status;
    e->symbol = nncc_strdup(found);
    return e->symbol ? NN_OK : NN_ERR_MEMORY;
}

static int read_parts(File *f, nncc_elf *e)
{
    int status = read_file(f);

    if (!status)
        status = check_header(f);
    if (!status)
        status = read_segments(f, e);
    if (!status)
        status = find_module(f, e);
    return status;
}

int nncc_elf_read(const char *path, nncc_elf *e)
{
    File f = {.path = path};

    *e = (nncc_elf){0};
    int status = read_parts(&f, e);
    free(f.bytes);
    if (status)
        nncc_elf_free(e);
    return status;
}

void nncc_elf_free(nncc_elf *e)
{
    free(e->symbol);
    e->symbol = NULL;
}
