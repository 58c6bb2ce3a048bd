"""The choice of a variant: a *draw* knows the variants of an experiment and their weights.

A draw is fixed, or *adaptive*: then a *standing*, worked out of the feedback, holds the weights.
"""

from lsd.experiments.adaptive import (
    AdaptiveDraw,
    ArmCount,
    Choice,
    Standing,
    choose,
    probabilities,
    standing_from_json,
    standing_json,
    standing_of,
)
from lsd.experiments.draw import Draw, UniformDraw, WeightedDraw, draw_number

__all__ = [
    "AdaptiveDraw",
    "ArmCount",
    "Choice",
    "Draw",
    "Standing",
    "UniformDraw",
    "WeightedDraw",
    "choose",
    "draw_number",
    "probabilities",
    "standing_from_json",
    "standing_json",
    "standing_of",
]
