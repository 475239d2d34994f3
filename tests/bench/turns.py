"""turns.py: ours and its peers by turns in one process, on one core; rows for judge.awk.
NNCC is the compiler. What a script imports after this computes in one thread."""
import atexit
import ctypes
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["OMP_NUM_THREADS"] = "1"
os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
here = os.path.dirname(os.path.abspath(__file__))
top = os.path.dirname(os.path.dirname(here))
sys.path.insert(0, os.path.join(top, "python"))

import numpy as np
from nncc import _abi

LEAST_ROUNDS, MOST_ROUNDS = 20, 100
work = tempfile.mkdtemp()
atexit.register(shutil.rmtree, work)


def run(*command):
    subprocess.run(command, check=True)


def c_library(name, *files, flags=("-O3", "-march=native")):
    """Of C files."""
    to = os.path.join(work, name + ".so")
    run("gcc", "-shared", "-fPIC", *flags, "-I" + os.path.join(top, "runtime"), *files, "-o", to, "-lm")
    return ctypes.CDLL(to)


gcc = "C, gcc " + subprocess.run(["gcc", "-dumpfullversion"], capture_output=True, text=True).stdout.strip()
helper = c_library("again", os.path.join(here, "again.c"))


def jax(wide=False):
    """JAX, or None where there is none. A call gives its result when it is done."""
    try:
        import jax as found
    except ImportError:
        return None
    found.config.update("jax_enable_x64", wide)
    found.config.update("jax_cpu_enable_async_dispatch", False)
    return found


def torch():
    """PyTorch, or None where there is none."""
    try:
        import torch as found
    except ImportError:
        return None
    logging.getLogger("torch").setLevel(logging.ERROR)
    found.set_num_threads(1)
    return found


def version(library):
    """Of a peer; JAX's with what allocates its memory, PyTorch's with the instructions that
    it found."""
    name = f"{library.__name__} {library.__version__.split('+')[0]}"
    if library.__name__ == "torch":
        return f"{name} {library.backends.cpu.get_cpu_capability()}"
    if library.__name__ == "jax":
        return f"{name} {'je' if 'jemalloc' in os.environ.get('LD_PRELOAD', '') else ''}malloc"
    return name


class Module:
    """A program of ours, compiled."""

    def __init__(self, file, real="f32", options=()):
        name = os.path.splitext(os.path.basename(file))[0]
        to = os.path.join(work, f"{name}-{real}{len(os.listdir(work))}.so")
        run(os.environ["NNCC"], os.path.join(here, file), "--name=" + name, "--real=" + real,
            "--cpu=native", *options, "-o", to)
        table = getattr(ctypes.CDLL(to), name + "_module")
        table.restype = ctypes.POINTER(_abi.nn_module)
        self.functions = {f.contents.name.decode(): f.contents
                          for f in table().contents.function[:table().contents.nfunction]}

    def call(self, name, *given, **dims):
        """A call of a function; what is given are its parameters' leaves in order."""
        return Call(self.functions[name], given, dims)


class Call:
    def __init__(self, function, given, dims):
        self.function = function
        names = [function.dim[i].decode() for i in range(function.ndim)]
        self.dims = (ctypes.c_int64 * max(len(names), 1))(*(dims[n] for n in names))
        ports = [function.param[i].contents for i in range(function.nparam)]
        before = sum(p.nleaf for p in ports)
        ports += [function.result[i].contents for i in range(function.nresult)]
        leaves = [p.leaf[j].contents for p in ports for j in range(p.nleaf)]
        sizes = (ctypes.c_int64 * (sum(leaf.rank for leaf in leaves) + 1))()
        function.sizes(self.dims, sizes)
        self.leaves, at = [], 0
        for i, leaf in enumerate(leaves):
            shape, dtype = tuple(sizes[at:at + leaf.rank]), np.dtype(_abi.DTYPES[leaf.dtype])
            at += leaf.rank
            self.leaves.append(aligned(shape, dtype))
            if i < before:
                self.leaves[-1][...] = given[i]
        self.results = self.leaves[before:]
        self.address = (ctypes.c_void_p * len(leaves))(*(a.ctypes.data for a in self.leaves))
        self.room = function.workspace(self.dims)
        self.workspace = aligned((self.room + 64,), np.uint8)

    def __call__(self, times=1):
        status = helper.again(ctypes.byref(self.function), times, self.address, self.dims,
                              ctypes.c_void_p(self.workspace.ctypes.data))
        if status:
            sys.exit(f"{self.function.name.decode()} fails: {status}")


def training(module, *data, **dims):
    """The step of its only `train` item, on such data, and the parameters that it starts from.
    The loss is the first of its results."""
    init = module.call("init", 1)
    init()
    step = module.functions["step"]
    ports = [step.param[i].contents for i in range(step.nparam)]
    given = [*init.results, *data, *(p.value for p in ports if p.has_value)]
    return module.call("step", *given, **dims), init.results[:ports[0].nleaf]


def aligned(shape, dtype):
    n = int(np.prod(shape)) * np.dtype(dtype).itemsize
    whole = np.zeros(n + 64, np.uint8)
    at = -whole.ctypes.data % 64
    return whole[at:at + n].view(dtype).reshape(shape)


def repeat(f):
    """A way to compute, of a function without arguments."""

    def way(times=1):
        for _ in range(times):
            f()

    return way


def clock(way, times):
    """Seconds of processor time of a run: others on a busy machine do not add to that."""
    start = time.process_time()
    way(times)
    return (time.process_time() - start) / times


def repeats(way):
    """How often it runs in a round."""
    way()
    n = 1
    while clock(way, n) * n < 2e-4:
        n *= 2
    return n


def take_turns(ways):
    """For each the best and the median time of rounds, each so long that the clock does not
    matter."""
    times = [repeats(way) for way in ways]
    whole = sum(clock(way, n) * n for way, n in zip(ways, times))
    rounds = min(max(int(0.3 / whole), LEAST_ROUNDS), MOST_ROUNDS)
    took = [[] for _ in ways]
    for _ in range(rounds):
        for way, n, to in zip(ways, times, took):
            to.append(clock(way, n))
    return [(min(t), sorted(t)[len(t) // 2]) for t in took]


def text_of(seconds):
    for unit in "s", "ms", "us", "ns":
        if seconds >= 0.9995 or unit == "ns":
            return f"{seconds:.3g} {unit}"
        seconds *= 1000


def digits(ratio):
    return f"{ratio:.3g}" if ratio < 999.5 else f"{ratio:.0f}"


def row(*fields):
    print(*fields, sep="\t", flush=True)


def rows(what, target, ours, *peers):
    """A row for each (name, way) of the peers: how many times as long it takes."""
    if not peers:
        return without(what, target, "peer")
    times = take_turns([ours, *(way for _, way in peers)])
    for (name, _), (best, median) in zip(peers, times[1:]):
        row(what, name, digits(best / times[0][0]), digits(median / times[0][1]), f">= {target}" if target else "",
            f"{text_of(times[0][0])} : {text_of(best)}")


def without(what, target, *peers):
    for peer in peers:
        row(what, peer, "", "", f">= {target}", f"no {peer}")


def same(what, ours, theirs, most):
    """Stops where results that are to be the same are not."""
    for a, b in zip(ours, theirs, strict=True):
        a, b = np.asarray(a, float).ravel(), np.asarray(b, float).ravel()
        away = np.linalg.norm(a - b) / max(np.linalg.norm(b), 1e-300)
        if not away <= most:
            sys.exit(f"{what}: the results differ by {away:.3g}")
