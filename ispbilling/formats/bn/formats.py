"""Bangla counts in lakh and crore: 12,34,567."""

NUMBER_GROUPING = (3, 2, 0)
