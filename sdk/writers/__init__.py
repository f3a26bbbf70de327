"""Poses of a stream to files, written as they come."""
