"""Ways in which the mining stack breaks, and how each is put into real parts; used by chaos only."""
