"""Devices: what they are called, and the variants of them that frameworks are asked under."""
