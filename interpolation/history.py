"""Finding jobs again: what the history page can be asked for. All of it is in the address of the page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import django_filters as filters
from django.db.models import F, FloatField, Q
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from .models import Job, JobQuerySet, Tag

SIZES = {  # of the result: (from, below) in pixels of width
    "sd": (0, 1280),
    "hd": (1280, 1920),
    "fullhd": (1920, 3840),
    "uhd": (3840, 1 << 20),
}
SIZE_WORDS = [
    ("sd", _("Below HD")),
    ("hd", _("HD, 1280 and up")),
    ("fullhd", _("Full HD, 1920 and up")),
    ("uhd", _("4K and up")),
]
TRIAL_WORDS = [("with", _("Trials too")), ("only", _("Trials only"))]
SORTS = {
    "newest": [F("created_at").desc()],
    "oldest": [F("created_at").asc()],
    "name": [F("source__name").asc(), F("created_at").desc()],
    "best": [F("quality").desc(nulls_last=True), F("created_at").desc()],
    "worst": [F("quality").asc(nulls_last=True), F("created_at").desc()],
    "longest": [F("took").desc(nulls_last=True), F("created_at").desc()],
}
SORT_WORDS = [
    ("newest", _("Newest first")),
    ("oldest", _("Oldest first")),
    ("name", _("By name")),
    ("best", _("Best held-out PSNR")),
    ("worst", _("Lowest held-out PSNR")),
    ("longest", _("Longest to render")),
]


def with_quality(jobs: JobQuerySet) -> JobQuerySet:
    """Annotated with what lists show and sort by, without loading all figures: `quality` (dB) and `took` (seconds)."""
    return jobs.annotate(
        quality=Cast(KT("metrics__held_out__psnr"), FloatField()),
        took=Cast(KT("metrics__timing__total_s"), FloatField()),
    )


class JobFilter(filters.FilterSet):
    """`JobFilter(request.GET, jobs).qs`; what cannot be understood is left out, and said in `form.errors`."""

    q = filters.CharFilter(method="search", label=_("Search"))
    status = filters.MultipleChoiceFilter(choices=Job.Status.choices, label=_("State"))
    model = filters.ChoiceFilter(field_name="model_name", label=_("Model"))
    project = filters.UUIDFilter(field_name="project", label=_("Project"))
    source = filters.UUIDFilter(field_name="source", label=_("Source"))
    since = filters.DateFilter(field_name="created_at", lookup_expr="date__gte", label=_("From"))
    until = filters.DateFilter(field_name="created_at", lookup_expr="date__lte", label=_("To"))
    size = filters.ChoiceFilter(choices=SIZE_WORDS, method="of_size", label=_("Size"))
    tag = filters.CharFilter(field_name="tags__name", lookup_expr="iexact", label=_("Tag"))
    trials = filters.ChoiceFilter(choices=TRIAL_WORDS, method="of_trials", label=_("Trials"))
    sort = filters.ChoiceFilter(choices=SORT_WORDS, method="in_order", label=_("Order"))

    class Meta:
        model = Job
        fields: list[str] = []

    def __init__(self, data: Any, queryset: JobQuerySet, models: Iterable[str] = ()) -> None:
        super().__init__(data, queryset)
        self.filters["model"].extra["choices"] = [(name, name) for name in models]

    def search(self, jobs: JobQuerySet, name: str, words: str) -> JobQuerySet:
        """Every word must be somewhere."""
        for word in words.split():
            tagged = Tag.objects.filter(name__icontains=word).values("jobs")
            jobs = jobs.filter(
                Q(source__name__icontains=word)
                | Q(project__name__icontains=word)
                | Q(model_name__icontains=word)
                | Q(notes__icontains=word)
                | Q(pk__in=tagged.filter(jobs__isnull=False))
            )
        return jobs

    def of_size(self, jobs: JobQuerySet, name: str, size: str) -> JobQuerySet:
        least, below = SIZES[size]
        given = Q(options__resolution__0__gte=least, options__resolution__0__lt=below)
        as_source = Q(options__resolution=None, source__info__width__gte=least, source__info__width__lt=below)
        return jobs.filter(given | as_source)

    def of_trials(self, jobs: JobQuerySet, name: str, wanted: str) -> JobQuerySet:
        return jobs  # done in filter_queryset: without a word trials are left out

    def filter_queryset(self, queryset: JobQuerySet) -> JobQuerySet:
        """Trials of three seconds are left out unless they are asked for."""
        found: JobQuerySet = super().filter_queryset(queryset)
        wanted = self.form.cleaned_data.get("trials")
        return found if wanted == "with" else found.filter(trial=wanted == "only")

    def in_order(self, jobs: JobQuerySet, name: str, sort: str) -> JobQuerySet:
        return jobs.order_by(*SORTS[sort])

    @property
    def narrowed(self) -> bool:
        """Whether anything but the order is asked for."""
        return any(self.data.getlist(name) not in ([], [""]) for name in self.filters if name != "sort")
