"""Targets: labels and class weights, regression targets and scores."""
