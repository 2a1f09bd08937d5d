"""Speed, measured: a made-up company of any size, and ratios beside the best that could be.

See README.md. Nothing of the application imports this.
"""
