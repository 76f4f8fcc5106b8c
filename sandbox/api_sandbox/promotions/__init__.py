"""The promotions API: contests, those who take part in them, and their prizes."""
