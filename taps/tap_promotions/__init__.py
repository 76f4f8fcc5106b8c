"""Singer tap for promotions: promotions, brands, stages, users, participations, prizes, rankings."""
