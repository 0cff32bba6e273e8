"""The forecast: what follows from the draws, from paths of workers to the claims."""
