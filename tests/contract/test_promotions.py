"""Promotions of each kind on real registries: what MlflowClient finds afterwards, and the way back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.registries import AnyEdits, RegistryLab, add

from runtower.domain.errors import Conflict, TowerError
from runtower.domain.promotions import Promoted, Promotion, State, Verdict, Way, destination_of
from runtower.domain.ulids import new_id
from runtower.promote.clock import SystemClock
from runtower.promote.history import history, previous
from runtower.promote.records import decoded, key_of
from runtower.promote.settling import settle
from runtower.promote.transaction import carry_out

pytestmark = pytest.mark.parametrize(
    "registry", ["client", "files", "rest", pytest.param("postgres", marks=pytest.mark.long)], indirect=True
)

LONG = tuple(Verdict(f"max métrique_{number} 1", State.MET, "0.5, höchstens 1 " * 20) for number in range(40))


@pytest.fixture
def model(registry: RegistryLab) -> str:
    """A model of this test's own, for a server may be shared: three versions, the first is @champion and in a stage."""
    name = f"promoted {new_id()}"
    registry.client.create_registered_model(name)
    for number in "123":
        add(registry.client, name, f"runs:/{registry.made.run_id}/model", registry.made.run_id, {"n": number}, "good")
    registry.client.set_registered_model_alias(name, "champion", "1")
    registry.client.transition_model_version_stage(name, "1", "Production")
    return name


def wanted(model: str, version: str, to: str, before: tuple[str, ...], **more: object) -> Promotion:
    first = Promotion(
        new_id(), 0, "ana@host", model, version, destination_of(to), before, gate=LONG, reason="böse" * 400
    )
    return replace(first, **more)  # type: ignore[arg-type]


def promote(edits: AnyEdits, *words: object, **more: object) -> tuple[Promotion, Promoted]:
    promotion = wanted(*words, **more)  # type: ignore[arg-type]
    return promotion, carry_out(edits, promotion)


def test_an_alias_there_back_and_away(registry: RegistryLab, model: str) -> None:
    edits, to = registry.edits(), destination_of("champion")
    first, promoted = promote(edits, model, "3", "champion", ("1",))
    assert promoted == Promoted(("3",))
    assert str(registry.client.get_model_version_by_alias(model, "champion").version) == "3"
    record = decoded(registry.client.get_model_version(model, "3").tags[key_of(first.id)])
    assert record is not None
    assert (record.before, record.who, record.gate_state) == (("1",), "ana@host", State.MET)
    assert registry.client.get_registered_model(model).tags == {}
    with pytest.raises(Conflict, match="is held by v3, brought there by ana@host"):
        promote(edits, model, "2", "champion", ("1",))
    assert settle(edits, first).word == "done"
    assert previous(edits.model(model), to) == "1"
    promote(edits, model, "1", "champion", ("3",), way=Way.ROLLBACK)
    promote(edits, model, "", "champion", ("1",), way=Way.REMOVE)
    assert registry.client.get_registered_model(model).aliases == {}
    registry.client.set_registered_model_alias(model, "champion", "2")
    moves = history(edits.model(model), to).moves
    assert [move.after for move in moves] == [("3",), ("1",), (), ("2",)]
    assert [move.elsewhere for move in moves] == [False, False, False, True]


def test_a_stage(registry: RegistryLab, model: str) -> None:
    edits = registry.edits()
    assert promote(edits, model, "2", "stage:Production", ("1",))[1].holders == ("2", "1")
    says = ""
    try:
        promote(edits, model, "3", "stage:Production", ("2", "1"), archive=True)
    except TowerError as error:
        says = str(error)
    found = registry.client.search_model_versions(f"name='{model}'")
    inside = {str(one.version) for one in found if one.current_stage == "Production"}
    if says:  # MLflow on PostgreSQL can't archive
        assert "is held by v2 and v1, as read back" in says
        assert inside == {"1", "2"}
    else:
        assert inside == {"3"}
    assert registry.client.get_registered_model(model).tags == {}


def test_a_copy_into_a_model_that_is_made_for_it(registry: RegistryLab, model: str) -> None:
    edits, other = registry.edits(), f"{model}-prod"
    promotion, promoted = promote(edits, model, "2", f"model:{other}", ())
    assert (promoted.holders, promoted.copied_as) == (("1",), "1")
    copy = registry.client.get_model_version(other, "1")
    assert (copy.run_id, copy.description, copy.tags["n"]) == (registry.made.run_id, "good", "2")
    assert copy.tags.keys() == {"n", key_of(promotion.id)}
    record = decoded(registry.client.get_model_version(model, "2").tags[key_of(promotion.id)])
    assert record is not None
    assert record.copied_as == "1"
    assert promote(edits, model, "2", f"model:{other}", ("1",))[1].already
    assert promote(edits, model, "3", f"model:{other}", ("1",))[1].copied_as == "2"
    assert previous(edits.model(other), destination_of(f"model:{other}")) == "1"
    assert registry.client.get_registered_model(other).tags == {}


def test_what_was_never_begun_is_settled_as_such(registry: RegistryLab, model: str) -> None:
    assert settle(registry.edits(), wanted(model, "2", "champion", ("1",)), _Impatient()).word == "refused"


class _Impatient(SystemClock):
    def pause(self, seconds: float) -> None: ...
