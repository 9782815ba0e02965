"""Pure values of the domain and their plain-JSON form: no I/O, no time, no third-party code."""
