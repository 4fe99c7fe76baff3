"""Fine-tuning by somebody else's machines: what is sent, what it may cost, and the API that it goes to."""
