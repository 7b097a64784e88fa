"""What a run is: one validated, nested description of model, data, training and decoding.

Values come from the defaults of the sections, then a recipe file (YAML), then ``--set key=value``
flags.
"""

from seqloom.recipe.data import CorpusRecipe, DataRecipe
from seqloom.recipe.models import ModelRecipe, RecurrentRecipe, TransformerRecipe
from seqloom.recipe.optimization import Optimization
from seqloom.recipe.reading import (
    load_recipe,
    load_recipe_of,
    override,
    recipe_from,
    recipe_from_of,
    section_from,
)
from seqloom.recipe.sections import DecodingRecipe, Recipe, TrainingRecipe
from seqloom.recipe.texts import TextRecipe

__all__ = [
    "CorpusRecipe",
    "DataRecipe",
    "DecodingRecipe",
    "ModelRecipe",
    "Optimization",
    "Recipe",
    "RecurrentRecipe",
    "TextRecipe",
    "TrainingRecipe",
    "TransformerRecipe",
    "load_recipe",
    "load_recipe_of",
    "override",
    "recipe_from",
    "recipe_from_of",
    "section_from",
]
