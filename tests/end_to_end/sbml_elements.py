"""Elements of SBML in a few words, for tables of small models: each is (its list, its text); formulas are infix or MathML."""

from __future__ import annotations

from itertools import groupby

from sciml.biology.formula import parse
from sciml.biology.sbml.mathml import to_mathml
from tests.biology.sbml.texts import document, math

ORDER = (
    "listOfFunctionDefinitions listOfCompartments listOfSpecies listOfParameters listOfInitialAssignments listOfRules listOfReactions "
    "listOfEvents"
).split()


def formula(text: str | float | None) -> str:
    """<math> of infix or of MathML's content; nothing for None."""
    if text is None:
        return ""
    return math(text) if str(text).startswith("<") else to_mathml(parse(str(text), ("f", "g")))


def attributes(**given) -> str:
    """Those that are not None; truth in XML's words."""
    words = {True: "true", False: "false"}
    return "".join(f' {name}="{words[v] if isinstance(v, bool) else v}"' for name, v in given.items() if v is not None)


def comp(id="C", size=1, dim=3, varies=False):
    return "listOfCompartments", f"<compartment{attributes(id=id, size=size, spatialDimensions=dim, constant=not varies)}/>"


def species(id, conc=None, amount=None, comp="C", only=False, boundary=False, constant=False, factor=None):
    given = attributes(
        id=id, compartment=comp, initialConcentration=conc, initialAmount=amount, hasOnlySubstanceUnits=only, boundaryCondition=boundary,
        constant=constant, conversionFactor=factor,
    )  # fmt: skip
    return "listOfSpecies", f"<species{given}/>"


def par(id, value=None, varies=False):
    return "listOfParameters", f"<parameter{attributes(id=id, value=value, constant=not varies)}/>"


def var(id, value=None):
    return par(id, value, varies=True)


def start(id, text):
    return "listOfInitialAssignments", f'<initialAssignment symbol="{id}">{formula(text)}</initialAssignment>'


def assigned(id, text):
    return "listOfRules", f'<assignmentRule variable="{id}">{formula(text)}</assignmentRule>'


def moving(id, text):
    return "listOfRules", f'<rateRule variable="{id}">{formula(text)}</rateRule>'


def zero(text):
    return "listOfRules", f"<algebraicRule>{formula(text)}</algebraicRule>"


def function(id, arguments, text):
    bound = "".join(f"<bvar><ci>{a}</ci></bvar>" for a in arguments)
    body = formula(text).partition(">")[2].removesuffix("</math>")
    return "listOfFunctionDefinitions", f'<functionDefinition id="{id}">{math(f"<lambda>{bound}{body}</lambda>")}</functionDefinition>'


def reaction(id, reactants, products, law=None, *, local=None, fast=None, with_law=True):
    """`reactants`, `products`: {species: stoichiometry or (stoichiometry, id, varies)}."""

    def side(name, given):
        rows = {s: n if isinstance(n, tuple) else (n, None, False) for s, n in given.items()}
        listed = "".join(
            f"<speciesReference{attributes(species=s, stoichiometry=n, id=i, constant=not varies)}/>" for s, (n, i, varies) in rows.items()
        )
        return f"<{name}>{listed}</{name}>" if rows else ""

    parameters = "".join(f"<localParameter{attributes(id=k, value=v)}/>" for k, v in (local or {}).items())
    parameters = f"<listOfLocalParameters>{parameters}</listOfLocalParameters>" if local else ""
    text = side("listOfReactants", reactants) + side("listOfProducts", products)
    text += f"<kineticLaw>{formula(law)}{parameters}</kineticLaw>" if with_law else ""
    return "listOfReactions", f"<reaction{attributes(id=id, reversible=False, fast=fast)}>{text}</reaction>"


def event(trigger, changes=None, *, delay=None, priority=None, at_trigger=True, initial=True, persistent=True, empty=()):
    """`empty`: parts that are there without a formula."""
    parts = f"<trigger{attributes(initialValue=initial, persistent=persistent)}>{formula(trigger)}</trigger>"
    for name, text in (("priority", priority), ("delay", delay)):
        parts += f"<{name}>{formula(text)}</{name}>" if text is not None or name in empty else ""
    rows = "".join(f'<eventAssignment variable="{id}">{formula(text)}</eventAssignment>' for id, text in (changes or {}).items())
    rows = f"<listOfEventAssignments>{rows}</listOfEventAssignments>" if rows else ""
    return "listOfEvents", f"<event{attributes(useValuesFromTriggerTime=at_trigger)}>{parts}{rows}</event>"


def text(*elements, level=(3, 2), head="") -> str:
    """The document of these elements, each in its list."""
    ordered = groupby(sorted(elements, key=lambda e: ORDER.index(e[0])), key=lambda e: e[0])
    body = "".join(f"<{name}>{''.join(part for _, part in group)}</{name}>" for name, group in ordered)
    return document(body, level, attributes=head)
