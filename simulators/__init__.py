"""Stand-ins for the outside world that ispbilling talks to; they speak the wire and never import it."""
