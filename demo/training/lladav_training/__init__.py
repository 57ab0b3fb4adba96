"""Trains the demonstration checkpoint of the LLaDA-V serving cluster: a LLaDA-V model of ten million weights."""
