"""Texts of the overview."""

from __future__ import annotations

TEXTS = {
    "overview": ("Overview", "概览"),
}
