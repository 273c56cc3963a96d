"""Where each rule stands in the drawing of the rule graph: a column by depth, a lane by domain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

LANES = ("lake", "ticks", "weekly", "nfl", "warehouse", "book", "other")
SWEEPS = 12
Groups = dict[tuple[int, int], list[str]]  # (lane, column): its rules, from the top


def place(
    rules: Mapping[str, str], links: Iterable[tuple[str, str]]
) -> dict[str, tuple[int, int, int]]:
    """Column, lane and row of every rule: {rule: domain} and links (from, to) in, places out.

    The column is the length of the longest chain that leads to the rule; the lane is the domain's
    place in `LANES` (the last for an unknown domain); rows count from the top of the lane, and are
    chosen so that linked rules stand near each other. Links of a rule to itself and to rules that
    are not in `rules` count for nothing; of a cycle one link is left out. The order of the
    arguments has no influence.
    """
    after = acyclic(rules, links)
    column = depths(after)
    lane = {rule: lane_of(rules[rule]) for rule in after}
    groups: Groups = defaultdict(list)
    for rule in after:
        groups[lane[rule], column[rule]].append(rule)
    height = {number: max_height(groups, number) for number in set(lane.values())}
    near = neighbours(after)
    groups = untangle(groups, height, near)
    row = rows(groups, height, near)
    return {rule: (column[rule], lane[rule], row[rule]) for rule in after}


def lane_of(domain: str) -> int:
    """Number of the domain's lane; domains without one share the last."""
    return LANES.index(domain) if domain in LANES else len(LANES) - 1


def acyclic(rules: Iterable[str], links: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """What each rule needs, in the order of names, without what closes a cycle."""
    after: dict[str, set[str]] = {rule: set() for rule in sorted(rules)}
    for source, target in links:
        if source in after and target in after and source != target:
            after[target].add(source)
    while True:
        # Sets have no order that lasts from one process to the next, and the cycle that is found
        # depends on it.
        ordered = {rule: sorted(needs) for rule, needs in after.items()}
        try:
            TopologicalSorter(ordered).prepare()
        except CycleError as error:
            cycle = error.args[1]
            source, target = max(pairwise(cycle))
            after[target].remove(source)
        else:
            return after


def depths(after: Mapping[str, set[str]]) -> dict[str, int]:
    """Length of the longest chain that ends at each rule, in links."""
    depth: dict[str, int] = {}
    for rule in TopologicalSorter(after).static_order():
        depth[rule] = 1 + max((depth[needed] for needed in after[rule]), default=-1)
    return depth


def neighbours(after: Mapping[str, set[str]]) -> dict[str, list[str]]:
    """All that each rule is linked with, either way."""
    near: dict[str, set[str]] = {rule: set(needs) for rule, needs in after.items()}
    for rule, needs in after.items():
        for needed in needs:
            near[needed].add(rule)
    return {rule: sorted(others) for rule, others in near.items()}


def max_height(groups: Groups, lane: int) -> int:
    """Rows the lane needs: its fullest column."""
    return max(len(group) for (number, _), group in groups.items() if number == lane)


def untangle(groups: Groups, height: Mapping[int, int], near: Mapping[str, list[str]]) -> Groups:
    """Order within each group by the mean place of the neighbours (barycentre), swept to and fro.

    Of all orders passed through, the one whose links climb least is kept.
    """
    best = {key: list(group) for key, group in groups.items()}
    least = climb(levels(best, height), near)
    order = {key: list(group) for key, group in best.items()}
    level = levels(order, height)
    for sweep in range(SWEEPS):
        for key in sorted(order, key=lambda key: key[1], reverse=sweep % 2 == 1):
            mean = {rule: centre(rule, level, near) for rule in order[key]}
            order[key].sort(key=mean.__getitem__)
            level |= levels({key: order[key]}, height)
        total = climb(level, near)
        if total < least:
            least = total
            best = {key: list(group) for key, group in order.items()}
    return best


def levels(groups: Groups, height: Mapping[int, int]) -> dict[str, float]:
    """How far from the top each rule is, in lanes; a group stands in the middle of its lane."""
    level = {}
    for (lane, _), group in groups.items():
        for index, rule in enumerate(group):
            level[rule] = lane + 0.5 + (index - (len(group) - 1) / 2) / height[lane]
    return level


def centre(rule: str, level: Mapping[str, float], near: Mapping[str, list[str]]) -> float:
    """Mean level of what the rule is linked with; its own where there is nothing."""
    others = near[rule]
    return sum(level[other] for other in others) / len(others) if others else level[rule]


def climb(level: Mapping[str, float], near: Mapping[str, list[str]]) -> float:
    """How much all links go up and down, in lanes (each counted twice)."""
    return sum(abs(level[rule] - level[other]) for rule in near for other in near[rule])


def rows(
    groups: Groups, height: Mapping[int, int], near: Mapping[str, list[str]]
) -> dict[str, int]:
    """A row for each rule, near what it is linked with to its left, in the group's order."""
    row: dict[str, int] = {}
    lane_of_rule = {rule: lane for (lane, _), group in groups.items() for rule in group}
    for lane, column in sorted(groups, key=lambda key: (key[1], key[0])):
        group = groups[lane, column]
        free = 0
        for index, rule in enumerate(group):
            known = [row[o] for o in near[rule] if o in row and lane_of_rule[o] == lane]
            middle = (height[lane] - len(group)) // 2 + index
            wanted = round(sum(known) / len(known)) if known else middle
            last = height[lane] - (len(group) - index)
            row[rule] = max(free, min(wanted, last))
            free = row[rule] + 1
    return row
