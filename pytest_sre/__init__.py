"""Fires real alerts through a real Prometheus and Alertmanager and proves that they reach the on-call."""

__version__ = "0.1.0"
