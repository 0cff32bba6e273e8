"""The figure of tracking by year."""

from pathlib import Path
from typing import Any

import numpy as np

from models.structure import LAST_YEAR
from reports import drawing as d
from reports.series import band, by_year, finish_shares
from reports.summaries import Frames, labels, names_of_agendas, summarise
from reports.words import INTERVAL, chance, interval

TOP = 5
"""Agendas drawn by name in the figure on tracking."""
NEEDS = (("predictions", "tracking_field"), ("predictions", "tracking_by_agenda"))
"""What must be there: (group, variable) pairs."""


def plot_tracking(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw the share of works that name a milestone, by year; the top agendas by name."""
    years = labels(dt, "predictions", dim="forecast_year")
    fig = d.new(7.4, 4.0)
    ax = fig.subplots()
    rows = by_year(summarise(dt, "predictions", name="tracking_field"), years, agenda="field")
    band(ax, rows, colour=d.INK, label="field")
    agendas = labels(dt, "predictions", dim="agenda")
    found = summarise(dt, "predictions", name="tracking_by_agenda")
    now = min(len(years) - 1, max(0, LAST_YEAR - years[0]))
    order = np.argsort(-found["mean"][:, now])
    palette = [d.BLUE, d.RED, d.GREEN, d.ORANGE, d.PURPLE]
    called = names_of_agendas(frames)
    for place, i in enumerate(order):
        part = {key: x[i] for key, x in found.items()}
        rows += by_year(part, years, agenda=agendas[i])
        if place < TOP:
            name = d.short(called.get(agendas[i], agendas[i]))
            ax.plot(years, part["median"], color=palette[place], linewidth=1.2, label=name)
    finish_shares(
        ax,
        years,
        ylabel="share of works that name\na milestone of alignment",
        xlabel="year of the works",
        legend="median of",
    )
    d.save(fig, path, rows=rows)
    last = rows[len(years) - 1]
    return d.Caption(
        "Tracking",
        "Share of works that name the alignment milestone they work toward: black line and band, "
        f"the field's median and {INTERVAL}; coloured lines, medians of the {TOP} agendas that "
        f"track most in {years[now]}.",
        f"The field's share with its band, and {TOP} agendas; the field's median is "
        f"{chance(rows[now]['median'])} in {years[now]} and {chance(last['median'])} "
        f"({interval(last)}) in {years[-1]}.",
    )
