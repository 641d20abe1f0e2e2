"""Pages. A view finds (a stranger gets 404), authorises, validates, and calls one service."""
