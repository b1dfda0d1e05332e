"""What two or more rooms share to talk to the outside: files at partners', and HTTP."""
