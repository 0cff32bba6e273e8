"""The analyses: each makes Cases, hands them to the engine, and reduces the answers."""
