"""Model files: what is written comes back; whatever was changed is refused with a typed error, and nothing is executed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import zipfile

import numpy as np
import pytest
import safetensors.torch
import torch
from ase.build import bulk

from sciml import files
from sciml.errors import ConfigError, ModelFileError
from sciml.materials import model_file
from sciml.materials.model_file import list_potentials, load_potential, read_metadata, save_potential, sealed_json
from sciml.materials.models import build_model
from sciml.materials.potential import EnergyModel, Potential
from sciml.materials.references import References

RUN = []  # filled by a payload that is executed


class Payload:
    def __reduce__(self):
        return (RUN.append, (1,))


def potential(members=1, kind="equivariant"):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        options = {"kind": kind, "channels": 4, "cutoff_A": 4.0} | ({"hidden": 4} if kind != "tensor-product" else {"layers": 2})
        models = [EnergyModel(build_model(options, [11, 17])) for _ in range(members)]
    return Potential(
        models, References((11, 17), (-1.0, -2.0), ("isolated", "fitted"), 1), pairs_seen=[(11, 11), (11, 17)], metadata={"note": "x"}
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("models") / "salt"
    save_potential(potential(2), place)
    return place


def salt():
    atoms = bulk("NaCl", "rocksalt", a=5.6)
    atoms.rattle(0.1, seed=0)
    return atoms


def copied(folder, tmp_path):
    target = tmp_path / "copy"
    shutil.copytree(folder, target)
    return target


def resealed(folder, **changes):
    content = json.loads((folder / "model.json").read_text())
    content.pop("digest")
    (folder / "model.json").write_bytes(sealed_json(content | changes))


@pytest.mark.parametrize("kind", ["equivariant", "invariant", "tensor-product"])
@pytest.mark.parametrize("members", [1, 3])
def test_round_trip(tmp_path, kind, members):
    before = potential(members, kind)
    save_potential(before, tmp_path / "m")
    after = load_potential(tmp_path / "m")
    for dtype in ("float32", "float64"):
        ours, theirs = before.predict(salt(), dtype=dtype)[0], after.predict(salt(), dtype=dtype)[0]
        assert ours.energy == theirs.energy and np.array_equal(ours.forces, theirs.forces) and np.array_equal(ours.stress, theirs.stress)
    assert (after.energy_std if hasattr(after, "energy_std") else None) is None
    assert after.references == before.references and after.pairs_seen == before.pairs_seen and after.metadata["note"] == "x"
    assert sorted(p.name for p in (tmp_path / "m").iterdir())[0] == "MODEL_CARD.md"


def test_zip_and_run_folder(folder, tmp_path):
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, f"salt/{file.name}")
    shutil.copytree(folder, tmp_path / "run" / "model")
    expected = load_potential(folder).predict(salt())[0].energy
    assert load_potential(tmp_path / "m.zip").predict(salt())[0].energy == expected
    assert load_potential(tmp_path / "run").predict(salt())[0].energy == expected


@pytest.mark.parametrize("trials", [25, pytest.param(500, marks=pytest.mark.long)])
@pytest.mark.parametrize("victim", ["model.json", "member-0.safetensors", "member-1.safetensors"])
def test_every_change_is_seen(folder, tmp_path, victim, trials):
    target, rng = copied(folder, tmp_path), np.random.default_rng(0)
    original = (target / victim).read_bytes()
    for trial in range(trials):
        data = bytearray(original)
        if trial % 25 < 15:
            data[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
        elif trial % 25 < 22:
            data = data[: rng.integers(len(data))]
        else:
            data += b" "
        (target / victim).write_bytes(bytes(data))
        with pytest.raises(ModelFileError, match="copy"):
            load_potential(target)


@pytest.mark.parametrize("trials", [50, pytest.param(500, marks=pytest.mark.long)])
@pytest.mark.parametrize("victim", ["model.json", "member-0.safetensors"])
def test_changes_under_right_digests_are_refused_or_harmless(folder, tmp_path, victim, trials):
    """Whoever changes a file can make its digests anew: still no crash, nothing executed, no weight that is not a number."""
    target, rng, loaded = copied(folder, tmp_path), np.random.default_rng(1), 0
    files = {name: (target / name).read_bytes() for name in ("model.json", "member-0.safetensors")}
    for _ in range(trials):
        data = bytearray(files[victim])
        for place in rng.integers(
            len(data) if victim == "model.json" else 2000, size=rng.integers(1, 4)
        ):  # the head holds names and shapes
            data[place] = int(rng.integers(256))
        content = files["model.json"] if victim != "model.json" else bytes(data)
        blob = bytes(data) if victim != "model.json" else files["member-0.safetensors"]
        try:
            content = json.loads(content)
            content["members"][0] |= {"sha256": hashlib.sha256(blob).hexdigest(), "bytes": len(blob)}
            content.pop("digest", None)
            content = sealed_json(content)
        except (ValueError, KeyError, TypeError, IndexError, RecursionError, AttributeError):
            content = bytes(data)  # no JSON of the right form any more: as it is
        (target / "model.json").write_bytes(content)
        (target / "member-0.safetensors").write_bytes(blob)
        try:
            found = load_potential(target)
        except ModelFileError:
            continue
        loaded += 1
        assert all(bool(value.isfinite().all()) for member in found.members for value in member.state_dict().values())
    assert loaded < trials


def test_consistent_digests_over_wrong_content(folder, tmp_path):
    target = copied(folder, tmp_path)
    name, tensors = "member-0.safetensors", safetensors.torch.load_file(folder / "member-0.safetensors")

    def rewrite(changed):
        blob = safetensors.torch.save(changed)
        (target / name).write_bytes(blob)
        members = json.loads((folder / "model.json").read_text())["members"]
        members[0] = {"file": name, "bytes": len(blob), "sha256": files.digest(blob)}
        resealed(target, members=members)

    first = next(key for key in tensors if key.endswith("linear"))
    nan = tensors[first].clone()
    nan[0] = float("nan")
    cases = {
        "tensors missing: " + first: {k: v for k, v in tensors.items() if k != first},
        "not expected: other": tensors | {"other": torch.zeros(2)},
        "expected": tensors | {first: torch.zeros(3)},
        "float64": tensors | {first: tensors[first].double()},
        "not finite": tensors | {first: nan},
    }
    for message, changed in cases.items():
        rewrite(changed)
        with pytest.raises(ModelFileError, match=message):
            load_potential(target)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 2}, "format: found 2, this version reads 1"),
        ({"kind": "other"}, "kind: found 'other'"),
        ({"convention": "e3nn-0.4"}, "convention: found 'e3nn-0.4'"),
        ({"species": ["Qq"]}, "species"),
        ({"network": {}}, "network|describes no potential"),
        ({"network": {"model": {"kind": "equivariant", "channels": 10**9}, "head_hidden": 32, "repulsion": True}}, "channels"),
        ({"members": []}, "members: found 0"),
        ({"members": [{"file": "../x.safetensors", "bytes": 3, "sha256": ""}]}, "members"),
        ({"references": {"elements": {}, "rank": 0}}, "describes no potential|references"),
        ({"cutoff_A": "five"}, "cutoff_A"),
    ],
)
def test_sealed_nonsense(folder, tmp_path, changes, message):
    target = copied(folder, tmp_path)
    resealed(target, **changes)
    with pytest.raises(ModelFileError, match=message):
        load_potential(target)


def test_hostile_files(folder, tmp_path):
    import pickle  # a test makes the file that must never be read

    target = copied(folder, tmp_path)
    (target / "member-0.safetensors").write_bytes(pickle.dumps(Payload()))
    with pytest.raises(ModelFileError, match="digest"):
        load_potential(target)
    (tmp_path / "model.pt").write_bytes(pickle.dumps(Payload()))
    with pytest.raises(ModelFileError, match="neither"):
        load_potential(tmp_path / "model.pt")
    assert not RUN
    for name, member, link in (("a", "../outside", False), ("b", "/outside", False), ("c", "link", True), ("d", "C:\\x", False)):
        path = tmp_path / f"{name}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for file in folder.iterdir():
                archive.write(file, file.name)
            info = zipfile.ZipInfo(member)
            info.external_attr = (0o120777 if link else 0o100644) << 16
            archive.writestr(info, b"x")
        with pytest.raises(ModelFileError, match="leads out|link"):
            load_potential(path)


def test_a_bomb_is_refused_at_once(folder, tmp_path):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(folder / "model.json", "model.json")
        with archive.open("member-0.safetensors", "w", force_zip64=True) as stream:
            for _ in range(256):
                stream.write(bytes(1 << 20))
        archive.write(folder / "member-1.safetensors", "member-1.safetensors")
    start = time.process_time()
    with pytest.raises(ModelFileError, match="unpacks to"):
        load_potential(path)
    assert time.process_time() - start < 5


def test_names_and_paths(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shipped = tmp_path / "shipped"
    shutil.copytree(folder, shipped / "salt")
    monkeypatch.setattr(model_file.resources, "find", lambda name: shipped)
    assert list_potentials() == ["salt"]
    assert load_potential("salt").species == (11, 17)
    shutil.copytree(folder, tmp_path / "salt")
    with pytest.raises(ConfigError, match="both a shipped model and a path here; write ./salt"):
        load_potential("salt")
    assert load_potential("./salt").species == (11, 17)
    with pytest.raises(ModelFileError, match="shipped models are salt"):
        load_potential("pepper")


@pytest.mark.skipif(os.name != "posix", reason="symbolic links")
def test_links_are_not_followed(folder, tmp_path):
    target = copied(folder, tmp_path)
    (target / "member-0.safetensors").unlink()
    (target / "member-0.safetensors").symlink_to(folder / "member-0.safetensors")
    with pytest.raises(ModelFileError, match="plain file"):
        load_potential(target)


def test_the_card_tells_what_was_not_seen(folder):
    card = (folder / "MODEL_CARD.md").read_text()
    assert card.startswith("This model knows nothing of Cl beside Cl")
    assert "Fitted, rank 1 of 1" in card and "lone atoms" in card


def test_folders_without_a_model_and_impossible_names_say_what_would_be_right(tmp_path):
    (tmp_path / "begun").mkdir()
    for read in (load_potential, read_metadata):
        with pytest.raises(ModelFileError, match=r"this folder holds no model\.json; expected the folder of a model or of a finished run$"):
            read(tmp_path)
        (tmp_path / "begun" / "config.json").write_text("{}")
        with pytest.raises(ModelFileError, match=r"the run there has not ended, go on with it \(resume=True\)"):
            read(tmp_path / "begun")
        with pytest.raises(ModelFileError, match="cannot be read"):
            read("a" * 5000)
