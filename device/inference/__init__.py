"""From the sonogram to a finding: the bundle, the runtime that runs it, and what its outputs mean."""
