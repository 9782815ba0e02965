"""The pack that brings nothing: for pipelines whose agents all come from a user's own files."""
