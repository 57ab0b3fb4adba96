"""The three models of LLaDA-V in PyTorch: vision tower, projector and language tower, for the Python backend of Triton.

They load the same Hugging Face checkpoint directory as the embedded engine. Nothing here imports Triton: the adapters
in `models/*/1/model.py` do.
"""

NUMERICS_VERSION = "1"
"""Changes whenever the order or kind of the arithmetic does; part of the model's identity."""
