"""What a run is: one validated, nested description of model, data, training and decoding.

Values come from the defaults of the sections, then a recipe file (YAML), then ``--set key=value``
flags.
"""

from seqloom.recipe.reading import load_recipe, recipe_from
from seqloom.recipe.sections import (
    DataRecipe,
    DecodingRecipe,
    ModelRecipe,
    Recipe,
    RecurrentRecipe,
    TrainingRecipe,
    TransformerRecipe,
)

__all__ = [
    "DataRecipe",
    "DecodingRecipe",
    "ModelRecipe",
    "Recipe",
    "RecurrentRecipe",
    "TrainingRecipe",
    "TransformerRecipe",
    "load_recipe",
    "recipe_from",
]
