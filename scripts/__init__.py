"""Recipes of the Makefile that are too long for it."""
