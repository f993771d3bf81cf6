"""The PEtab test suite (version 1, cases 0001-0018), and what the reader refuses."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology import Network, Reaction, Species
from sciml.biology.fitting.tables import load_petab
from sciml.errors import DataError
from tests.biology.fitting.problems import PETAB, chain, write_petab


def solution(case):
    from ruamel.yaml import YAML

    return YAML(typ="safe").load((PETAB / case / f"_{case}_solution.yaml").read_text())


@pytest.mark.parametrize("case", [f"{number:04d}" for number in range(1, 19)])
def test_the_suite_is_passed(case):
    import pandas as pd

    wanted, problem = solution(case), load_petab(PETAB / case / f"_{case}.yaml")
    assert problem.log_likelihood() == pytest.approx(wanted["llh"], abs=wanted["tol_llh"])
    assert problem.chi2() == pytest.approx(wanted["chi2"], abs=wanted["tol_chi2"])
    reference = pd.read_csv(PETAB / case / wanted["simulation_files"][0], sep="\t")
    found = problem.simulate()
    assert list(found.columns) == list(reference.columns)
    np.testing.assert_allclose(found["simulation"], reference["simulation"], rtol=0, atol=wanted["tol_simulations"])


def test_tables_become_a_problem(tmp_path):
    problem = load_petab(write_petab(tmp_path))
    assert [p.id for p in problem.estimated] == ["k_fast", "d", "scale", "sigma"]
    assert problem.parameters[0].scale == "log10" and problem.parameters[0].bounds == (0.01, 100)
    assert problem.conditions == {"slow": {"k": 0.5}, "fast": {"k": "k_fast"}}
    assert np.isfinite(problem.log_likelihood())


def test_priors_names_and_empty_cells(tmp_path):
    parameters = (
        "parameterId\tparameterName\tparameterScale\tlowerBound\tupperBound\tnominalValue\testimate\tobjectivePriorType\t"
        "objectivePriorParameters\tinitializationPriorType\tinitializationPriorParameters\n"
        "k_fast\t\tlog10\t0.01\t100\t2\t1\tlogNormal\t0.5; 1.5\tnormal\t1;0.1\n"
        "d\t\t\t\t\t0.2\t0\t\t\t\t\nscale\t\tlin\t0\t10\t1.5\t1\tparameterScaleUniform\t\t\t\nsigma\t\tlog10\t0.01\t10\t0.4\t1\t\t\t\t\n"
    )
    problem = load_petab(
        write_petab(tmp_path, parameters=parameters, conditions="conditionId\tconditionName\tk\tA\nslow\ts\t\tNaN\nfast\tf\tk_fast\t9\n")
    )
    k, d, scale, sigma = problem.parameters
    assert (k.prior.kind, k.prior.first, k.prior.second, k.start.kind) == ("logNormal", 0.5, 1.5, "normal")
    assert not d.estimated and d.scale == "lin" and sigma.prior is None and scale.prior.second == 10
    assert problem.conditions == {"slow": {}, "fast": {"k": "k_fast", "A": 9.0}}


HEAD = "format_version: 1\nparameter_file: parameters.tsv\nproblems:\n"
FILES = (
    "- sbml_files: [model.xml]\n  condition_files: [conditions.tsv]\n  observable_files: [observables.tsv]\n"
    "  measurement_files: [measurements.tsv]\n"
)
PRIOR = "parameterId\testimate\tlowerBound\tupperBound\tobjectivePriorType\tobjectivePriorParameters\nk\t1\t1\t5\tnormal\t3\n"
MEASURED = "observableId\tsimulationConditionId\ttime\tmeasurement\n"
OBSERVED = "observableId\tobservableFormula\tnoiseFormula\toa\tob\n"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"problem": HEAD.replace("1", "2.0.0", 1) + FILES}, "format_version.*version 2 of PEtab is not supported"),
        ({"problem": HEAD + FILES + FILES}, "2 models in one problem"),
        ({"problem": HEAD + FILES.replace("[model.xml]", "[model.xml, other.xml]")}, "sbml_files.*2 models"),
        ({"problem": HEAD + FILES.replace("[conditions.tsv]", "['https://example.org/c.tsv']")}, "lies on the net"),
        ({"problem": HEAD + FILES + "  mapping_files: [m.tsv]\n"}, "mapping_files"),
        ({"problem": "[1, 2"}, "no YAML"),
        ({"problem": "- 1\n"}, "expected keys"),
        ({"measurements": None}, r"measurements.tsv: cannot be read"),
        ({"measurements": ""}, "is empty"),
        ({"measurements": MEASURED.replace("\t", ",") + "oa,slow,1,2\n"}, "tabs"),
        ({"measurements": MEASURED}, "no measurement"),
        ({"measurements": MEASURED + "oa\tslow\t1\t2\noa\tslow\t1\t2,5\n"}, "record 1, column measurement: found '2,5'"),
        ({"measurements": MEASURED + "oa\tslow\t1\tNaN\n"}, "record 0, column measurement"),
        ({"measurements": MEASURED + "oa\tslow\t-1\t2\n"}, "record 0.*>= 0"),
        ({"measurements": MEASURED + "oc\tslow\t1\t2\n"}, "'oc' is no observable"),
        ({"measurements": MEASURED + "oa\tslo\t1\t2\n"}, "'slo' is no condition.*did you mean 'slow'"),
        ({"measurements": MEASURED + "oa\tslow\t1\t2\t5\n"}, "record 0 has 5 cells"),
        ({"conditions": "conditionId\tk\nslow\t1\nslow\t2\n"}, "'slow' is there twice"),
        ({"conditions": "conditionId\tk\nslow\tinf\nfast\t2\n"}, "finite"),
        ({"parameters": "parameterId\testimate\nk\t2\n"}, "column estimate: found '2'"),
        ({"parameters": "parameterId\testimate\tlowerBound\tupperBound\nk\t1\t5\t1\n"}, "lower one first"),
        ({"parameters": PRIOR}, "expected two numbers"),
        ({"observables": "observableId\tobservableFormula\tnoiseFormula\nob\tB +\tsigma\n"}, "record 0, column observableFormula"),
    ],
)  # fmt: skip
def test_what_is_damaged_is_refused_by_file_record_and_column(tmp_path, changes, words):
    with pytest.raises(DataError, match=f"(?s){words}"):
        load_petab(write_petab(tmp_path, **changes))


def test_cells_that_say_nothing_are_empty(tmp_path):
    head = "observableId\tpreequilibrationConditionId\tsimulationConditionId\ttime\tmeasurement\tnoiseParameters\n"
    problem = load_petab(write_petab(tmp_path, measurements=head + "oa\tNaN\tfast\t1\t2\tNaN\nob\t\tslow\t1\t2\tNA\n"))
    assert [m.before for m in problem.measurements] == ["", ""] and problem.measurements[0].noise_parameters == ()


def test_ids_that_look_like_constants(tmp_path):
    net = Network("phosphate", species=[Species("Pi", 3.0)], reactions=[Reaction.parse("r", "Pi -> 0", rate=0.1)])
    problem = load_petab(
        write_petab(
            tmp_path,
            net,
            conditions="conditionId\nc\n",
            observables="observableId\tobservableFormula\tnoiseFormula\noa\tPi\ts\n",
            measurements=MEASURED + "oa\tc\t0\t2\n",
            parameters="parameterId\tlowerBound\tupperBound\tnominalValue\testimate\ns\t0.1\t2\t1\t1\n",
        )
    )
    assert problem.simulate()["simulation"].tolist() == [3.0]


def test_the_model_is_read_in_our_limited_child(tmp_path):
    path = write_petab(tmp_path)
    (tmp_path / "model.xml").write_text("<!DOCTYPE x [<!ENTITY a 'b'>]>" + chain().to_sbml())
    with pytest.raises(DataError, match="DOCTYPE"):
        load_petab(path)
