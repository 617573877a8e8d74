"""How a request is carried to a registry: redirects, proof, attempts. It decides; a sender sends and waits."""
