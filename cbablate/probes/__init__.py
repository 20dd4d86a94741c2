"""What is measured on a network: accuracy, attention entropy, throughput."""
