"""Where rules stand in the rule graph: right of what they need, apart, the same every time."""

from __future__ import annotations

import random
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.report.layout import LANES, place

Links = list[tuple[str, str]]
NAMES = [f"rule_{number}" for number in range(12)]
DOMAINS = {name: LANES[number % 3] for number, name in enumerate(NAMES)}


def test_the_longest_way_tells_the_column() -> None:
    rules = dict.fromkeys("abcd", "lake")
    places = place(rules, [("a", "b"), ("b", "c"), ("a", "c"), ("c", "d"), ("a", "d")])
    assert [places[rule][0] for rule in "abcd"] == [0, 1, 2, 3]


def test_domains_are_lanes_and_unknown_ones_share_the_last() -> None:
    rules = {"a": "lake", "b": "nfl", "c": "book", "d": "other", "e": "gardening"}
    lanes = {rule: lane for rule, (_, lane, _) in place(rules, []).items()}
    assert lanes == {"a": 0, "b": 3, "c": 5, "d": 6, "e": 6}


def test_links_to_itself_and_to_strangers_count_for_nothing() -> None:
    rules = {"a": "lake", "b": "lake"}
    assert place(rules, [("a", "a"), ("a", "b"), ("b", "x"), ("x", "a")]) == place(
        rules, [("a", "b")]
    )


def test_no_rules() -> None:
    assert place({}, []) == {}


@pytest.mark.parametrize(
    "links",
    [
        [("a", "b"), ("b", "a")],
        [("a", "b"), ("b", "c"), ("c", "a")],
        [("a", "b"), ("b", "a"), ("c", "a"), ("c", "b")],
    ],
)
def test_a_cycle_loses_one_link_and_always_the_same(links: Links) -> None:
    rules = dict.fromkeys("abc", "lake")
    places = place(rules, links)
    assert place(dict(reversed(rules.items())), links[::-1]) == places
    kept = [(a, b) for a, b in links if places[a][0] < places[b][0]]
    assert len(kept) == len(links) - 1


links_of = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=30)


@given(links_of, st.randoms(use_true_random=False))
def test_places_are_apart_and_do_not_depend_on_the_order(links: Links, seed: random.Random) -> None:
    places = place(DOMAINS, links)
    assert set(places) == set(DOMAINS)
    assert len(set(places.values())) == len(places)
    names, mixed = list(DOMAINS), list(links)
    seed.shuffle(names)
    seed.shuffle(mixed)
    assert place({name: DOMAINS[name] for name in names}, mixed + mixed[:3]) == places


@given(links_of)
def test_without_cycles_every_rule_stands_right_of_what_it_needs(links: Links) -> None:
    forward = [(a, b) for a, b in links if NAMES.index(a) < NAMES.index(b)]
    places = place(DOMAINS, forward)
    assert all(places[a][0] < places[b][0] for a, b in forward)


@given(links_of)
def test_a_lane_is_no_taller_than_its_fullest_column(links: Links) -> None:
    places = place(DOMAINS, links).values()
    for lane in {lane for _, lane, _ in places}:
        columns = [column for column, other, _ in places if other == lane]
        fullest = max(columns.count(column) for column in columns)
        assert {row for _, other, row in places if other == lane} <= set(range(fullest))


def crossings(places: dict[str, tuple[int, int, int]], links: Links) -> int:
    """Pairs of links that cross between two columns next to each other."""

    def height(rule: str) -> tuple[int, int]:
        return places[rule][1:]

    return sum(
        (height(a) < height(c)) != (height(b) < height(d))
        for (a, b), (c, d) in combinations(links, 2)
        if places[a][0] == places[c][0] and len({a, b, c, d}) == 4
    )


def test_a_ladder_has_no_crossing() -> None:
    """Its rungs are named so that the order of names would cross all of them."""
    rules = {f"{side}{number}": "lake" for side in "ab" for number in range(8)}
    links = [(f"a{number}", f"b{7 - number}") for number in range(8)]
    assert crossings(place(rules, links), links) == 0


def test_lanes_pull_their_rules_to_the_near_side() -> None:
    """What feeds the lane below stands below."""
    rules = {"lake_a": "lake", "lake_b": "lake", "lake_c": "lake", "nfl": "nfl"}
    places = place(rules, [("lake_a", "nfl"), ("lake_b", "lake_c")])
    assert places["lake_a"][2] > places["lake_b"][2]


def test_links_cross_less_than_by_name() -> None:
    seed = random.Random(3)
    rules = {f"{side}{number:02}": "nfl" for side in "ab" for number in range(12)}
    links = [(f"a{n:02}", f"b{seed.randrange(12):02}") for n in range(12) for _ in range(2)]
    named = {name: (int(name[0] == "b"), 3, int(name[1:])) for name in rules}
    assert crossings(place(rules, links), links) < 0.6 * crossings(named, links)


def test_a_long_chain_is_no_deep_recursion() -> None:
    rules = {f"rule_{number:04}": "lake" for number in range(1500)}
    names = sorted(rules)
    places = place(rules, list(pairwise(names)))
    assert [places[name][0] for name in names] == list(range(1500))
