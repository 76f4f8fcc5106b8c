"""How lists are walked: places, a walk over them, and the evidence that ends it."""
