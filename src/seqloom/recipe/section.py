"""What every section of a recipe is: frozen, complete, and checked as a whole."""

from __future__ import annotations

from typing import NamedTuple, Self

from pydantic import BaseModel, ConfigDict, ValidationInfo, model_validator

FIELDS_ONLY = {"fields_only": True}
"""Context of a validation that leaves conflicts between fields for later."""


class Conflict(NamedTuple):
    """Fields that are right by themselves and wrong together."""

    fields: tuple[str, ...]
    """Their names, such as ``model.heads``."""
    message: str


class Section(BaseModel):
    """Known fields only, frozen, with conflicts between fields told like wrong ones."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )

    def conflicts(self) -> list[Conflict]:
        """What is wrong between fields; empty if all is well."""
        return []

    @model_validator(mode="after")
    def _check(self, info: ValidationInfo) -> Self:
        if info.context != FIELDS_ONLY and (found := self.conflicts()):
            raise ValueError("\n".join(conflict.message for conflict in found))
        return self
