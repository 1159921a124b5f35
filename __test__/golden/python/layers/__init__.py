"""One module per family of layers. Each has FILES: file name -> function that returns its cases."""
