"""Families of models: each predicts the probability of one outcome of a game."""
