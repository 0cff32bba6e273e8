"""From a case to draws and answers: compile, sample, reweight, evaluate, diagnose."""
