"""Drift alarms on real photographs with known changes, November 2026."""
