"""What chooses among legal moves. A brain sees a Situation and touches nothing."""
