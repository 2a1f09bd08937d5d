"""Service requests: scope router, statements of work, sign-offs, escalations. See the roadmap in docs/architecture.md."""
