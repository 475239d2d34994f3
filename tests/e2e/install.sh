# install.sh: make install puts the compiler, libnn and its pkg-config file
# where asked, and a program builds from what is there.
. "$ROOT/tests/e2e-lib.sh"

make -s -C "$ROOT" B="$BUILD" PREFIX=/opt/nn DESTDIR="$PWD" install
for f in bin/nncc include/nn.h include/nn_abi.h lib/libnn.a lib/libnn.so.1 \
    lib/libnn.so lib/pkgconfig/libnn.pc share/man/man1/nncc.1 share/man/man3/libnn.3 \
    share/bash-completion/completions/nncc share/zsh/site-functions/_nncc; do
    [ -s "opt/nn/$f" ] || fail "$f is missing"
done
# libnn exports what nn.h declares and nothing else, also from the archive.
grep -o '\<nncc_[a-z_]*(' opt/nn/include/nn.h | tr -d '(' | sort -u >declared
for list in "nm -D opt/nn/lib/libnn.so.1" "nm opt/nn/lib/libnn.a"; do
    $list | awk '$2 ~ /^[A-TV-Z]$/ && $3 !~ /^_/ { print $3 }' | sort -u >exported
    diff declared exported || fail "$list: not what nn.h declares"
done
opt/nn/bin/nncc --version | grep -q 'nncc [0-9]' || fail "no version"
cat >m.nn <<'N'
fn f(x: real) -> real = x * x;
export f, grad(f, x) as g;
N
cat >main.c <<'C'
#include <nn.h>
#include <stdio.h>

int main(void)
{
    nncc_model *m;

    if (nncc_open("./m.so", &m)) {
        fprintf(stderr, "%s\n", nncc_last_error());
        return 1;
    }
    nncc_close(m);
    return 0;
}
C
accept opt/nn/bin/nncc m.nn -o m.so
flags=$(PKG_CONFIG_PATH=opt/nn/lib/pkgconfig pkg-config \
    --define-variable=prefix="$PWD/opt/nn" --cflags --libs libnn)
case $flags in *"-I$PWD/opt/nn/include"*-lnn*) ;; *) fail "flags: $flags" ;; esac

# Outside of the loader's path, as a reader installs it: the program starts, with
# the shared library.
make -s -C "$ROOT" B="$BUILD" PREFIX="$PWD/prefix" install >/dev/null
case $NNCC in
*/san/*) ;; # libnn there needs the sanitizers' libraries
*)
    flags=$(PKG_CONFIG_PATH=prefix/lib/pkgconfig pkg-config --cflags --libs libnn)
    accept $CC main.c $flags -o main
    readelf -d main | grep -q 'NEEDED.*libnn\.so' || fail "libnn is not shared"
    accept env -u LD_LIBRARY_PATH ./main
    ;;
esac
