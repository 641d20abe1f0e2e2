"""The REST API, version 1. Views find, authorise, validate and call one service; serializers hold no logic."""
