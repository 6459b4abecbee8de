"""Questions that pages open with where they are not the default of their kind; their answers come with the program."""

from engine.pricing.question import HubQuestion

HUBS = HubQuestion(exact=True, window=24)
