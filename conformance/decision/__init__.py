"""Whether a run may pass: waivers, the comparison with a baseline, every reason, the decision."""
