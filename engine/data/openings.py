"""Questions that pages open with where they are not the default of their kind; their answers come with the program."""

from engine.pricing.question import HubQuestion
from engine.resilience.question import ResilienceQuestion

HUBS = HubQuestion(exact=True, window=24)
RESILIENCE = ResilienceQuestion(scenarios=100, curve=5, rolling=8)
