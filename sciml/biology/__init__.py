"""Reaction networks: read from SBML or text, simulated right and fast, fitted."""
