"""Where ratings and milestones disagree: said of each work, and of no other."""

from reports.view import disagreement, open_levels

MILESTONES = [
    {"level": 5, "name": "a", "reached": 2017},
    {"level": 5, "name": "b", "reached": None},
    {"level": 6, "name": "c", "reached": None},
    {"level": 7, "name": "d", "reached": None},
]


def work(title, *levels, mean=3):
    return {"title": title, f"p_level_{mean}": 1.0, "ratings": [{"level": k} for k in levels]}


def test_levels_are_open_when_none_of_their_milestones_is_reached():
    assert open_levels(MILESTONES) == [6, 7]
    assert open_levels([]) == []


def test_a_work_rated_where_no_milestone_is_reached_is_told():
    works = [work("rated", 6, 6, 4), work("split", 6, 4, None), work("five", 5, 5, 5)]
    (told,) = disagreement({"milestones": MILESTONES, "works": works})
    assert told.startswith(
        "“rated”: 2 of 3 raters say level 6; the model gives level 6 or above a "
    )
    assert "(mean level 3.0); milestones.csv holds every milestone of level 6 to be open." in told


def test_a_work_that_the_model_alone_places_there_is_told_too():
    (told,) = disagreement({"milestones": MILESTONES, "works": [work("w", 5, 5, mean=7)]})
    assert told.startswith("“w”: 0 of 2 raters say level 7")


def test_without_milestones_or_works_nothing_is_told():
    assert disagreement({"milestones": [], "works": [work("w", 6, 6)]}) == []
    assert disagreement({"milestones": MILESTONES, "works": []}) == []
