"""The choice of a variant: a *draw* knows the variants of an experiment and their weights."""

from lsd.experiments.draw import Draw, UniformDraw, WeightedDraw, draw_number

__all__ = ["Draw", "UniformDraw", "WeightedDraw", "draw_number"]
