"""How things look: formats of numbers and dates, icons, charts, template tags."""
