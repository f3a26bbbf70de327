"""Processors that come with the SDK."""
