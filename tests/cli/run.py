#!/usr/bin/env python3
"""The command line against real peers, through pipes and in a pseudo-terminal. Usage: run.py [PART-OF-A-NAME]
WSPEER is the program to test; build/venv has websockets, and build/node ws."""

import sys

import cat_tests
import harness
import other_tests
import serve_tests
import sim_tests

sys.exit(harness.main([cat_tests, serve_tests, sim_tests, other_tests]))
