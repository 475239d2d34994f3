"""pendulum.py FILE.c: CasADi's C of the pendulum chain of 7 links: f, f and its
Jacobian, Hessian times vector; with sines and cosines of differences as they
are (a_) and multiplied out (b_). Prints its version. The model is workloads/pendulum.nn."""
import sys

import casadi as ca

N, g = 7, 9.81
m = [1 + 0.1 * k for k in range(1, N + 1)]
l = [0.5 + 0.02 * k for k in range(1, N + 1)]
b = [0.05 + 0.01 * k for k in range(1, N + 1)]
T = [sum(m[k + 1:]) for k in range(N)]
B = [m[k] * l[k] / 2 + l[k] * T[k] for k in range(N)]
D = [m[k] * l[k]**2 / 12 + m[k] * l[k]**2 / 4 + l[k]**2 * T[k] for k in range(N)]
z = ca.SX.sym("z", 3 * N)


def solve(M, r):
    L = [[0] * N for _ in range(N)]
    d, y, x = [0] * N, [0] * N, [0] * N
    for j in range(N):
        d[j] = M[j][j] - sum(L[j][k]**2 * d[k] for k in range(j))
        for i in range(j + 1, N):
            L[i][j] = (M[i][j] - sum(L[i][k] * L[j][k] * d[k]
                                     for k in range(j))) / d[j]
    for i in range(N):
        y[i] = r[i] - sum(L[i][k] * y[k] for k in range(i))
    for i in reversed(range(N)):
        x[i] = y[i] / d[i] - sum(L[k][i] * x[k] for k in range(i + 1, N))
    return x


def dynamics(multiplied):
    th, om, u = ([z[i * N + k] for k in range(N)] for i in range(3))
    s, c = [ca.sin(t) for t in th], [ca.cos(t) for t in th]

    def cos(k, j):
        return c[k] * c[j] + s[k] * s[j] if multiplied else ca.cos(th[k] - th[j])

    def sin(k, j):
        return s[k] * c[j] - c[k] * s[j] if multiplied else ca.sin(th[k] - th[j])

    M, r = [[None] * N for _ in range(N)], [None] * N
    for k in range(N):
        M[k][k] = D[k]
        r[k] = u[k] - b[k] * (om[k] - (om[k - 1] if k else 0))
        if k < N - 1:
            r[k] += b[k + 1] * (om[k + 1] - om[k]) - u[k + 1]
        r[k] -= g * B[k] * s[k]
        for j in range(k):
            M[k][j] = l[j] * B[k] * cos(k, j)
            r[k] -= l[j] * B[k] * sin(k, j) * om[j]**2
        for j in range(k + 1, N):
            r[k] += l[k] * B[j] * sin(j, k) * om[j]**2
    return ca.vertcat(*om, *solve(M, r))


out = ca.CodeGenerator("peer.c")
for name in "a", "b":
    f = dynamics(name == "b")
    lam, v = ca.SX.sym("lam", 2 * N), ca.SX.sym("v", 3 * N)
    J = ca.densify(ca.jacobian(f, z))
    hv = ca.jtimes(ca.gradient(ca.dot(lam, f), z), z, v)
    out.add(ca.Function(name + "_f", [z], [f]))
    out.add(ca.Function(name + "_fj", [z], [f, J]))
    out.add(ca.Function(name + "_hv", [z, lam, v], [hv]))
open(sys.argv[1], "w").write(out.dump())
print(ca.__version__)
