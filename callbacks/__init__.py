"""What a control does, and the server around it. Each page's module ends in ``register(app, services)``."""
