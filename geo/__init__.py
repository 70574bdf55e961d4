"""The ground: coordinates, street boundaries, dispatch by territory. Knows nothing of cases."""
