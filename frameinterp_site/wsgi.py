"""WSGI entry: `gunicorn frameinterp_site.wsgi`. Serve the portal this way; under ASGI Django reads whole files into memory."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "frameinterp_site.settings")
application = get_wsgi_application()
