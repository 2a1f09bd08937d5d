"""Arithmetic and rules of projects, without Django."""
