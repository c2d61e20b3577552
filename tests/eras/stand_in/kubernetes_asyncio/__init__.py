"""Stands in for the client of that name, which the tests do not need: models written as its generator writes them."""
