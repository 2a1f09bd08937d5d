"""What Django and Django REST framework give as they come, over the same tables."""
