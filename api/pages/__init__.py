"""Pages for people: templates, own style, a session in a cookie. They ask what the API asks."""
