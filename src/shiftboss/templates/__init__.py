"""Template files of people and packs: the two formats, their checks, and the way from text to model values."""
