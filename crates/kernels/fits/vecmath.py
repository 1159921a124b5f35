"""Minimax coefficients of src/vecmath: prints every table there. Needs mpmath (1.3.0 was used).

Each fit minimises max |weight(x) * (p(x) - g(x))| on [a, b] by the Remez exchange; the weight turns the error of the
polynomial into the relative error of the function built from it. Coefficients are rounded to f32 at the end.
"""
from mpmath import mp, mpf, cos, pi, exp, expm1, log, erf, erfc, sqrt, matrix, lu_solve, linspace
from struct import pack, unpack

mp.dps = 50


def remez(g, weight, a, b, degree, grid=1500):
    a, b = mpf(a), mpf(b)
    n = degree + 2
    nodes = [(a + b) / 2 - (b - a) / 2 * cos(pi * (2 * i + 1) / (2 * n)) for i in range(n)]
    xs = [(a + b) / 2 - (b - a) / 2 * cos(pi * i / grid) for i in range(grid + 1)]
    values, weights = [g(x) for x in xs], [weight(x) for x in xs]
    for _ in range(12):
        system = matrix(n, n)
        right = matrix(n, 1)
        for row, x in enumerate(nodes):
            for power in range(degree + 1):
                system[row, power] = x**power
            system[row, degree + 1] = (-1) ** row / weight(x)
            right[row] = g(x)
        solution = lu_solve(system, right)
        poly = [solution[i] for i in range(degree + 1)]
        errors = [w * (sum(c * x**i for i, c in enumerate(poly)) - v) for x, v, w in zip(xs, values, weights)]
        # One extremum per run of equal sign; the largest n neighbouring ones become the next nodes.
        runs = []
        for x, e in zip(xs, errors):
            if runs and (runs[-1][1] > 0) == (e > 0):
                if abs(e) > abs(runs[-1][1]):
                    runs[-1] = (x, e)
            else:
                runs.append((x, e))
        while len(runs) > n:
            runs.pop(0 if abs(runs[0][1]) < abs(runs[-1][1]) else -1)
        if len(runs) < n:
            break
        nodes = [x for x, _ in runs]
        sizes = [abs(e) for _, e in runs]
        if max(sizes) < min(sizes) * mpf('1.001'):
            break
    return poly, max(abs(e) for e in errors)


def f32(x):
    return unpack('f', pack('f', float(x)))[0]


def fit(name, g, weight, a, b, degree):
    poly, error = remez(g, weight, a, b, degree)
    print(f'{name}: degree {degree} on [{float(a):.6f}, {float(b):.6f}], relative error {float(error):.2e}')
    print('  highest power first: ' + ', '.join(f'{f32(c):.9e}' for c in reversed(poly)))


def not_zero(x):
    return x if abs(x) > mpf(10) ** -12 else mpf(10) ** -12


half = log(2) / 2
fit('exp', lambda r: (exp(not_zero(r)) - 1 - not_zero(r)) / not_zero(r) ** 2, lambda r: r**2 / exp(r), -half * mpf('1.0001'), half * mpf('1.0001'), 4)
fit('expm1', lambda r: (expm1(not_zero(r)) - not_zero(r)) / not_zero(r) ** 2, lambda r: not_zero(r) ** 2 / expm1(not_zero(r)), -half * mpf('1.0001'), half * mpf('1.0001'), 5)
fit('log', lambda f: (log(1 + not_zero(f)) - not_zero(f) + not_zero(f) ** 2 / 2) / not_zero(f) ** 3, lambda f: not_zero(f) ** 3 / log(1 + not_zero(f)), sqrt(mpf('0.5')) - 1, sqrt(mpf(2)) - 1, 8)
# Of s = x^2.
fit('erf, |x| <= 0.93', lambda s: erf(sqrt(not_zero(s))) / sqrt(not_zero(s)) - 1, lambda s: 1 / (erf(sqrt(not_zero(s))) / sqrt(not_zero(s))), 0, mpf('0.93') ** 2, 5)
fit('erf, |x| >= 0.93', lambda t: -log(erfc(t)) / t - 1, lambda t: t * erfc(t) / erf(t), mpf('0.93'), mpf('3.95'), 6)
