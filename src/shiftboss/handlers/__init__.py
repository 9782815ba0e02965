"""How an agent's handler is found and called."""
