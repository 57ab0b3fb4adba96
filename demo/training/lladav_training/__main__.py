"""Trains the demonstration checkpoint, and checkpoints of your own."""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from . import questions, scenes
from .answers import answers, replies_of
from .checkpoint import check_target, load_checkpoint, save_checkpoint
from .dense import alike_spellings
from .evaluation import write_evaluation
from .model import LanguageSize, LladaV, ModelSize, VisionSize
from .report import write_report
from .showcase import write_showcase
from .stages import RECIPE
from .training import Run
from .tuning import Tuning, load_records, tune
from .vocabulary import DEFAULT_SYSTEM, Vocabulary, train_tokenizer

_SCENES = (scenes.shapes, scenes.shapes, scenes.bars, scenes.sign, scenes.clip, scenes.pair)


def main() -> None:
    """Parses the command line and runs one command."""
    parser = argparse.ArgumentParser(prog="lladav_training", description=__doc__)
    parser.add_argument("--threads", type=int, default=2, help="processor threads (2)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _train_command(commands.add_parser("train", help="train the demonstration checkpoint, or go on with a run"))
    _export_command(commands.add_parser("export", help="write a run's model as a checkpoint directory"))
    _report_command(commands.add_parser("report", help="write a run's log and plots"))
    _evaluation_command(commands.add_parser("evaluation", help="write the held-out questions and their pictures"))
    _pictures_command(commands.add_parser("pictures", help="draw what the demonstration shows"))
    _answer_command(commands.add_parser("answer", help="answer an evaluation folder with the plain sampler"))
    _tune_command(commands.add_parser("tune", help="train a checkpoint further on conversations of your own"))
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    try:
        arguments.run(arguments)
    except (FileNotFoundError, ValueError) as error:
        sys.exit(str(error))


def _train_command(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="state, log and tokenizer of the run; it goes on where it stopped")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop this sitting after so long")
    parser.set_defaults(run=_train)


def _train(arguments: argparse.Namespace) -> None:
    until = time.monotonic() + arguments.minutes * 60
    run = _run(arguments.folder, arguments.seed, arguments.device)
    run.resume()
    done = run.train(until)
    print("finished" if done else "stopped; the same command goes on", flush=True)


def _export_command(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="of the run")
    parser.add_argument("checkpoint", type=Path, help="directory to write; an older checkpoint there is replaced")
    parser.add_argument("--seed", type=int, default=1, help="of the run")
    parser.set_defaults(run=_export)


def _export(arguments: argparse.Namespace) -> None:
    if not (arguments.folder / "state.pt").is_file():
        raise FileNotFoundError(f"{arguments.folder}: no run has saved a state here")
    run = _run(arguments.folder, arguments.seed, device="cpu")
    run.resume()
    save_checkpoint(run.model, run.vocabulary, arguments.checkpoint)


def _report_command(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="of the run")
    parser.add_argument("report", type=Path, help="folder to write")
    parser.set_defaults(run=lambda arguments: write_report(arguments.folder, arguments.report))


def _evaluation_command(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.set_defaults(run=lambda arguments: print(write_evaluation(arguments.folder, arguments.seed), "questions"))


def _pictures_command(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path)
    parser.set_defaults(run=lambda arguments: write_showcase(arguments.folder))


def _answer_command(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("folder", type=Path, help="with questions.jsonl")
    parser.add_argument("--every", type=int, default=1, help="ask every n-th question only")
    parser.add_argument("--against", type=Path, help="results of `./lladav eval --results`: compare their ids")
    parser.set_defaults(run=_answer)


def _answer(arguments: argparse.Namespace) -> None:
    model, vocabulary = load_checkpoint(arguments.checkpoint)
    kept = replies_of(arguments.against) if arguments.against else None
    count, differing = 0, 0
    for answered in answers(model, vocabulary, arguments.folder, arguments.every, kept):
        found = answered.reply
        line = {"id": answered.identity, "ids": found.ids, "reply": answered.text, "forwards": found.forwards}
        count += 1
        if kept is None:
            print(json.dumps(line), flush=True)
        elif kept[answered.identity] != found.ids:
            differing += 1
            print(json.dumps({**line, "kept": kept[answered.identity], "closest": found.closest}), flush=True)
    if kept is not None:
        print(f"{count - differing} replies have the same ids, {differing} differ")
        if differing or not count:
            sys.exit(1)


def _tune_command(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=Path, help="JSON lines in the LLaVA conversation format")
    parser.add_argument("checkpoint", type=Path, help="directory to write; an older checkpoint there is replaced")
    parser.add_argument("--from", dest="start", type=Path, required=True, help="checkpoint to start from")
    parser.add_argument("--pictures", type=Path, help="folder of the pictures (that of the data)")
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--longest", type=int, default=1024, help="positions of a dialogue with its pictures")
    parser.add_argument("--bad", choices=("refuse", "skip"), default="refuse", help="records that cannot be trained on")
    parser.add_argument("--seed", type=int, default=1)
    parser.set_defaults(run=_tune)


def _tune(arguments: argparse.Namespace) -> None:
    check_target(arguments.checkpoint)
    model, vocabulary = load_checkpoint(arguments.start)
    pictures = arguments.pictures or arguments.data.parent
    records = load_records(arguments.data, pictures, vocabulary, arguments.longest, arguments.bad == "skip")
    tuning = Tuning(arguments.steps, arguments.batch, arguments.rate, arguments.longest, arguments.seed)
    for step, loss in enumerate(tune(model, vocabulary, records, tuning), start=1):
        print(json.dumps({"step": step, "loss": round(loss, 4)}), flush=True)
    save_checkpoint(model, vocabulary, arguments.checkpoint)


def _run(folder: Path, seed: int, device: str) -> Run:
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "tokenizer.json").exists():
        Vocabulary(train_tokenizer(texts(seed))).save(folder)
    vocabulary = Vocabulary.load(folder)
    torch.manual_seed(seed)
    model = LladaV(ModelSize(VisionSize(), LanguageSize(vocabulary.size)))
    alike_spellings(model.language.embed_tokens.weight.data, vocabulary)
    return Run(folder, model, vocabulary, RECIPE, seed, device)


def texts(seed: int) -> Iterator[str]:
    """What the tokenizer is trained on."""
    yield from (DEFAULT_SYSTEM, "system", "user", "assistant")
    rng = random.Random(f"{seed}/tokenizer")
    for number in range(6000):
        scene = _SCENES[number % len(_SCENES)](rng)
        for kind in questions.kinds_of(scene):
            for turn in questions.ask(kind, rng, scene) or ():
                yield turn.text()
                yield turn.answer


if __name__ == "__main__":
    main()
