"""Accuracy on photographs of turntables and of phones, by network and size of image."""
