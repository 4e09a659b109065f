"""Task files for parts of one's own: written from measures, examined before anything is trained."""
