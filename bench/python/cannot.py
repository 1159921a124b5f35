class Cannot(Exception):
    """Raised by an engine for what it lacks, as opposed to what fails."""
