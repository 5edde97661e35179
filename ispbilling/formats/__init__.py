"""How numbers are written, where Django's own formats of a language say nothing or something else."""
