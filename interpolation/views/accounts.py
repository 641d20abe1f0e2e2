"""Signing up and in, and what belongs to one's account: API tokens, password, storage."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import LoginView
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from .. import services
from ..forms import SignUpForm
from ..models import ApiToken
from .common import MemberRequest


class SignIn(LoginView):
    template_name = "accounts/sign_in.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(signup=settings.SIGNUP, **kwargs)


@sensitive_post_parameters("password1", "password2")
def sign_up(request: HttpRequest) -> HttpResponse:
    if not settings.SIGNUP:
        raise Http404("Sign-up is switched off.")
    if request.user.is_authenticated:
        return redirect("projects")
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = form.save()
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
        return redirect("projects")
    return render(request, "accounts/sign_up.html", {"form": form}, status=422 if form.errors else 200)


def _account_page(request: MemberRequest, *, status: int = 200, **extra: object) -> HttpResponse:
    tokens = ApiToken.objects.filter(user=request.user)
    context = {
        "password_form": PasswordChangeForm(request.user),
        "tokens": tokens,
        "storage": services.storage_of(request.user),
        "limits": services.limits_of(request.user),
    }
    return render(request, "accounts/account.html", context | extra, status=status)


@login_required
def account(request: MemberRequest) -> HttpResponse:
    return _account_page(request)


@login_required
@require_POST
def token_create(request: MemberRequest) -> HttpResponse:
    """The token is in this answer and nowhere else: only its hash is kept."""
    _, token = services.token_create(user=request.user)
    return _account_page(request, new_token=token)


@login_required
@require_POST
def token_revoke(request: MemberRequest, digest: str) -> HttpResponse:
    services.token_revoke(token=get_object_or_404(ApiToken, user=request.user, pk=digest))
    messages.success(request, "The token is revoked. Scripts that use it are refused from now on.")
    return redirect("account")


@login_required
@require_POST
@sensitive_post_parameters()
def password_change(request: MemberRequest) -> HttpResponse:
    form = PasswordChangeForm(request.user, request.POST)
    if not form.is_valid():
        return _account_page(request, password_form=form, status=422)
    form.save()
    update_session_auth_hash(request, form.user)
    messages.success(request, "Your password is changed.")
    return redirect("account")
