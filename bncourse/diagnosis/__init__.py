"""This room asks what the learner believed. It may import `gradcheck`, `numpy_bn` and `conventions`."""
