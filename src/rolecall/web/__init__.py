"""What pages in a browser share: forms, cookies, answers and routes."""
