"""What each strategy of the mining stack does; called by recovery.py, one module per kind of repair."""
