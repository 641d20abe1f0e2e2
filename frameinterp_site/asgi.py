"""ASGI entry, for hosts that offer nothing else. WSGI is better here: see wsgi.py."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "frameinterp_site.settings")
application = get_asgi_application()
