"""The Python package against NumPy: NNCC is the compiler, PYTHONPATH has the package."""
import os
import subprocess
import tempfile
import threading
import unittest

import numpy as np

import nncc
from nncc import interop

MODEL = """
use nn;
use optim;
struct Net { hidden: Linear[3, 8], out: Linear[8, 2] }
fn predict(net: Net, x: real[b, 3]) -> real[b, 2] = x |> linear(net.hidden) |> tanh |> linear(net.out);
fn loss(net: Net, x: real[b, 3], y: int[b]) -> real = cross_entropy(predict(net, x), y);
train loss(net) { optimizer = adam(lr = 0.02); metric = accuracy(predict); }
export predict, value_and_grad(loss, net) as loss_grad, hvp(loss, net) as loss_hvp;
"""
SMALL = """
fn f(x: real[n], a: real = 2) -> real = sum(a * x * sin(x));
fn shift(x: real[n], y: real[n + 1]) -> real[n] = x + y[1:];
fn pick(x: real[n], i: int) -> real = x[i];
fn fill(k: int) -> real[k] = [i < k | real(i)];
fn both(p: (real, real[2])) -> (real, real[2]) = (p.0, p.1 * p.0);
fn flags(x: real[n]) -> bool[n] = x > 0;
export f, shift, pick, fill, both, flags, value_and_grad(f, x) as g;
"""


def careful(f, *args, **named):
    """The result of a call, and whether arguments were looked at one by one."""
    looked, slowly = [], f._slowly
    f._slowly = lambda *given: looked.append(1) or slowly(*given)
    try:
        return f(*args, **named), bool(looked)
    finally:
        f._slowly = slowly


class Calls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.m = nncc.compile(SMALL, real="f64")

    def test_values_and_gradients(self):
        x = np.linspace(-1, 1, 7)
        value, gradient = self.m.g(x)
        np.testing.assert_allclose(value, np.sum(2 * x * np.sin(x)), rtol=1e-13)
        np.testing.assert_allclose(gradient, 2 * np.sin(x) + 2 * x * np.cos(x), rtol=1e-13)
        self.assertEqual(self.m.f(x, a=0), 0)
        self.assertAlmostEqual(self.m.f([1, 2]), float(np.sum(2 * np.array([1, 2]) * np.sin([1, 2]))))
        self.assertAlmostEqual(self.m.f(x=x[::2], a=1.0), float(np.sum(x[::2] * np.sin(x[::2]))))

    def test_shapes(self):
        np.testing.assert_array_equal(self.m.shift([1.0, 2], [0, 10, 20]), [11, 22])
        with self.assertRaisesRegex(ValueError, r"'y' is \[2\]; expected \[n \+ 1\], here \[3\]|'x'"):
            self.m.shift([1.0, 2], [10, 20])
        with self.assertRaisesRegex(ValueError, "'x' has 2 axes"):
            self.m.f([[1.0]])
        np.testing.assert_array_equal(self.m.fill(k=4), [0, 1, 2, 3])
        self.assertEqual(self.m.f(np.empty(0)), 0)

    def test_arguments(self):
        for call, said in [
            (lambda: self.m.f(), "f needs 'x'"),
            (lambda: self.m.f(1, 2, 3), "takes 2 arguments, not 3"),
            (lambda: self.m.f([1.0], b=3), "no parameter 'b'"),
            (lambda: self.m.f([1.0], x=[1.0]), "given twice"),
            (lambda: self.m.pick([1.0], 0.5), "not all of it are whole"),
            (lambda: self.m.both(3.0), "lacks"),
        ]:
            with self.assertRaisesRegex(TypeError, said):
                call()
        with self.assertRaisesRegex(AttributeError, "no function 'h'; it has f, shift"):
            self.m.h

    def test_errors_tell_the_line(self):
        with self.assertRaisesRegex(nncc.Error, r"pick: .*model\.nn:4: 'x\[i\]': .*: 5 is not in 0 … 1") as e:
            self.m.pick([1.0, 2.0], 5)
        self.assertEqual(e.exception.status, 4)

    def test_tuples_and_flags(self):
        a, b = self.m.both((2.0, np.array([1.0, 3.0])))
        self.assertEqual(a, 2)
        np.testing.assert_array_equal(b, [2, 6])
        self.assertEqual(self.m.flags([-1.0, 2.0]).tolist(), [False, True])

    def test_quick_calls(self):
        x, want = np.linspace(-1, 1, 7), [-1.0, 0.0]
        self.assertTrue(careful(nncc.compile(SMALL, real="f64").f, x)[1])  # the first of its shapes
        for f, args, named in [
            (self.m.f, (x,), {}),
            (self.m.f, (x, 2.0), {}),
            (self.m.f, (x, 2), {}),
            (self.m.f, (x,), {"a": np.float64(2)}),
            (self.m.f, (), {"x": x, "a": np.array(2.0)}),
            (self.m.g, (x,), {}),
            (self.m.pick, (x, 3), {}),
            (self.m.pick, (x, np.int64(3)), {}),
        ]:
            value = f(*args, **named)
            again, looked = careful(f, *args, **named)
            self.assertFalse(looked)
            np.testing.assert_array_equal(again[0] if f is self.m.g else again, value[0] if f is self.m.g else value)
            self.assertEqual(type(again), type(value))
        both = x[:2].copy()
        both.flags.writeable = False
        for values in ([-1.0, 0.0], x[::3][:2] * 1, both, both.astype("f4"), np.ma.array(want), np.empty(0)):
            x2 = np.asarray(values, "f8")
            for _ in range(2):
                self.assertEqual(self.m.f(values), np.sum(2 * x2 * np.sin(x2)))
        with self.assertRaisesRegex(ValueError, "'a' has 1 axes"):
            self.m.f(x, np.array([2.0]))
        with self.assertRaisesRegex(TypeError, "not all of it are whole"):
            self.m.pick(x, 0.5)
        with self.assertRaisesRegex(nncc.Error, "7 is not in 0 … 6"):
            self.m.pick(x, 7)

    def test_threads(self):
        x = np.linspace(0, 1, 1000)
        want = self.m.g(x)[1]
        bad = []

        def work():
            for _ in range(50):
                if not np.array_equal(self.m.g(x)[1], want):
                    bad.append(1)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertFalse(bad)

    @unittest.skipIf("/san/" in os.environ.get("NNCC", ""), "libnn with sanitizers is for programs with them")
    def test_threads_of_calls(self):
        m = nncc.compile("fn p(a: real[n, n]) -> real[n, n] = exp(0.01 * a @ a); export p;")
        a = np.linspace(0, 1, 300 * 300, dtype="f4").reshape(300, 300)
        want = m.p(a)
        for n in (3, 2, 1, 0, 1):
            nncc.set_threads(n)
            self.assertTrue(np.array_equal(m.p(a), want))
        with self.assertRaisesRegex(ValueError, "-1 threads: not in 0 ... 1024"):
            nncc.set_threads(-1)


class Models(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = os.path.join(cls.folder.name, "model.nn")
        with open(cls.path, "w") as f:
            f.write(MODEL)
        cls.m = nncc.compile(cls.path)
        rng = np.random.default_rng(1)
        cls.x = rng.normal(size=(60, 3)).astype("f4")
        cls.y = (cls.x[:, 0] * cls.x[:, 1] > 0).astype("i4")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def start(self):
        out = self.m.init(seed=3)
        return dict(zip([r.name for r in self.m.init._results], out))

    def test_structs(self):
        net = self.start()["net"]
        self.assertEqual(net.hidden.W.shape, (3, 8))
        as_dict = {"hidden": dict(net.hidden), "out": {"W": net.out.W, "b": net.out.b}}
        loss, d = self.m.loss_grad(net, self.x, self.y)
        again, d2 = self.m.loss_grad(as_dict, self.x, self.y)
        self.assertEqual(loss, again)
        np.testing.assert_array_equal(d.out.W, d2["out"]["W"])
        for given in (net, as_dict):
            (third, d3), looked = careful(self.m.loss_grad, given, self.x, self.y)
            self.assertFalse(looked)
            self.assertEqual(loss, third)
            np.testing.assert_array_equal(d.hidden.W, d3.hidden.W)
        with self.assertRaisesRegex(TypeError, r"net lacks 'out\.b'"):
            self.m.loss_grad({"hidden": net.hidden, "out": {"W": net.out.W}}, self.x, self.y)

    def test_fields_called_as_methods(self):
        m = nncc.compile("""
            struct Net { items: real[3] ~ normal(0, 1), keys: real = 2, leaves: real[2] = 1 }
            fn f(net: Net, rate: real = 0.1) -> real = rate * sum(net.items) * net.keys + sum(net.leaves);
            export init(Net), f, value_and_grad(f, net) as g;""")
        net = m.init(1)
        self.assertEqual(m.f(net), m.f({"items": net["items"], "keys": net["keys"], "leaves": net["leaves"]}))
        self.assertEqual(m.f(net), m.f(nncc.Struct(net)))
        self.assertEqual(m.g(net)[1].leaves.tolist(), [1, 1])
        self.assertIn("keys=", repr(net))
        self.assertIn("rate: real = 0.1)", repr(m.f))
        file = os.path.join(self.folder.name, "fields.safetensors")
        nncc.save_params(file, {"net": net})
        again = nncc.load_params(file).net
        self.assertEqual(again["keys"].shape, ())  # a number stays one
        self.assertEqual(m.f(net), m.f(again))
        with self.assertRaisesRegex(TypeError, "'net' is of dtype complex128"):
            nncc.save_params(file, {"net": np.zeros(2, complex)})
        with open(file, "wb") as f:
            head = b'{"w":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}'
            f.write(len(head).to_bytes(8, "little") + head + b"ab")
        with self.assertRaisesRegex(ValueError, "'w' is of dtype BF16, which NumPy"):
            nncc.load_params(file)

    def test_steps_in_place(self):
        s = self.start()
        before = self.m.evaluate(s["net"], self.x, self.y)[0]
        for _ in range(200):
            result, looked = careful(self.m.step, **s, x=self.x, y=self.y)
        self.assertFalse(looked)
        self.assertTrue(any(r is s["net"] for r in result))
        after = self.m.evaluate(s["net"], self.x, self.y)[0]
        self.assertLess(after, 0.5 * before)
        s["net"].hidden.W = s["net"].hidden.W.astype("f8")
        with self.assertRaisesRegex(TypeError, r"overwrites 'net\.hidden\.W'"):
            self.m.step(**s, x=self.x, y=self.y)

    def test_with_parameters(self):
        names = np.array(["cat", "dog"])[self.y]
        data = os.path.join(self.folder.name, "d.csv")
        with open(data, "w") as f:
            f.write("a,b,c,animal\n")
            for row, name in zip(100 * self.x + 7, names):
                f.write(",".join(f"{v:.9g}" for v in row) + f",{name}\n")
        file, out = (os.path.join(self.folder.name, n) for n in ("n.safetensors", "with.so"))
        nncc_ = os.environ["NNCC"]
        subprocess.run([nncc_, "train", self.path, "--data", data, "--standardise", "--save", file, "--quiet",
                        "--epochs", "200", "--test", "0"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([nncc_, self.path, "--with", file, "-o", out], check=True)
        m = nncc.load(out)
        self.assertEqual((m.class_names, m.feature_names), (["cat", "dog"], ["a", "b", "c"]))
        guess = m.predict(100 * self.x + 7).argmax(axis=1)
        self.assertGreater(np.mean(guess == self.y), 0.8)
        self.assertIsNone(self.m.class_names)

    def test_training_and_files(self):
        params, numbers = nncc.train(self.path, data={"x": self.x, "y": self.y}, epochs=100, lr=0.05)
        self.assertGreater(numbers["test accuracy"], 0.7)
        file = os.path.join(self.folder.name, "p.safetensors")
        nncc.save_params(file, params)
        again = nncc.load_params(file)
        np.testing.assert_array_equal(again.net.hidden.W, params.net.hidden.W)
        _, on = nncc.train(self.path, data={"x": self.x, "y": self.y}, epochs=0, params=again)
        self.assertLess(on["train loss"], 0.4)
        with self.assertRaisesRegex(nncc.CompileError, "neither an option nor a setting"):
            nncc.train(self.path, data={"x": self.x, "y": self.y}, rate=3)
        # Names as Python has them; of what is given several times a list; the best of several.
        table = os.path.join(self.folder.name, "t.csv")
        np.savetxt(table, np.column_stack([self.x, self.y]), delimiter=",")
        width = self.x.shape[1]
        _, numbers = nncc.train(self.path, data=table, columns=[f"x=0:{width}", f"y={width}"], no_label=True,
                                epochs=1, eval_steps=3, grid=["lr=1e-6,0.05", "beta1=0.5,0.9"])
        self.assertIn("test accuracy", numbers)

    def test_compiling(self):
        self.assertEqual(nncc.compile(self.path).path, self.m.path)  # from the cache
        with self.assertRaisesRegex(nncc.CompileError, "nothing here is called 'z'"):
            nncc.compile("fn f(x: real) -> real = z; export f;")
        with self.assertRaisesRegex(ValueError, "no shared library"):
            nncc.load(self.path)

    def test_scipy(self):
        try:
            from scipy.optimize import minimize
        except ImportError:
            self.skipTest("scipy is missing")
        m = nncc.compile(self.path, real="f64")
        net = dict(zip([r.name for r in m.init._results], m.init(seed=3)))["net"]
        x = self.x.astype("f8")
        fun, start = interop.objective(m.loss_grad, net, x, self.y)
        hessp = interop.hessian_product(m.loss_hvp, net, x, self.y)
        r = minimize(fun, start, jac=True, hessp=hessp, method="Newton-CG", options={"maxiter": 30})
        self.assertLess(r.fun, 0.3 * fun(start)[0])
        p = np.random.default_rng(2).normal(size=start.size)
        e = 1e-5
        central = (fun(start + e * p)[1] - fun(start - e * p)[1]) / (2 * e)
        np.testing.assert_allclose(hessp(start, p), central, rtol=1e-6, atol=1e-8)

    def test_least_squares(self):
        try:
            from scipy.optimize import curve_fit, least_squares
        except ImportError:
            self.skipTest("scipy is missing")
        m = nncc.compile(
            """struct P { a: real, b: real[2] }
            fn r(p: P, x: real[n], y: real[n]) -> real[n] = p.a * exp(-p.b[0] * x) + p.b[1] - y;
            export r, jacobian(r, p) as J;""",
            real="f64",
        )
        x = np.linspace(0, 4, 30)
        y = 3 * np.exp(-1.2 * x) + 0.5 + 0.02 * np.random.default_rng(4).normal(size=30)
        fun, jac, start = interop.residuals(m.r, m.J, {"a": 1.0, "b": np.array([1.0, 0.0])}, x, y)
        r = least_squares(fun, start, jac=jac, method="lm", xtol=1e-14, ftol=1e-14, gtol=1e-14)
        want, _ = curve_fit(lambda x, a, k, c: a * np.exp(-k * x) + c, x, y, p0=[1, 1, 0])
        np.testing.assert_allclose(r.x, want, rtol=1e-6)
        e = 1e-6
        columns = [(fun(start + e * u) - fun(start - e * u)) / (2 * e) for u in np.eye(3)]
        np.testing.assert_allclose(jac(start), np.stack(columns, axis=1), atol=1e-8)

    def test_torch(self):
        try:
            import torch
        except ImportError:
            self.skipTest("torch is missing")
        m = nncc.compile(
            """fn f(x: real[n], w: real[n], k: int[n]) -> real = sum(real(k) * sin(x * w));
            export value_and_grad(f, x, w) as g, value_and_grad(f, w) as h, f;""",
            real="f64",
        )
        rng = np.random.default_rng(3)
        x, w = (torch.tensor(rng.normal(size=5), requires_grad=True) for _ in range(2))
        k = torch.arange(5, dtype=torch.int32)
        (2 * interop.torch_function(m.g)(x * x, w, k)).backward()
        found = x.grad.clone(), w.grad.clone()
        x.grad = w.grad = None
        (2 * (k * torch.sin(x * x * w)).sum()).backward()
        np.testing.assert_allclose(found[0], x.grad, rtol=1e-12)
        np.testing.assert_allclose(found[1], w.grad, rtol=1e-12)
        self.assertTrue(torch.autograd.gradcheck(lambda w: interop.torch_function(m.h)(x.detach(), w, k), (w,)))
        with self.assertRaisesRegex(ValueError, "f is no value_and_grad"):
            interop.torch_function(m.f)

    def test_jax(self):
        try:
            import jax
        except ImportError:
            self.skipTest("jax is missing")
        m = nncc.compile(SMALL)
        g = interop.jax_function(m.g)
        x = np.linspace(0, 1, 4, dtype="f4")
        d = jax.jit(jax.grad(lambda x: g(2 * x, np.float32(3)) ** 2))(x)
        value = 3 * np.sum(2 * x * np.sin(2 * x))
        np.testing.assert_allclose(d, 2 * value * 2 * 3 * (np.sin(2 * x) + 2 * x * np.cos(2 * x)), rtol=1e-5)

    def test_safetensors_package(self):
        try:
            from safetensors import numpy as other
        except ImportError:
            self.skipTest("safetensors is missing")
        file = os.path.join(self.folder.name, "q.safetensors")
        s = self.start()
        nncc.save_params(file, {"net": s["net"]})
        theirs = other.load_file(file)
        np.testing.assert_array_equal(theirs["net.out.b"], s["net"].out.b)
        theirs["net.out.b"] = theirs["net.out.b"] + 1
        other.save_file(theirs, file)
        data = os.path.join(self.folder.name, "d.csv")
        np.savetxt(data, np.column_stack([self.x, self.y]), delimiter=",", fmt="%.9g")
        command = [os.environ["NNCC"], "eval", self.path, f"--load={file}", f"--data={data}"]
        self.assertIn("loss: ", subprocess.run(command, check=True, capture_output=True, text=True).stdout)


if __name__ == "__main__":
    unittest.main()
