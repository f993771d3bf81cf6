"""BioNetGen network files: what they mean, against closed forms and the master equation, and how faults are told."""

from __future__ import annotations

import gzip
import random

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from sciml.biology.bionetgen import load_net
from sciml.biology.formula import infix
from sciml.biology.kernels.system import compile_system
from sciml.errors import DataError

FACTORS = """\
# Created by hand in the layout of a generated network
begin parameters
    1 kd    0.1  # Constant
    2 kr    0.3
    3 kc    0.4
    4 kcat  kc/2 # ConstantExpression
end parameters
begin species
    1 A()          6
    2 A(a!1).A(a!1) 0
    3 $F()         5
    4 C()          0
end species
begin reactions
    1 1,1 2 0.5*kd #_R1
    2 2 1,1 kr #_reverse__R1
    3 3 4 kcat #_R2
end reactions
begin groups
    1 Atot                 1,2*2
    2 Dimers               2
end groups
"""
FULL = """\
begin parameters
    1 PI     3.5
    2 e      2
    3 n0     10*e
    4 Time   -1e-3
    5 k_on   1.5E-2 / (1 + \\
             e)
    6 h      2
end parameters
begin functions
    1 f()    if(Atot>3, PI, rint(0.4)+1)*_pi
    2 g()    f()^2 + exp(-time()) + Atot
end functions
begin molecule types
    1 A(b,c~P~0)
end molecule types
begin reaction rules
  Rule1: \\
  A(b) -> 0  k_on # and so on
end reaction rules
begin species
    1 A(b,c~P)   n0
    2 @c::B()    7
    3 @c::$X()   1
end species
begin reactions
    1 1,2 0 k_on
    2 0 1,1,2 0.5*g()
    3 1 2 Sat e PI
    4 1,2 2,2 2*MM e PI
    5 1 3,3 Hill e PI h
    6 1 2 -Time
    7 1,2 2 Sat e PI #Rule7 unit_conversion=1
end reactions
begin groups
    1 Atot
    2 None
    3 Both   0.5*1,2
end groups
""".replace("    1 Atot\n", "    1 Atot 1\n")


def written(tmp_path, text: str, name: str = "model.net"):
    path = tmp_path / name
    path.write_text(text)
    return path


def derivatives(net, values: dict[str, float], time: float = 0.0) -> dict[str, float]:
    """d amounts / dt at the network's start with some amounts replaced."""
    system = compile_system(net)
    y, p = system.begin(values)
    rates = system.graph.evaluate(system.derivatives, states=list(y), params=list(p), time=time)
    return dict(zip(system.states, map(float, rates), strict=True))


def test_factors_of_the_file_are_kept(tmp_path):
    """A + A with 0.5 kd: dA/dt = -kd A^2 + 2 kr D; a species with $ stays; the closed form of the Riccati equation."""
    net = load_net(written(tmp_path, FACTORS))
    assert [(s.id, s.initial, s.boundary) for s in net.species] == [
        ("A()", 6, False), ("A(a!1).A(a!1)", 0, False), ("F()", 5, True), ("C()", 0, False)
    ]  # fmt: skip
    bind, _, make = net.reactions
    assert (bind.mass_action, infix(bind.law), bind.reactants[0].stoichiometry, bind.name, bind.line) == (True, "0.5 * kd", 2, "_R1", 15)
    assert (infix(make.law), dict(net.initial_assignments)["kcat"].to_list()) == ("kcat", ["divide", "kc", 2.0])
    assert net.units.substance == "item"
    found = derivatives(net, {"A()": 4.0, "A(a!1).A(a!1)": 1.0})
    assert found == pytest.approx({"A()": -0.1 * 16 + 0.6, "A(a!1).A(a!1)": 0.5 * 0.1 * 16 - 0.3, "C()": 1.0})
    system = compile_system(net)
    y, p = system.begin()

    def slope(t, y):
        return [float(v) for v in system.graph.evaluate(system.derivatives, states=list(y), params=list(p), time=t)]

    times = [1.0, 4.0]
    run = solve_ivp(slope, (0, 4), y, t_eval=times, rtol=1e-9, atol=1e-12)
    assert run.y[0] == pytest.approx([riccati(t) for t in times], rel=1e-6)
    assert run.y[0] == pytest.approx([4.01828242, 3.06190122], rel=1e-6)
    groups = system.graph.evaluate([system.values["Atot"], system.values["Dimers"]], states=[4.0, 1.0, 0.0], params=list(p))
    assert [float(v) for v in groups] == [6, 1]


def riccati(t: float, a: float = 0.1, kr: float = 0.3, total: float = 6.0) -> float:
    """dA/dt = -a A^2 + kr (total - A), A(0) = total: with the roots r1 > r2 of the right-hand side."""
    root = np.sqrt(kr**2 + 4 * a * kr * total)
    r1, r2 = (-kr + root) / (2 * a), (-kr - root) / (2 * a)
    decay = (total - r1) / (total - r2) * np.exp(-root * t)
    return float((r1 - r2 * decay) / (1 - decay))


def test_every_kind_of_line(tmp_path):
    net = load_net(written(tmp_path, FULL))
    assert [s.id for s in net.species] == ["A(b,c~P)", "@c::B()", "@c::X()"]
    assert [s.boundary for s in net.species] == [False, False, True]
    a, b, pi, e = 20.0, 7.0, 3.5, 2.0
    assert {k: v for k, v in compile_start(net).items() if k in ("A(b,c~P)", "k_on")} == pytest.approx({"A(b,c~P)": 20, "k_on": 0.005})
    f = pi * np.pi
    g = f**2 + np.exp(-0.5) + a
    free = 0.5 * ((a - pi - b) + np.sqrt((a - pi - b) ** 2 + 4 * pi * a))
    v = [
        0.005 * a * b,
        0.5 * g,
        e * a / (pi + a),
        2 * e * b * free / (pi + free),
        e * a**2 / (pi**2 + a**2),
        1e-3 * a,
        e * a * b / (pi + a),
    ]
    expected = {"A(b,c~P)": -v[0] + 2 * v[1] - v[2] - v[3] - v[4] - v[5] - v[6], "@c::B()": -v[0] + v[1] + v[2] + v[3] + v[5]}
    assert derivatives(net, {}, time=0.5) == pytest.approx(expected, rel=1e-12)
    low = derivatives(net, {"A(b,c~P)": 1.0, "@c::B()": 0.0}, time=0.0)
    assert low["A(b,c~P)"] == pytest.approx(2 * 0.5 * (np.pi**2 + 1 + 1) - e / (pi + 1) - e / (pi**2 + 1) - 1e-3)
    assert infix(next(r for r in net.rules if r.variable == "Both").math) == "0.5 * A(b,c~P) + @c::B()"


def compile_start(net) -> dict[str, float]:
    system = compile_system(net)
    y, p = system.begin()
    return dict(zip((*system.states, *system.parameters), (*map(float, y), *map(float, p)), strict=True))


def test_without_numbers_packed_and_names_shared(tmp_path):
    bare = FACTORS.replace("    1 kd", "    kd").replace("    2 kr", "    kr").replace("    1 1,1 2 0.5*kd", "    1,1 2 0.5*kd")
    bare = bare.replace("begin parameters", 'substanceUnits("Number");\nbegin parameters\n  A 3')
    path = tmp_path / "packed.net.gz"
    path.write_bytes(gzip.compress(bare.replace("A()          6", "A 6").encode()))
    net = load_net(path)
    assert net.species[0].id == "A()"
    assert [w[:7] for w in net.warnings] == ["line 2:", "line 11"]
    assert infix(net.reactions[0].law) == "0.5 * kd"
    assert net.reactions[0].reactants[0].species == "A()"


FAULTS = {
    "unknown species": ("1 1,1 2 0.5*kd", "1 1,9 2 0.5*kd", "line 15: species number 9 is not there"),
    "unknown rate": ("0.5*kd", "0.5*kx", "line 15: '0.5\\*kx' has 'kx', which is no parameter"),
    "typing": ("0.5*kd", "0.5*(kd", "line 15: formula .*expected '\\)'"),
    "no rate": ("2 2 1,1 kr", "2 1,1", "line 16: found '2 1,1'.*expected number, reactants"),
    "no value": ("1 kd    0.1", "1 kd", "line 3: parameter 'kd' has no value"),
    "twice": ("2 kr    0.3", "2 kd    0.3", "line 4: the name 'kd' is used twice"),
    "species twice": ("4 C()", "4 A()", "line 12: the species 'A\\(\\)' or its number 4"),
    "number twice": ("4 C()", "3 C()", "line 12: the species 'C\\(\\)' or its number 3"),
    "no start": ("6\n", "\n", "line 9: species 'A\\(\\)' has no number"),
    "group": ("1,2*2", "1,2*7", "line 20: group 'Atot': found '2\\*7'"),
    "open": ("end groups", "", "line 19: the block 'groups' is not closed"),
    "in each other": ("end species", "begin species", "line 13: found 'begin species' within the block 'species'"),
    "other end": ("end species", "end reactions", "line 13: found 'end reactions' within"),
    "other block": ("begin groups", "begin actions", "line 19: found the block 'actions'"),
    "stray": ("begin groups", "hello\nbegin groups", "line 19: found 'hello' outside a block"),
    "law": ("2 2 1,1 kr", "2 2 1,1 Arrhenius kr kd", "line 16: the rate law Arrhenius with 2 constants"),
    "mm": ("2 2 1,1 kr", "2 2 1,1 MM kr kd", "line 16: the rate law MM with 2 constants and 1 reactants"),
    "log": ("kc/2", "log(kc)", "line 6: .*write ln or log10"),
    "function": ("kc/2", "nope(kc)", "line 6: .*'nope', which is no function"),
    "continued": ("end groups", "end groups\nmore \\", "line 23: the last line is continued"),
    "bad name": ("1 kd ", "1 k-d ", "line 3: found 'k-d', expected a name"),
    "concentrations": ("begin parameters", 'substanceUnits("Concentration")\nbegin parameters', "line 2: .*only numbers of molecules"),
}


@pytest.mark.parametrize(("old", "new", "message"), FAULTS.values(), ids=FAULTS)
def test_faults_name_the_line(tmp_path, old, new, message):
    assert old in FACTORS
    with pytest.raises(DataError, match=message) as caught:
        load_net(written(tmp_path, FACTORS.replace(old, new, 1)))
    assert "model.net: " in str(caught.value)


@pytest.mark.parametrize("text", ["", "<html></html>", "begin parameters\nend parameters\n", "{}"])
def test_what_is_no_network(tmp_path, text):
    with pytest.raises(DataError, match="model.net: "):
        load_net(written(tmp_path, text))


def test_rules_without_a_generated_network(tmp_path):
    rules = FACTORS.replace("begin reactions", "begin reaction rules").replace("end reactions", "end reaction rules")
    with pytest.raises(DataError, match="line 14: has reaction rules but no reactions"):
        load_net(written(tmp_path, rules))


def test_a_missing_file(tmp_path):
    with pytest.raises(DataError, match="absent.net: cannot be read: No such file"):
        load_net(tmp_path / "absent.net")


def test_functions_with_arguments_are_refused(tmp_path):
    with pytest.raises(DataError, match="line 11: function 'f' has arguments"):
        load_net(written(tmp_path, FULL.replace("f()    if", "f(x)   if")))
    with pytest.raises(DataError, match="line 11: function 'f' has arguments"):
        load_net(written(tmp_path, FULL.replace("f()    if", "f (x)   if")))


def test_mutated_files(tmp_path):
    """300 files with changed characters: a network or a typed error that names the file."""
    counts = [0, 0]
    for number in range(300):
        rng = random.Random(number)
        text = rng.choice((FACTORS, FULL))
        for _ in range(rng.randint(1, 2)):
            i = rng.randrange(len(text))
            j = min(len(text), i + rng.choice((1, 4, 30)))
            text = text[:i] + rng.choice(("", text[i:j] * 2, "(", ")", "*", ",", "e999", "\\\n", "#", "begin", "é", "-")) + text[j:]
        try:
            load_net(written(tmp_path, text))
            counts[0] += 1
        except DataError as error:
            assert str(error).startswith(f"{tmp_path / 'model.net'}: ")
            counts[1] += 1
    assert min(counts) > 10


def test_large_files_are_read_in_linear_time(tmp_path):
    import time

    def seconds(n: int) -> float:
        parts = ["begin parameters", *(f" {i} k{i} {i}/7" for i in range(1, n)), "end parameters", "begin species"]
        parts += [*(f" {i} S{i}() {i}" for i in range(1, n)), "end species", "begin reactions"]
        parts += [*(f" {i} {i},{i} {max(1, i - 1)} 0.5*k{i} #_R" for i in range(1, n)), "end reactions", "begin groups", " 1 All 1"]
        path = written(tmp_path, "\n".join([*parts, "end groups"]))
        begun = time.process_time()
        load_net(path)
        return time.process_time() - begun

    assert seconds(10_000) < 10
    deep = FACTORS.replace("kc/2", "(" * 300 + "kc" + ")" * 300)
    with pytest.raises(DataError, match="line 6: .*nested more than 200 deep"):
        load_net(written(tmp_path, deep))
