"""Writes of projects and what hangs on them: permission, lock, change, event, in one."""

from projects.services.moving import move, options, workflow_of

__all__ = ["move", "options", "workflow_of"]
