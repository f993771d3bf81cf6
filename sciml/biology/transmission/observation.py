"""What of a jump process is seen when the changes of some species are watched, and what goes on unseen behind it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sciml.biology.network import nearest
from sciml.biology.simulation.jump_model import JumpModel
from sciml.errors import ConfigError

__all__ = ["Observation", "observe", "traces"]

Group = tuple[tuple[int, int], ...]  # net change of the watched states: (state, molecules) as pairs


@dataclass(frozen=True)
class Observation:
    """The part of a jump process that matters to who watches every change of the states `watched`, with its time.

    `groups`: the kinds of changes that can be told apart, by the net change of the watched states alone. `members` [G]: the channels that
    make each, by number. `unseen`: channels that change no watched state, but something on which a later change depends. `hidden`: those
    states. Everything else has no influence on what is seen.
    """

    watched: tuple[int, ...]
    groups: tuple[Group, ...]
    members: tuple[tuple[int, ...], ...]
    unseen: tuple[int, ...]
    hidden: tuple[int, ...]
    certain: bool

    @property
    def channels(self) -> tuple[int, ...]:
        """Numbers of all channels that matter, ascending."""
        return tuple(sorted({*self.unseen, *(c for group in self.members for c in group)}))


def observe(model: JumpModel, watched: Iterable[int]) -> Observation:
    """The observation of states, by number. `certain`: the start and what is seen determine the hidden states at all times."""
    graph, channels, seen = model.jumps.graph, model.jumps.channels, frozenset(watched)
    members: dict[Group, list[int]] = {}
    for number, channel in enumerate(channels):
        if change := tuple(pair for pair in channel.change if pair[0] in seen):
            members.setdefault(change, []).append(number)
    matter = {c for group in members.values() for c in group}
    hidden: set[int] = set()
    while True:
        needed = graph.leaves([channels[c].node for c in matter], "state") - seen
        moving = {c for c, channel in enumerate(channels) if any(state in needed for state, _ in channel.change)}
        if needed <= hidden and moving <= matter:
            break
        hidden |= needed
        matter |= moving
    visible = {c for group in members.values() for c in group}
    told_apart = all(len({_part(channels[c].change, hidden) for c in group}) == 1 for group in members.values())
    return Observation(
        watched=tuple(sorted(seen)),
        groups=tuple(members),
        members=tuple(tuple(group) for group in members.values()),
        unseen=tuple(sorted(matter - visible)),
        hidden=tuple(sorted(hidden)),
        certain=matter == visible and told_apart,
    )


def traces(model: JumpModel, dose: str, readout: str) -> tuple[int, int]:
    """The states whose traces are compared.

    Raises ConfigError for what is no species that reactions change, and for a reaction that changes both: the times at which it fires would
    stand in both traces, so that what they share has no bound.
    """
    if dose == readout:
        raise ConfigError(f"readout: found {readout!r}, the dose itself; expected another species")
    states = [_state(model, *pair) for pair in (("dose", dose), ("readout", readout))]
    for channel in model.jumps.channels:
        if len({state for state, _ in channel.change} & set(states)) == 2:
            names = ", ".join(repr(name) for name in channel.names)
            raise ConfigError(
                f"{model.name}: reaction {names} changes {dose!r} and {readout!r} at the same time: both traces would show when it fires, "
                "and two traces with exact times in common share more than any number of bits; choose a read-out further on"
            )
    return states[0], states[1]


def _state(model: JumpModel, option: str, id: str) -> int:
    states = model.jumps.system.states
    known = [s for i, s in enumerate(states) if any(i == state for c in model.jumps.channels for state, _ in c.change)]
    if id not in known:
        raise ConfigError(f"{option}: found {id!r}, expected a species of {model.name!r} that reactions change{nearest(id, known)}")
    return states.index(id)


def _part(change: Group, states: set[int]) -> Group:
    return tuple(pair for pair in change if pair[0] in states)
