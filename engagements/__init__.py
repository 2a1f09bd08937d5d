"""Service requests: scope router, statements of work, sign-offs, escalations. To come."""
