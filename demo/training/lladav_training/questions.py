"""What is asked about a scene, in several phrasings, and the one right answer."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .attributes import COLOR_NAMES, FRAMES, OBJECTS_MAX, SHAPES, held_out
from .scenes import BarsScene, ClipScene, PairScene, Scene, ShapesScene, SignScene, Thing

CORE = (
    "color", "shape", "count", "existence", "place", "at", "text_color", "bars", "highest", "mover", "pair_existence",
)  # fmt: skip
FURTHER = (
    "relation", "size", "kind_count", "bar_other", "reading", "change", "direction", "follow_up", "description",
    "list", "reasoning",
)  # fmt: skip


NOTHING = 0
"""The mark of no object."""


@dataclass(frozen=True)
class Look:
    """What the characters from `begin` to `end` of a question or an answer are about: mark `mark` of picture (or frame)
    `picture`.

    Aid to training only. `head` tells the objects apart that a question names one after the other; NOTHING says that
    no such object is there.
    """

    mark: int
    picture: int = 0
    head: int = 0
    begin: int = 0
    end: int | None = None


@dataclass(frozen=True)
class Turn:
    """One question and its answer. `think` is `think`, `no_think` or None; it goes to the end of the question."""

    kind: str
    question: str
    answer: str
    think: str | None = None
    facts: tuple[str, ...] = ()
    looks: tuple[Look, ...] = ()
    """What the answer is about, part by part."""
    asked: tuple[Look, ...] = ()
    """What the names in the question are of."""

    def text(self) -> str:
        return f"{self.question} /{self.think}" if self.think else self.question


Exchange = tuple[Turn, ...]
"""Turns that belong together: a follow-up with the question before it; otherwise one."""
Subject = tuple[Turn, Thing]
"""A turn and the one object that it is about."""
Asker = Callable[[random.Random, Any], Exchange | None]
"""Asks about a scene of its own form; None when the scene has no such question."""


def ask(kind: str, rng: random.Random, scene: Scene) -> Exchange | None:
    """A question of this kind; the last turn is the one that is of it. None if the scene allows none."""
    asker, form = _ASKERS[kind]
    return asker(rng, scene) if isinstance(scene, form) else None


def kinds_of(scene: Scene) -> tuple[str, ...]:
    """The kinds that may be asked about such a scene."""
    return tuple(kind for kind, (_, form) in _ASKERS.items() if isinstance(scene, form))


def _color(rng: random.Random, scene: ShapesScene) -> Exchange | None:
    return _alone(_color_of_one(rng, scene))


def _color_of_one(rng: random.Random, scene: ShapesScene) -> Subject | None:
    unique = [t for t in scene.things if sum(o.shape == t.shape for o in scene.things) == 1]
    if not unique:
        return None
    thing = rng.choice(unique)
    phrases = ("What color is the {}?", "Which color does the {} have?", "Tell me the color of the {}.")
    question, looks = rng.choice(phrases).format(thing.shape), _at_things(scene, thing)
    return Turn("color", question, thing.color, looks=looks, asked=_words(question, thing.shape, looks)), thing


def _shape(rng: random.Random, scene: ShapesScene) -> Exchange | None:
    return _alone(_shape_of_one(rng, scene))


def _shape_of_one(rng: random.Random, scene: ShapesScene) -> Subject | None:
    unique = [t for t in scene.things if sum(o.color == t.color for o in scene.things) == 1]
    if not unique:
        return None
    thing = rng.choice(unique)
    phrases = ("What shape is the {} object?", "What is the {} thing?", "Tell me the shape of the {} object.")
    question, looks = rng.choice(phrases).format(thing.color), _at_things(scene, thing)
    return Turn("shape", question, thing.shape, looks=looks, asked=_words(question, thing.color, looks)), thing


def _count(rng: random.Random, scene: ShapesScene) -> Exchange:
    phrases = ("How many objects are there?", "How many things do you see?", "Count the objects.")
    return (Turn("count", rng.choice(phrases), str(len(scene.things)), looks=_counted(scene, scene.things)),)


def _existence(rng: random.Random, scene: ShapesScene) -> Exchange:
    name, there = _asked_name(rng, (scene,))
    phrases = ("Is there {}?", "Do you see {}?", "Does the picture show {}?")
    question, looks = rng.choice(phrases).format(_a(name)), (_named(scene, name),)
    return (Turn("existence", question, _yes(there), looks=looks, asked=_words(question, name, looks)),)


def _place(rng: random.Random, scene: ShapesScene) -> Exchange | None:
    if not scene.things:
        return None
    thing = rng.choice(scene.things)
    phrases = ("Where is the {}?", "In which part of the picture is the {}?", "Tell me the place of the {}.")
    question, looks = rng.choice(phrases).format(thing.name), _at_things(scene, thing)
    return (Turn("place", question, thing.place, looks=looks, asked=_words(question, thing.name, looks)),)


def _at(rng: random.Random, scene: ShapesScene) -> Exchange | None:
    return _alone(_one_at_a_place(rng, scene))


def _one_at_a_place(rng: random.Random, scene: ShapesScene) -> Subject | None:
    if not scene.things:
        return None
    thing = rng.choice(scene.things)
    phrases = ("What is at the {}?", "Which object is at the {}?", "What do you see at the {}?")
    question, looks = rng.choice(phrases).format(thing.place), _at_things(scene, thing)
    return Turn("at", question, thing.name, looks=looks, asked=_words(question, thing.place, looks)), thing


def _relation(rng: random.Random, scene: ShapesScene) -> Exchange | None:
    pairs = [(a, b) for a in scene.things for b in scene.things if a.row != b.row or a.column != b.column]
    if not pairs:
        return None
    a, b = rng.choice(pairs)
    if a.column != b.column and (a.row == b.row or rng.random() < 0.5):
        asked, answer = "left or right of", "left" if a.column < b.column else "right"
    else:
        asked, answer = "above or below", "above" if a.row < b.row else "below"
    phrases = ("Is the {a} {asked} the {b}?", "Tell me, is the {a} {asked} the {b}?")
    question = rng.choice(phrases).format(a=a.name, b=b.name, asked=asked)
    looks = _one_by_one(scene, a, b)
    return (Turn("relation", question, answer, looks=looks, asked=_names(question, scene, a, b)),)


def _size(rng: random.Random, scene: ShapesScene) -> Exchange | None:
    large = [t for t in scene.things if t.size == "large"]
    small = [t for t in scene.things if t.size == "small"]
    if not large or not small:
        return None
    a, b = rng.choice(large), rng.choice(small)
    first, second = (a, b) if rng.random() < 0.5 else (b, a)
    word, answer = ("larger", a) if rng.random() < 0.5 else ("smaller", b)
    phrases = ("Which is {}, the {} or the {}?", "Which of the two is {}, the {} or the {}?")
    question = rng.choice(phrases).format(word, first.name, second.name)
    looks = _one_by_one(scene, answer, b if answer == a else a)
    return (Turn("size", question, answer.name, looks=looks, asked=_names(question, scene, a, b)),)


def _kind_count(rng: random.Random, scene: ShapesScene) -> Exchange:
    noun, things = _asked_sort(rng, scene)
    phrases = ("How many {} are there?", "How many {} do you see?", "Count the {}.")
    question, looks = rng.choice(phrases).format(noun), _counted(scene, things)
    asked = _words(question, noun.removesuffix(" objects"), looks)
    return (Turn("kind_count", question, str(len(things)), looks=looks, asked=asked),)


def _follow_up(rng: random.Random, scene: ShapesScene) -> Exchange | None:
    found = rng.choice((_one_at_a_place, _shape_of_one, _color_of_one))(rng, scene)
    if found is None:
        return None
    turn, thing = found
    sort = rng.choice(("where", "size", "color", "shape"))
    if sort == "where" and turn.kind != "at":
        return (turn, _later(rng, turn, ("Where is it?", "And where is it?"), thing.place))
    if (sort == "color" and turn.kind == "shape") or (sort == "shape" and turn.kind == "color"):
        sort = "size"
    if sort == "color":
        return (turn, _later(rng, turn, ("What color is it?", "And its color?"), thing.color))
    if sort == "shape":
        return (turn, _later(rng, turn, ("What shape is it?", "And its shape?"), thing.shape))
    return (turn, _later(rng, turn, ("Is it large or small?", "How large is it?"), thing.size))


def _later(rng: random.Random, turn: Turn, phrases: tuple[str, ...], answer: str) -> Turn:
    return Turn("follow_up", rng.choice(phrases), answer, looks=turn.looks)


def _description(rng: random.Random, scene: ShapesScene) -> Exchange | None:
    if not 1 <= len(scene.things) <= 4:
        return None
    facts = tuple(f"a {thing.size} {thing.name} at the {thing.place}" for thing in scene.things)
    count = ("one object", "two objects", "three objects", "four objects")[len(facts) - 1]
    answer = f"There {'is' if len(facts) == 1 else 'are'} {count}: {', '.join(facts)}."
    phrases = ("Describe the picture.", "What does the picture show?", "Tell me what you see.")
    looks = tuple(_look_at(answer, fact, number) for number, fact in enumerate(facts, start=1))
    return (Turn("description", rng.choice(phrases), answer, facts=facts, looks=looks),)


def _list(rng: random.Random, scene: ShapesScene) -> Exchange | None:
    if not scene.things:
        return None
    facts = tuple(f"{thing.place}: {thing.name}" for thing in scene.things)
    phrases = ("List what is where.", "List the objects and their places.", "Make a list of all places.")
    answer = ", ".join(facts)
    looks = tuple(_look_at(answer, fact, number) for number, fact in enumerate(facts, start=1))
    return (Turn("list", rng.choice(phrases), answer, facts=facts, looks=looks),)


def _reasoning(rng: random.Random, scene: ShapesScene) -> Exchange:
    asked: tuple[Look, ...] = ()
    if rng.random() < 0.5:
        noun, things = _asked_sort(rng, scene)
        question = rng.choice(("How many {} are there?", "Count the {}.")).format(noun)
        steps, result = ", ".join(thing.name for thing in things) or "nothing", len(things)
        looks = tuple(_look_at(steps, thing.name, 1 + scene.things.index(thing)) for thing in things)
        asked = _words(question, noun.removesuffix(" objects"), _counted(scene, things))
    elif rng.random() < 0.5:
        more, fewer = rng.sample(SHAPES, 2)
        many, few = ([t for t in scene.things if t.shape == shape] for shape in (more, fewer))
        if len(many) < len(few):
            more, fewer, many, few = fewer, more, few, many
        question = f"How many more {_plural(more)} than {_plural(fewer)} are there?"
        asked = tuple(
            look
            for shape, things in ((more, many), (fewer, few))
            for look in _words(question, _plural(shape), _counted(scene, things))
        )
        result = len(many) - len(few)
        counts = f"{len(many)} {_plural(more)}", f"{len(few)} {_plural(fewer)}"
        steps = f"{counts[0]}, {counts[1]}, {len(many)} - {len(few)} = {result}"
        looks = (*_words(steps, counts[0], _counted(scene, many)), *_words(steps, counts[1], _counted(scene, few)))
    else:
        count, added = len(scene.things), rng.randint(1, 3)
        question = f"How many objects are there when {added} are added?"
        result = count + added
        steps = f"{count} objects, {count} + {added} = {result}"
        looks = _words(steps, f"{count} objects", _counted(scene, scene.things))
    if rng.random() < 0.25:
        return (Turn("reasoning", question, str(result), think="no_think", asked=asked),)
    return (Turn("reasoning", question, f"{steps}. Answer: {result}", think="think", looks=looks, asked=asked),)


def _text_color(rng: random.Random, scene: SignScene) -> Exchange:
    phrases = ("What color is the text?", "Which color does the text have?", "Tell me the color of the text.")
    return (Turn("text_color", rng.choice(phrases), scene.color, looks=(Look(1),)),)


def _reading(rng: random.Random, scene: SignScene) -> Exchange:
    noun = "number" if scene.is_number else "word"
    phrases = ("What {} is printed?", "Read the {}.", "Which {} do you see?")
    letters = range(len(scene.text))
    if scene.is_number:
        looks = tuple(Look(1 + i, begin=i, end=i + 1) for i in letters)
    else:
        looks = tuple(Look(1 + i) for i in letters)
    return (Turn("reading", rng.choice(phrases).format(noun), scene.text, looks=looks),)


def _bars(rng: random.Random, scene: BarsScene) -> Exchange:
    phrases = ("How many bars are there?", "How many bars do you see?", "Count the bars.")
    return (Turn("bars", rng.choice(phrases), str(len(scene.colors))),)


def _highest(rng: random.Random, scene: BarsScene) -> Exchange:
    phrases = ("Which bar is the highest?", "What color is the highest bar?", "Tell me the color of the highest bar.")
    highest = scene.by_height()[0]
    return (Turn("highest", rng.choice(phrases), highest, looks=_at_bars(scene, highest)),)


def _bar_other(rng: random.Random, scene: BarsScene) -> Exchange:
    ranked = scene.by_height()
    sort = rng.choice(("lowest", "second", "leftmost", "rightmost", "higher"))
    if sort == "higher":
        a, b = rng.sample(scene.colors, 2)
        higher = ranked.index(a) < ranked.index(b)
        question = f"Is the {a} bar higher than the {b} bar?"
        looks = _at_bars(scene, a, b)
        asked = tuple(look for color in (a, b) for look in _words(question, color, _at_bars(scene, color)))
        return (Turn("bar_other", question, _yes(higher), looks=looks, asked=asked),)
    if sort == "second":
        phrase, answer = "second highest", ranked[1]
    else:
        phrase = sort
        answer = {"lowest": ranked[-1], "leftmost": scene.colors[0], "rightmost": scene.colors[-1]}[sort]
    phrases = ("Which bar is the {}?", "What color is the {} bar?")
    return (Turn("bar_other", rng.choice(phrases).format(phrase), answer, looks=_at_bars(scene, answer)),)


def _mover(rng: random.Random, scene: ClipScene) -> Exchange:
    phrases = ("Which object moves?", "What moves?", "Tell me which object moves.")
    return (Turn("mover", rng.choice(phrases), scene.things[0].name, looks=_MOVED),)


def _direction(rng: random.Random, scene: ClipScene) -> Exchange:
    phrases = ("In which direction does the object move?", "Which way does the object move?", "Where does it move to?")
    return (Turn("direction", rng.choice(phrases), scene.direction, looks=_MOVED),)


def _pair_existence(rng: random.Random, scene: PairScene) -> Exchange:
    sort = rng.choice(("first", "second", "both", "either"))
    name, _ = _asked_name(rng, (scene.first, scene.second))
    there = [any(t.name == name for t in picture.things) for picture in (scene.first, scene.second)]
    truth = {"first": there[0], "second": there[1], "both": all(there), "either": any(there)}[sort]
    where = {
        "first": "the first picture",
        "second": "the second picture",
        "both": "both pictures",
        "either": "either picture",
    }[sort]
    looks = tuple(_named(picture, name, i) for i, picture in enumerate((scene.first, scene.second)))
    question = f"Is there {_a(name)} in {where}?"
    return (Turn("pair_existence", question, _yes(truth), looks=looks, asked=_words(question, name, looks)),)


def _change(rng: random.Random, scene: PairScene) -> Exchange | None:
    if scene.change is None:
        return None
    phrases = ("What changed?", "What is different in the second picture?", "What changed between the pictures?")
    looks = (*_not_in(scene.first, scene.second, 0), *_not_in(scene.second, scene.first, 1))
    return (Turn("change", rng.choice(phrases), scene.change, looks=looks),)


def _asked_name(rng: random.Random, scenes: tuple[ShapesScene, ...]) -> tuple[str, bool]:
    """A colour and a shape, there or not in equal parts; of those that are not there, four in five share a
    word with one that is."""
    things = [thing for scene in scenes for thing in scene.things]
    names = {thing.name for thing in things}
    if things and rng.random() < 0.5:
        return rng.choice(things).name, True
    while True:
        color, shape = rng.choice(COLOR_NAMES), rng.choice(SHAPES)
        if things and rng.random() < 0.8:
            near = rng.choice(things)
            color, shape = (near.color, shape) if rng.random() < 0.5 else (color, near.shape)
        if f"{color} {shape}" not in names and not held_out(color, shape):
            return f"{color} {shape}", False


def _asked_sort(rng: random.Random, scene: ShapesScene) -> tuple[str, list[Thing]]:
    """A colour or a shape in the plural, mostly one that is there, and the objects of it."""
    if rng.random() < 0.5:
        shape = rng.choice(scene.things).shape if scene.things and rng.random() < 0.75 else rng.choice(SHAPES)
        return _plural(shape), [t for t in scene.things if t.shape == shape]
    color = rng.choice(scene.things).color if scene.things and rng.random() < 0.75 else rng.choice(COLOR_NAMES)
    return f"{color} objects", [t for t in scene.things if t.color == color]


_MOVED = (Look(1), Look(1, picture=FRAMES - 1, head=1))
"""The object that moves is a clip's first: in the first frame and in the last one."""


def _at_things(scene: ShapesScene, *things: Thing) -> tuple[Look, ...]:
    return tuple(Look(1 + scene.things.index(thing)) for thing in things)


def _counted(scene: ShapesScene, things: Sequence[Thing]) -> tuple[Look, ...]:
    """One look per object, and the rest at nothing: attention sums to one, so its share at nothing tells the number."""
    return _at_things(scene, *things) + (Look(NOTHING),) * (OBJECTS_MAX + 1 - len(things))


def _one_by_one(scene: ShapesScene, *things: Thing) -> tuple[Look, ...]:
    return tuple(Look(1 + scene.things.index(thing), head=head) for head, thing in enumerate(things))


def _named(scene: ShapesScene, name: str, picture: int = 0) -> Look:
    """The object of that name, looked at by the head of its picture."""
    marks = (number for number, thing in enumerate(scene.things, start=1) if thing.name == name)
    return Look(next(marks, NOTHING), picture=picture, head=picture)


def _not_in(scene: ShapesScene, other: ShapesScene, picture: int) -> tuple[Look, ...]:
    """The objects of one picture that the other has not."""
    marks = (number for number, thing in enumerate(scene.things, start=1) if thing not in other.things)
    return tuple(Look(mark, picture=picture, head=picture) for mark in marks)


def _at_bars(scene: BarsScene, *colors: str) -> tuple[Look, ...]:
    return tuple(Look(1 + scene.colors.index(color), head=head) for head, color in enumerate(colors))


def _words(text: str, words: str, looks: tuple[Look, ...]) -> tuple[Look, ...]:
    """Those words of a text are about what all of these looks are at."""
    begin = text.rindex(words)
    return tuple(replace(look, begin=begin, end=begin + len(words)) for look in looks)


def _names(question: str, scene: ShapesScene, *things: Thing) -> tuple[Look, ...]:
    """Every thing's name is about that thing."""
    return tuple(look for thing in things for look in _words(question, thing.name, _at_things(scene, thing)))


def _look_at(answer: str, part: str, mark: int) -> Look:
    """That part of an answer is about one object."""
    begin = answer.index(part)
    return Look(mark, begin=begin, end=begin + len(part))


def _alone(found: Subject | None) -> Exchange | None:
    return (found[0],) if found else None


def _plural(shape: str) -> str:
    return f"{shape}es" if shape == "cross" else f"{shape}s"


def _a(name: str) -> str:
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"


def _yes(truth: bool) -> str:
    return "yes" if truth else "no"


_ASKERS: dict[str, tuple[Asker, type]] = {
    "color": (_color, ShapesScene),
    "shape": (_shape, ShapesScene),
    "count": (_count, ShapesScene),
    "existence": (_existence, ShapesScene),
    "place": (_place, ShapesScene),
    "at": (_at, ShapesScene),
    "relation": (_relation, ShapesScene),
    "size": (_size, ShapesScene),
    "kind_count": (_kind_count, ShapesScene),
    "follow_up": (_follow_up, ShapesScene),
    "description": (_description, ShapesScene),
    "list": (_list, ShapesScene),
    "reasoning": (_reasoning, ShapesScene),
    "text_color": (_text_color, SignScene),
    "reading": (_reading, SignScene),
    "bars": (_bars, BarsScene),
    "highest": (_highest, BarsScene),
    "bar_other": (_bar_other, BarsScene),
    "mover": (_mover, ClipScene),
    "direction": (_direction, ClipScene),
    "pair_existence": (_pair_existence, PairScene),
    "change": (_change, PairScene),
}
