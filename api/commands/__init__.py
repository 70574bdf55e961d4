"""The commands of the command line, a module each. They print Chinese and end with exit codes."""
