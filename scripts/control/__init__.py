"""Commands about runs, not of them: what was slow, what would run and why, is this machine able."""
