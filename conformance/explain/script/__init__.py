"""A script for a maintainer that shows one divergence with nothing but the framework."""
