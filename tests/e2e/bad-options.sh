# bad-options.sh: command lines that are wrong: what is said, and nothing made.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'END'
struct P { a: real, b: real[2] }
fn f(x: real[n], k: real) -> real = k * sum(x);
fn g(p: P) -> real = p.a + sum(p.b);
export f, g;
END
run="$NNCC run m.nn"

# Commands and options.
refuse 2 "'chekc' is neither a command nor a file.*'check'" "$NNCC" chekc m.nn
refuse 2 'which model' "$NNCC" -O2
refuse 2 "unknown option '--opt'" "$NNCC" m.nn --opt
refuse 2 "unknown option '-z'" "$NNCC" m.nn -z
refuse 2 "'--dim' needs a value, NAME=SIZE" "$NNCC" m.nn --dim
refuse 2 "'-o' needs a value" "$NNCC" m.nn -o
refuse 2 "'--help' takes no value" "$NNCC" m.nn --help=3
refuse 2 "'-O' is 0, 1, 2, 3 or s, not '9'" "$NNCC" m.nn -O9 -o m.so
refuse 2 "'--dim' needs a name and a size, like b=64, not 'n'" "$NNCC" m.nn --dim n
refuse 2 "no exported function has a free dimension 'q'" "$NNCC" m.nn --max q=3 -o m.so
refuse 2 "'--seed' needs a whole number of at least" "$NNCC" check m.nn --seed=x
refuse 2 "'--real' is f32 or f64, not 'half'" "$NNCC" m.nn --real=half -o m.so
refuse 2 "'--name' is an identifier of C.*, not '2nd'" "$NNCC" m.nn --name=2nd -o m.so
refuse 2 "'--name' is an identifier of C.*, not ''" "$NNCC" m.nn --name= -o m.so
refuse 2 'one model at a time' "$NNCC" check m.nn n.nn

# Values of arguments.
refuse 2 "which function of m\.nn" $run
refuse 1 "an argument is written name=value, not '3'" $run f 3
refuse 1 "'k' is given twice" $run f 'x=[1]' k=1 k=2
refuse 1 'f needs k, a value of type' $run f 'x=[1]'
refuse 1 'x: expected an array, found' $run f x=1 k=1
refuse 1 'x\[0\]: expected .*found an array' $run f 'x=[[1]]' k=1
refuse 1 'k=.*: this is neither a number nor JSON' $run f 'x=[1]' 'k=[1,'
refuse 1 'p: .*has no field|no field' $run g 'p={"a":1,"b":[1,2],"c":3}'
refuse 1 'p: ' $run g 'p={"a":1}'
refuse 1 'p\.b.* has shape \[3\]; expected \[2\]$' $run g 'p={"a":1,"b":[1,2,3]}'
refuse 1 'x: .*json, .csv, .csv.gz, .npy, .npz or .safetensors' $run f x=@m.nn k=1
refuse 1 'none\.json: no such file' $run f x=@none.json k=1
refuse 1 "n: a dimension is a whole number, not 'x'" $run f 'x=[1]' k=1 n=x
refuse 1 'unknown CPU .x86-63.: did you mean' "$NNCC" m.nn --cpu=x86-63 -o m.o
refuse 1 'NNCC_CPU: unknown CPU .x86-63.' env NNCC_CPU=x86-63 "$NNCC" m.nn -o m.o
