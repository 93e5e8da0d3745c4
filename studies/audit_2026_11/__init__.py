"""The audit on photographs with planted defects, November 2026."""
