"""WSGI entry: `gunicorn frameinterp_site.wsgi`. The way to serve the portal: under ASGI Django loads whole files."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "frameinterp_site.settings")
application = get_wsgi_application()
