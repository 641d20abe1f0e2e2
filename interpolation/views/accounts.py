"""Signing up and in, and what belongs to one's account: API tokens, password, storage."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from .. import services
from ..forms import AccountDeleteForm, PreferencesForm, SignUpForm, ThemeForm, TokenForm
from ..middleware import KEY
from ..models import ApiToken, Preferences
from .common import REFUSALS, MemberRequest


@method_decorator(require_http_methods(["GET", "HEAD", "POST"]), name="dispatch")  # Django's takes PUT for POST
class SignIn(LoginView):
    template_name = "accounts/sign_in.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(signup=settings.SIGNUP, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        answer = super().form_valid(form)
        user = form.get_user()
        assert isinstance(user, User)
        _take_along(self.request, services.preferences_of(user))
        return answer


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password1", "password2")
def sign_up(request: HttpRequest) -> HttpResponse:
    if not settings.SIGNUP:
        raise Http404(_("Sign-up is switched off."))
    if request.user.is_authenticated:
        return redirect("projects")
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = form.save()
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
        return redirect("projects")
    return render(request, "accounts/sign_up.html", {"form": form}, status=422 if form.errors else 200)


def _account_page(request: MemberRequest, *, status: int = 200, **extra: object) -> HttpResponse:
    preferences = services.preferences_of(request.user)
    context = {
        "password_form": PasswordChangeForm(request.user),
        "preferences_form": PreferencesForm(initial=_chosen(request.user, preferences)),
        "token_form": TokenForm(initial={"scope": ApiToken.Scope.WRITE}),
        "delete_form": AccountDeleteForm(request.user),
        "tokens": ApiToken.objects.filter(user=request.user),
        "storage": services.storage_of(request.user),
        "limits": services.limits_of(request.user),
        "token_days": token_days(),
        "mail": bool(settings.EMAIL_HOST),
    }
    return render(request, "accounts/account.html", context | extra, status=status)


def token_days() -> int:
    """For how long a token is good at the longest."""
    longest = cast(timedelta, settings.REST_KNOX["TOKEN_TTL"])
    return longest.days


def _chosen(user: User, preferences: Preferences) -> dict[str, Any]:
    return {
        "email": user.email,
        "time_zone": preferences.time_zone,
        "theme": preferences.theme,
        "mail_when_done": preferences.mail_when_done,
    }


@require_safe
@login_required
def account(request: MemberRequest) -> HttpResponse:
    return _account_page(request)


@require_POST
@login_required
def preferences_change(request: MemberRequest) -> HttpResponse:
    form = PreferencesForm(request.POST)
    if form.is_valid():
        try:
            kept = services.preferences_set(user=request.user, **form.cleaned_data)
        except REFUSALS as error:
            form.add_error("email", str(error))
        else:
            _take_along(request, kept)
            messages.success(request, _("Kept."))
            return redirect("account")
    return _account_page(request, preferences_form=form, status=422)


def _take_along(request: HttpRequest, kept: Preferences) -> None:
    """Into the session, so that pages need no question to the database for it. Who chose nothing has the browser's."""
    request.session[KEY], request.session["theme"] = kept.time_zone, kept.theme if kept.pk else ""


@require_POST
@login_required
def theme_change(request: MemberRequest) -> HttpResponse:
    """What the switch in the header says, for all browsers of this person."""
    form = ThemeForm(request.POST)
    if not form.is_valid():
        return JsonResponse({"errors": form.errors}, status=422)
    _take_along(request, services.theme_set(user=request.user, theme=form.cleaned_data["theme"]))
    return HttpResponse(status=204)


@require_safe
@login_required
def account_export(request: MemberRequest) -> HttpResponse:
    answer = JsonResponse(services.account_export(user=request.user), json_dumps_params={"indent": 1})
    answer["Content-Disposition"] = 'attachment; filename="inbetween-account.json"'
    return answer


@require_POST
@login_required
@sensitive_post_parameters()
def account_delete(request: MemberRequest) -> HttpResponse:
    form = AccountDeleteForm(request.user, request.POST)
    if form.is_valid():
        try:
            services.account_delete(user=request.user)
        except REFUSALS as error:
            form.add_error("password", str(error))
        else:
            logout(request)
            messages.success(request, _("Your account and everything in it is deleted."))
            return redirect("sign-in")
    return _account_page(request, delete_form=form, status=422)


@require_POST
@login_required
def token_create(request: MemberRequest) -> HttpResponse:
    """The token is in this answer and nowhere else: only its hash is kept."""
    form = TokenForm(request.POST)
    if form.is_valid():
        try:
            _row, token = services.token_create(user=request.user, **form.cleaned_data)
        except REFUSALS as error:
            form.add_error("days", str(error))
        else:
            return _account_page(request, new_token=token)
    return _account_page(request, token_form=form, status=422)


@require_POST
@login_required
def token_revoke(request: MemberRequest, digest: str) -> HttpResponse:
    services.token_revoke(token=get_object_or_404(ApiToken, user=request.user, pk=digest))
    messages.success(request, _("The token is revoked. Scripts that use it are refused from now on."))
    return redirect("account")


@require_POST
@login_required
@sensitive_post_parameters()
def password_change(request: MemberRequest) -> HttpResponse:
    form = PasswordChangeForm(request.user, request.POST)
    if not form.is_valid():
        return _account_page(request, password_form=form, status=422)
    form.save()
    update_session_auth_hash(request, form.user)
    messages.success(request, _("Your password is changed."))
    return redirect("account")
