"""A server on loopback that speaks Cohere's v2 API strictly, with faults on demand.

Its scores are not Cohere's.
"""

from evalkit.sandbox.serve import BANNER, sandboxed, serving

__all__ = ["BANNER", "sandboxed", "serving"]
