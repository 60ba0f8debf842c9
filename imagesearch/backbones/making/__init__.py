"""Offline only: fetches weights, reads them, converts them to what is served, and quantises that."""

from imagesearch.backbones.making.prepare import ModelChoice, prepare_model
from imagesearch.backbones.making.weights import Progress

__all__ = ["ModelChoice", "Progress", "prepare_model"]
