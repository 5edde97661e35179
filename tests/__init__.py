"""Tests mirror the apps; ``house`` tests the code base itself."""
