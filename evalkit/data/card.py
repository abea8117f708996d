"""`dataset.yaml`, a data set's own card: name, licence, grades and their meaning, rendering."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, field_validator

from evalkit.data.yamls import read_model
from evalkit.errors import Finding


class Card(BaseModel):
    """The optional card of a data set; every key has a default, an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = ""
    description: str = ""
    licence: str = ""
    grades: dict[int, str] = Field(default_factory=dict)
    gains: dict[int, NonNegativeFloat] = Field(
        default_factory=dict, description="what each grade is worth to nDCG, where that is not the grade"
    )
    relevant_from: int = Field(default=1, description="the lowest grade that counts as relevant")
    category: str = Field(default="category", description="the key of a query's metadata with its category")
    group: str = Field(default="group", description="the key of a query's metadata that ties duplicates")
    render: dict[str, Any] = Field(default_factory=dict)

    @field_validator("gains")
    @classmethod
    def _gains_rise(cls, gains: dict[int, float]) -> dict[int, float]:
        worth = [gain for _, gain in sorted(gains.items())]
        if any(not gain < float("inf") for gain in worth) or worth != sorted(worth):
            raise ValueError(
                "a higher grade is worth at least as much as a lower one, and no infinite amount"
            )
        return gains


def read_card(folder: Path, findings: list[Finding]) -> Card:
    """Read `dataset.yaml` in `folder`, or return the defaults where there is none."""
    path = folder / "dataset.yaml"
    if not path.exists():
        return Card()
    return read_model(path, Card, findings) or Card()
