"""Settings: ``base`` says everything, ``dev``, ``test`` and ``production`` only override."""
