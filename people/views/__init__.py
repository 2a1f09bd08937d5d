"""Pages of people, their tokens and absences."""
