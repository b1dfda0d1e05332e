"""What `images enqueue-batches` and its handler keep."""
