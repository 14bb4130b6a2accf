// Shows the page that the path names.
