"""What must hold between values that have the right shape each."""
