"""The engine that is always there: TF-IDF and logistic regression, fitted here, calibrated, kept as plain numbers.

Importing it costs numpy; scikit-learn is imported when something is fitted or loaded.
"""

from __future__ import annotations

from analyzer.engines.local.engine import LocalEngine
from analyzer.engines.local.fitting import LabelledText, fit, fit_cold_start
from analyzer.engines.local.model import LocalModel

__all__ = ["LabelledText", "LocalEngine", "LocalModel", "fit", "fit_cold_start"]
