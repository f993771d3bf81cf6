import json

import numpy as np

from sciml.materials.formats.record import Record, pack, pieces, unpack


def records(count=7, seed=0):
    rng = np.random.default_rng(seed)
    for k in range(count):
        n = int(rng.integers(1, 5))
        yield Record(
            numbers=rng.integers(1, 90, n),
            positions=rng.normal(size=(n, 3)),
            cell=rng.normal(size=(3, 3)),
            pbc=rng.random(3) > 0.5,
            info={
                "energy": float("nan") if k == 3 else 0.1 * k,
                "text": "ä\r b",
                "vector": np.arange(3),
                "nested": {"a": [1, None, True]},
                "k": k,
            },
            arrays={"forces": rng.normal(size=(n, 3)), "label": np.array([f"Si{i}" for i in range(n)])}
            if k % 2
            else {"tags": np.arange(n)},
            results={"forces": rng.normal(size=(n, 3)), "energy": -1.0 * k, "stress": rng.normal(size=6)},
            fixed=rng.random((n, 3)) > 0.5 if k == 5 else None,
            fixed_scaled=k == 5,
            notes=["careful"] if k == 2 else [],
        )


def same(a, b):
    if isinstance(a, np.ndarray):
        return a.shape == b.shape and a.dtype.kind == b.dtype.kind and np.array_equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return a == b or (a != a and b != b)


def test_records_come_back_as_they_were():
    head, arrays = pack(list(records()))
    json.dumps(head, allow_nan=False)
    assert all(array.dtype.kind in "ifbU" for array in arrays.values())
    for one, two in zip(records(), unpack(head, arrays), strict=True):
        for name in ("numbers", "positions", "cell", "pbc", "info", "arrays", "results", "fixed", "fixed_scaled", "notes"):
            assert same(getattr(one, name), getattr(two, name)), name


def test_pieces_are_small_and_keep_the_order():
    sizes = [list(unpack(*piece)) for piece in pieces(records(50), atoms=100)]
    assert len(sizes) > 5
    assert [record.info["k"] for group in sizes for record in group] == list(range(50))
    assert list(pieces([])) == []
