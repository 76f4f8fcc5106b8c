"""Pictures of what was loaded, on one HTML page: see scripts/report.py."""
