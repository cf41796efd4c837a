"""What is in a collection, and what is wrong with it: an audit of an index, without a language model."""

from rag_geo.audit.answers import contradicting
from rag_geo.audit.findings import Audit, Contradiction, Repeated, Spot, Textless, Unfound
from rag_geo.audit.whole import SAMPLE, audit

__all__ = ["SAMPLE", "Audit", "Contradiction", "Repeated", "Spot", "Textless", "Unfound", "audit", "contradicting"]
