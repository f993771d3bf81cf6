"""A law with a name: shapes, streams, maps."""

from __future__ import annotations

from sciml.biology.information.embeddings import rolled
from sciml.biology.information.known_law import KnownLaw
from sciml.biology.information.pair_laws import Gaussian, paired


def test_columns_streams_and_maps():
    plain = KnownLaw("g", "continuous", "", Gaussian(paired(0.5, 0.2), 2))
    mapped = KnownLaw("g", "continuous", "", Gaussian(paired(0.5, 0.2), 2), x_map=rolled)
    other = KnownLaw("h", "continuous", "", Gaussian(paired(0.5, 0.2), 2))
    assert (plain.n_x, plain.n_y, mapped.n_x) == (2, 2, 3)
    x, y = plain.sample(50, 7)
    assert (plain.sample(50, 7)[0] == x).all() and (rolled(x) == mapped.sample(50, 7)[0]).all()
    assert (plain.sample(50, 8)[1] != y).all() and (other.sample(50, 7)[1] != y).all()
    assert plain.bits == mapped.bits == Gaussian(paired(0.5, 0.2), 2).bits()
