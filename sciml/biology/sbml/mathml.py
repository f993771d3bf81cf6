"""MathML as SBML uses it: elements to the list form of an expression, and an expression to MathML text.

A <log/> without a base is base 10, a <root/> without a degree the square root; <cn> may be e-notation or rational; units of numbers are
no part of the value.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

from sciml.biology.expressions import ARITY, Expression
from sciml.biology.sbml.tree import MATHML, Element

__all__ = ["Report", "body", "function", "to_mathml"]

Report = Callable[[Element, str], None]
_SYMBOLS = {
    "http://www.sbml.org/sbml/symbols/time": "time",
    "http://www.sbml.org/sbml/symbols/avogadro": "avogadro",
    "http://www.sbml.org/sbml/symbols/delay": "delay",
    "http://www.sbml.org/sbml/symbols/rateOf": "rateOf",
}
_URLS = {name: url for url, name in _SYMBOLS.items()}
_CONSTANTS = ("pi", "exponentiale", "true", "false", "infinity", "notanumber")
_NO_ELEMENT = {"number", "symbol", "call", "piecewise", "time", "avogadro", "delay", "rateOf", *_CONSTANTS}
_OPERATIONS = frozenset(ARITY) - _NO_ELEMENT


def body(math: Element, report: Report) -> Any:
    """The list form of what a <math> holds; None where it is empty. What has no meaning here goes to `report` and becomes NaN."""
    if math.space != MATHML:
        return _unknown(math, f"<math> in the namespace {math.space!r}, expected MathML's", report)
    parts = math.children
    if not parts:
        return None
    if len(parts) > 1:
        report(parts[1], f"a second formula <{parts[1].name}> in one <math>")
    return _node(parts[0], report)


def function(math: Element, report: Report) -> tuple[list[str], Any]:
    """(arguments, body) of the <lambda> that a <math> holds; the body is None where there is none."""
    if math.space != MATHML:
        report(math, f"<math> in the namespace {math.space!r}, expected MathML's")
        return [], None
    found = _inner(math.children[0]) if math.children else None
    if found is None or found.name != "lambda":
        if found is not None:
            report(found, f"found <{found.name}>, expected <lambda>")
        return [], None
    arguments = [_inner(c.children[0]).text.strip() for c in found.children if c.name == "bvar" and c.children]
    bodies = [c for c in found.children if c.name != "bvar"]
    return arguments, _node(bodies[0], report) if bodies else None


def _inner(element: Element) -> Element:
    """What stands in <semantics>, whose annotations say nothing here."""
    while element.name == "semantics" and element.children:
        element = element.children[0]
    return element


def _node(element: Element, report: Report) -> Any:
    element = _inner(element)
    name = element.name
    if name == "ci":
        return element.text.strip()
    if name == "cn":
        return _number(element, report)
    if name == "apply":
        return _apply(element, report)
    if name == "piecewise":
        return _piecewise(element, report)
    if name == "csymbol" and _SYMBOLS.get(element.attributes.get("definitionURL", "").strip()) in ("time", "avogadro"):
        return [_SYMBOLS[element.attributes["definitionURL"].strip()]]
    if name in _CONSTANTS:
        return [name]
    what = f" {element.attributes.get('definitionURL', '')!r}" if name == "csymbol" else ""
    return _unknown(element, f"<{name}>{what}, which has no meaning here", report)


def _apply(element: Element, report: Report) -> Any:
    if not element.children:
        return _unknown(element, "an empty <apply>", report)
    head, *rest = element.children
    head = _inner(head)
    if head.name == "ci":
        return ["call", head.text.strip(), *(_node(part, report) for part in rest)]
    op = head.name
    if op == "csymbol":
        op = _SYMBOLS.get(head.attributes.get("definitionURL", "").strip(), "")
        if op not in ("delay", "rateOf"):
            return _unknown(head, f"a call of the symbol {head.attributes.get('definitionURL', '')!r}, which is not known here", report)
    elif op not in _OPERATIONS:
        return _unknown(head, f"the operation <{op}>, which is not known here", report)
    leading = {"log": "logbase", "root": "degree"}.get(op)
    arguments = [_node(part, report) for part in rest if part.name != leading or leading is None]
    if leading:
        given = [_node(part.children[0], report) for part in rest if part.name == leading and part.children]
        arguments = [*(given or [10.0 if op == "log" else 2.0]), *arguments]
    fewest, most = ARITY[op]
    if len(arguments) < fewest or (most is not None and len(arguments) > most):
        wanted = f"{fewest}" if fewest == most else f"at least {fewest}" if most is None else f"{fewest} to {most}"
        return _unknown(head, f"<{op}> with {len(arguments)} arguments, expected {wanted}", report)
    return [op, *arguments]


def _piecewise(element: Element, report: Report) -> Any:
    parts: list[Any] = []
    for piece in (c for c in element.children if c.name == "piece"):
        if len(piece.children) != 2:
            return _unknown(piece, f"a <piece> with {len(piece.children)} parts, expected a value and a condition", report)
        parts += [_node(part, report) for part in piece.children]
    rest = [part for otherwise in element.children if otherwise.name == "otherwise" for part in otherwise.children]
    if len(rest) > 1:
        return _unknown(element, f"a <piecewise> with {len(rest)} parts that hold otherwise, expected one at most", report)
    parts += [_node(part, report) for part in rest]
    return ["piecewise", *parts] if parts else _unknown(element, "a <piecewise> without a piece, which has no value", report)


def _number(element: Element, report: Report) -> Any:
    text, kind = element.text.strip(), element.attributes.get("type", "real")
    parts = [part.strip() for part in text.split("|")]
    try:
        if kind == "e-notation" and len(parts) == 2:
            value = float(f"{parts[0]}e{int(parts[1])}") if "e" not in parts[0].lower() else float(parts[0]) * 10.0 ** int(parts[1])
        elif kind == "rational" and len(parts) == 2:
            value = int(parts[0]) / int(parts[1])
        elif kind in ("real", "integer", "double") and len(parts) == 1:
            value = float(text)
        else:
            raise ValueError
    except (ValueError, ArithmeticError):
        return _unknown(element, f"<cn type={kind!r}> {text.replace('|', ' <sep/> ')[:40]!r}, which is no number", report)
    return value if math.isfinite(value) else _no_finite(value)


def _no_finite(value: float) -> list[Any]:
    return ["notanumber"] if math.isnan(value) else ["infinity"] if value > 0 else ["minus", ["infinity"]]


def _unknown(element: Element, what: str, report: Report) -> list[str]:
    report(element, what)
    return ["notanumber"]


def to_mathml(expression: Expression) -> str:
    """The <math> element of an expression, numbers to the last bit."""
    return f'<math xmlns="{MATHML}">{content(expression)}</math>'


def content(expression: Expression) -> str:
    """What stands in the <math> element."""
    done: list[str] = []
    for node in expression.walk():
        count = len(node.args)
        parts = done[len(done) - count :] if count else []
        del done[len(done) - count :]
        done.append(_written(node, parts))
    return done[0]


def _written(node: Expression, parts: list[str]) -> str:
    op = node.op
    if op == "number":
        return _cn(float(node.value or 0.0))
    if op == "symbol":
        return f"<ci> {escape(str(node.value))} </ci>"
    if op in ("time", "avogadro"):
        return _csymbol(op)
    if op in _CONSTANTS:
        return f"<{op}/>"
    if op == "piecewise":
        pieces = "".join(f"<piece>{value}{condition}</piece>" for value, condition in zip(parts[::2], parts[1::2], strict=False))
        rest = f"<otherwise>{parts[-1]}</otherwise>" if len(parts) % 2 else ""
        return f"<piecewise>{pieces}{rest}</piecewise>"
    if op in ("log", "root"):
        leading = "logbase" if op == "log" else "degree"
        return f"<apply><{op}/><{leading}>{parts[0]}</{leading}>{parts[1]}</apply>"
    head = f"<ci> {escape(str(node.value))} </ci>" if op == "call" else _csymbol(op) if op in _URLS else f"<{op}/>"
    return f"<apply>{head}{''.join(parts)}</apply>"


def _csymbol(name: str) -> str:
    return f'<csymbol encoding="text" definitionURL="{_URLS[name]}"> {name} </csymbol>'


def _cn(value: float) -> str:
    if not math.isfinite(value):
        return "<notanumber/>" if math.isnan(value) else "<infinity/>" if value > 0 else "<apply><minus/><infinity/></apply>"
    if value.is_integer() and abs(value) < 2**31 and str(value) != "-0.0":
        return f'<cn type="integer"> {int(value)} </cn>'
    mantissa, e, exponent = repr(value).partition("e")
    return f'<cn type="e-notation"> {mantissa} <sep/> {int(exponent)} </cn>' if e else f"<cn> {mantissa} </cn>"
