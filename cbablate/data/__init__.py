"""The images: data sets with fixed splits and known content."""
