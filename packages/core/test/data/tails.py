"""Writes tails.json: functions and their first two derivatives in their tails, to 50 digits, rounded to float64; lists as text.

Run with Python 3 and mpmath:  python tails.py > tails.json
"""

import json

from mpmath import diff, erf, erfc, exp, log1p, mp, mpf, sqrt, tanh

mp.dps = 60

POINTS = [1e-300, 1e-20, -1e-10, 1e-6, -1e-3, 0.03, -0.4, 0.5, -1, 1.5, -2, 3, -4, 5, -6, 8, -10, 12, -15, 19, -20, 25, -30, 36.5, -37, -50, 60, -100, 300, -700]
sigmoid = lambda x: 1 / (1 + exp(-x))
inner = lambda x: sqrt(2 / mp.pi) * (x + mpf("0.044715") * x**3)

FUNCTIONS = {
    "sigmoid": sigmoid,
    "tanh": tanh,
    "log1p": log1p,
    "erf": erf,
    "erfc": erfc,
    "softplus": lambda x: log1p(exp(x)),
    "silu": lambda x: x * sigmoid(x),
    "gelu": lambda x: x * erfc(-x / sqrt(2)) / 2,
    "geluTanh": lambda x: x * sigmoid(2 * inner(x)),
}
DOMAIN = {"log1p": lambda x: x > -1, "erf": lambda x: abs(x) < 20, "erfc": lambda x: abs(x) < 20, "gelu": lambda x: abs(x) < 30, "geluTanh": lambda x: abs(x) < 15, "tanh": lambda x: abs(x) < 100}


ORDERS = ["value", "slope", "second derivative"]
text = lambda numbers: " ".join(repr(x) for x in numbers)


def derivative(f, x, n):
    mp.dps = 1500 if abs(x) > 200 else 700
    value = diff(f, x, n, h=mpf(10) ** (-200)) if n > 0 else f(x)
    mp.dps = 60
    return float(value)


def entry(name, f):
    points = [x for x in POINTS if DOMAIN.get(name, lambda x: True)(x)]
    values = {order: text(derivative(f, mpf(x), n) for x in points) for n, order in enumerate(ORDERS)}
    return {"x": text(points), **values}


print(json.dumps({name: entry(name, f) for name, f in FUNCTIONS.items()}, indent=2))
