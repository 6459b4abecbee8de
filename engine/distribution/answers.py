"""Answers of feeder studies that come with the program, read without a store and without computing."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from engine.distribution import jobs
from engine.distribution.methods_job import METHODS, methods_arguments, methods_key
from engine.distribution.methods_run import MethodsOptions, MethodsRun
from engine.distribution.question import FeederQuestion
from engine.distribution.run import FeederRun
from engine.distribution.several import SeveralRun
from engine.distribution.several_job import SEVERAL, several_arguments, several_key
from engine.store.codec import dump_json
from engine.store.jobs import hash_input
from engine.store.kinds import KINDS
from engine.store.shipped import files_of, manifest


def shipped(question: FeederQuestion) -> FeederRun | None:
    """Return the answer to a question that comes with the program, None where none does.

    It is found by the question, the digest of the library's feeder, the format of the file and the job's version.
    Raises UncertaintyDataError for a file that is damaged.
    """
    arguments = jobs.study_arguments(question)
    known = came_with(jobs.STUDY, arguments)
    return None if known is None else FeederRun.load(files_of(known)[jobs.study_key(arguments)])


def shipped_methods(question: FeederQuestion, options: MethodsOptions | None = None) -> MethodsRun | None:
    """Return the methods side by side on a question's day, likewise."""
    arguments = methods_arguments(question, options)
    known = came_with(METHODS, arguments)
    return None if known is None else MethodsRun.load(files_of(known)[methods_key(arguments)])


def shipped_several(questions: Sequence[FeederQuestion]) -> SeveralRun | None:
    """Return the table of several feeders, likewise."""
    arguments = several_arguments(questions)
    known = came_with(SEVERAL, arguments)
    return None if known is None else SeveralRun.load(files_of(known)[several_key(arguments)])


def came_with(kind: str, arguments: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return what is known of an answer that comes with the program, None where none does to these arguments."""
    plain = json.loads(json.dumps(arguments))
    return manifest(hash_input(kind, KINDS[kind], dump_json(plain, "the arguments of a job")))
