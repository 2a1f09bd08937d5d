"""Whether anything is missing when things die: kills, floods, lost queues."""
